// What methods have in common that put one adapter of a kind beside each target layer, and what
// adapters that change a layer's weight have in common.
#pragma once
#include <cmath>

#include "engine/ops/arrange.h"
#include "model/peft.h"
#include "model/targets.h"

namespace afina {

// A method whose only choice per layer is whether it is a target.
class TargetedMethod : public Method {
 public:
  explicit TargetedMethod(MethodOptions& options, std::vector<Targets::Numbers> numbers = {},
                          const std::string& otherwise = "all")
      : targets_(options, std::move(numbers), otherwise) {}
  void passes_over(const Linear& layer) override { targets_.pass_over(layer); }
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    return targets_.matches(layer) ? make(layer, scope) : nullptr;
  }
  void built(const Scope&) override { targets_.check(); }
  Stored stored() const override { return Stored::adapter; }

 protected:
  virtual std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) = 0;
  // An adapter_config.json with what every method writes, and the targets.
  Json config_of(const std::string& peft_type) const {
    Json config = peft_common(peft_type);
    config["target_modules"] = targets_.peft_targets();
    return config;
  }
  Targets targets_;
};

// The options of a target list that every adapter_config.json has.
inline std::map<std::string, std::string> targets_from_peft(PeftConfig& config) {
  return {{"targets", config.targets()}, {"exclude", config.exclude()}};
}

// A matrix of an adapter that is held and trained in f32 (f64) whatever the model's dtype is, as
// PEFT does; it decays as a matrix does.
inline Parameter& exact_matrix(const Scope& scope, const std::string& name, const Shape& shape,
                               Init init) {
  return scope.added(name, shape, init, {.vector = true, .decays = true});
}
// PEFT's Kaiming start of a matrix whose last extent is n: uniform in ±1/sqrt(n).
inline Init kaiming(int64_t n) { return {Init::uniform, 1.f / std::sqrt(float(n))}; }

// An adapter in which another weight stands for the layer's: y = x (W + ΔW)ᵀ + b. W + ΔW is made
// once a step (model/derived.h).
struct WeightAdapter : Adapter {
  // To be called when the adapter's parameters are made.
  void derive(Method& method, const Linear& layer) {
    Parameter& weight = layer.weight;
    weight_ = &method.derived([this] { return delta(); },
                              [&weight](const Tensor& d) {
                                return in_dtype(d + weight.exact(), weight.value.computed());
                              });
  }
  // ΔW (out, in) in f32 (f64), of recorded operations.
  virtual Tensor delta() const = 0;
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return linear(x, (*weight_)(), layer.bias_value());
  }
  void merge(Tensor& weight, Tensor&) const override { weight = weight + delta(); }

 private:
  Derived* weight_ = nullptr;
};

}  // namespace afina
