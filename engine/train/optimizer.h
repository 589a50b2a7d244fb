// Optimizers: how trained weights follow from their gradients. One file each, found by name.
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
  // Updates parameter number `index` from its complete gradient times gradient_scale. step counts
  // from 0.
  virtual void update(size_t index, Parameter& parameter, double lr, double gradient_scale,
                      int64_t step) = 0;

  // For asynchronous devices (engine/train/async_step.h): is there one kernel that updates all
  // parameters and reads the step's numbers from device memory? Without one the trainer calls
  // update() for each parameter.
  virtual bool at_once(Device) const { return false; }
  // Sets the numbers that update() would compute on the host for this rate and step.
  virtual void number(StepNumbers&, double /*lr*/, int64_t /*step*/) const {}
  // Sets the optimizer's fields in a parameter's row: moments and decay.
  virtual void fill(size_t /*index*/, const Parameter&, WeightRow&) const {}
  // Updates all parameters. record: a StepRecord; table: WeightRows of `parts` parts in all
  // (engine/ops/adamw.h); dtype: that of the masters.
  virtual void update_all(const Tensor& /*record*/, const Tensor& /*table*/, int64_t /*parts*/,
                          Dtype /*dtype*/) {}

  // Name and tensor of everything a checkpoint must hold, in the same order on every call. Resuming
  // writes into these tensors.
  virtual std::vector<std::pair<std::string, Tensor>> state() = 0;
  // First and second moment of parameter number `index`, with its elements in order, f32 (f64 in an
  // f64 model); on any device.
  virtual std::pair<Tensor, Tensor> moments(size_t index) const = 0;
};

using OptimizerFactory = std::function<std::unique_ptr<Optimizer>(const OptimizerOptions&,
                                                                  const std::vector<Parameter*>&)>;
std::map<std::string, OptimizerFactory>& optimizers();
// Throws an Error that lists the known names if options.name is not one of them.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options,
                                          const std::vector<Parameter*>& trained);

}  // namespace afina

#define REGISTER_OPTIMIZER(name, make)                      \
  [[maybe_unused]] static const bool registered_optimizer = \
      (::afina::optimizers()[name] = make, true)
