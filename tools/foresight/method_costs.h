// What each method of fine-tuning would cost on one model, predicted without its weights.
#pragma once
#include <vector>

#include "tools/foresight/predict.h"

namespace afina {

struct MethodCost {
  MethodSpec method;
  std::string why_not;  // why it cannot be built on this model; empty: it can
  Prediction cost;      // of one step
};
// One step of each method on rows that are full (shape_without_data()). methods: as --method has
// them. A method that does not fit the model says why.
std::vector<MethodCost> method_costs(const RunShape& shape,
                                     const std::vector<std::string>& methods);

}  // namespace afina
