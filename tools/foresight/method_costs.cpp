// What each method of fine-tuning would cost on one model.
#include "tools/foresight/method_costs.h"

#include "engine/error.h"

namespace afina {

std::vector<MethodCost> method_costs(const RunShape& shape,
                                     const std::vector<std::string>& methods) {
  RunShape one = shape;
  one.run.steps = 1;
  std::vector<MethodCost> all;
  for (const std::string& text : methods) {
    MethodCost cost{parse_method(text), {}, {}};
    try {
      cost.cost = predict(one, cost.method, one.run.seed);
    } catch (const Error& e) { cost.why_not = e.what(); }
    all.push_back(std::move(cost));
  }
  return all;
}

}  // namespace afina
