// The registry of optimizers.
#include "engine/train/optimizer.h"

namespace afina {

std::map<std::string, OptimizerFactory>& optimizers() {
  static std::map<std::string, OptimizerFactory> all;
  return all;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options,
                                          const std::vector<Parameter*>& trained) {
  auto found = optimizers().find(options.name);
  if (found != optimizers().end()) return found->second(options, trained);
  std::string known;
  for (auto& [name, make] : optimizers()) known += " " + name;
  fail("unknown optimizer '", options.name, "'; there are:", known);
}

}  // namespace afina
