// Reading learning rates and writing labels.
#include "tools/runs/rates.h"

#include <algorithm>
#include <sstream>

#include "engine/error.h"

namespace afina {

std::string label_of(const MethodSpec& spec) {
  std::string text = spec.name;
  for (auto& [key, value] : spec.options) text += " " + key + "=" + value;
  return text;
}

std::vector<double> take_rates(MethodSpec& spec, double otherwise) {
  auto given = spec.options.find("lr");
  if (given == spec.options.end()) {
    require(otherwise > 0., "no learning rate for '", spec.text,
            "': give --lr, or lr inside the method, as in --method ", spec.name,
            ":lr=1e-4 (or lr=1e-4/3e-4/1e-3 to search)");
    return {otherwise};
  }
  std::vector<double> rates;
  std::istringstream parts(given->second);
  for (std::string part; std::getline(parts, part, '/');) {
    size_t used = 0;
    double rate = 0;
    try {
      rate = std::stod(part, &used);
    } catch (const std::exception&) {}
    require(used == part.size() && rate > 0. && rate < 1e3, "method '", spec.text, "': lr '", part,
            "' is not a positive number below 1000");
    require(std::find(rates.begin(), rates.end(), rate) == rates.end(), "method '", spec.text,
            "': lr ", part, " is there twice; name each rate once");
    rates.push_back(rate);
  }
  spec.options.erase(given);
  return rates;
}

}  // namespace afina
