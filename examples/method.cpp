// A method of one's own, and the whole program with it: every row of a weight gets a trained
// factor, y = g * (W x + b).
#include "model/targets.h"
#include "tools/options/command.h"

using namespace afina;

// One adapted layer. forward() takes the layer's place; merge() puts the same into its weights.
struct RowGain : Adapter {
  Parameter& gain;
  RowGain(const Linear& layer, const Scope& scope)
      : gain(scope.added("gain", {layer.out()}, {Init::ones}, {.vector = true})) {}

  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return scale_columns(layer.plain(x), gain.value);
  }
  void merge(Tensor& weight, Tensor& bias) const override {
    weight = weight * reshape(gain.exact(), {gain.shape.size(), 1});
    if (bias) bias = bias * gain.exact();
  }
};

// The method is asked about every linear layer while the model is built.
struct RowGains : Method {
  Targets targets;  // the option targets=..., as LoRA has it
  explicit RowGains(MethodOptions& options) : targets(options) {}

  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    if (!targets.matches(layer)) return nullptr;
    return std::make_unique<RowGain>(layer, scope);
  }
  void built(const Scope&) override { targets.check(); }  // a target that is nowhere is an error
  Stored stored() const override { return Stored::adapter; }
};

REGISTER_METHOD(MethodCard{.name = "row-gain",
                           .paper = "none: an example",
                           .formula = "y = g * (W x + b)",
                           .trains = "g (out) of each target layer",
                           .options = "targets=all,exclude=: names or patterns joined by '+'",
                           .rate = 3e-3,
                           .rate_because = "a few numbers around 1, as in IA3",
                           .tries = {"row-gain"}},
                make_new<RowGains>);

int main(int count, char** words) { return run_program({words + 1, words + count}); }
