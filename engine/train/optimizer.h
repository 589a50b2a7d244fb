// Optimizers: what moves the trained weights once their gradients are gathered. One file each,
// found by name.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/train/parameter.h"

namespace afina {

struct StepNumbers;
struct WeightRow;

struct OptimizerOptions {
  std::string name = "adamw";
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0.;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Moves parameter number `index` by its gathered gradient, scaled by gradient_scale. step counts
  // from 0.
  virtual void update(size_t index, Parameter& parameter, double lr, double gradient_scale,
                      int64_t step) = 0;

  // For devices that are not to be waited for (engine/train/device_step.h): can all parameters be
  // moved by one kernel that finds its numbers in device memory? An optimizer that can not is asked
  // parameter by parameter.
  virtual bool at_once(Device) const { return false; }
  // What update() would work out on the host for this rate and step.
  virtual void number(StepNumbers&, double /*lr*/, int64_t /*step*/) const {}
  // The part of a parameter's row that the optimizer knows: moments and decay.
  virtual void fill(size_t /*index*/, const Parameter&, WeightRow&) const {}
  virtual void update_all(const Tensor& /*record*/, const Tensor& /*table*/, int64_t /*parts*/,
                          Dtype /*of*/) {}

  // What must be kept to go on later: name and tensor, the same order every time. Restoring writes
  // into these tensors.
  virtual std::vector<std::pair<std::string, Tensor>> state() = 0;
};

using OptimizerFactory = std::function<std::unique_ptr<Optimizer>(const OptimizerOptions&,
                                                                  const std::vector<Parameter*>&)>;
std::map<std::string, OptimizerFactory>& optimizers();
// An unknown name is an Error listing the known ones.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options,
                                          const std::vector<Parameter*>& trained);

}  // namespace afina

#define REGISTER_OPTIMIZER(name, make)                      \
  [[maybe_unused]] static const bool registered_optimizer = \
      (::afina::optimizers()[name] = make, true)
