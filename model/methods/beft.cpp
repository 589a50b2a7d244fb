// BEFT (bias-efficient fine-tuning): y = W x + b + c, where only c (out) of the targets, by default
// the value projections, is trained.
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct BeftAdapter : Adapter {
  Parameter& c;
  Tensor one;
  BeftAdapter(const Linear& layer, const Scope& scope)
      : c(scope.added("beft_bias", {1, layer.out()}, {Init::zeros}, {.vector = true})) {
    PurposeScope purpose(Purpose::weights);
    one = Tensor::from(std::vector<float>(size_t(layer.out()), 1.f), {layer.out()}, c.value.dtype(),
                       c.value.device());
  }
  // Without a bias of the layer, c is the bias; with one, both are added in f32.
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    if (!layer.bias) return linear(x, layer.weight.value, c.value);
    return scale_columns(layer.plain(x), one, {}, c.value);
  }
  void merge(Tensor&, Tensor& bias) const override {
    require(bool(bias),
            "BEFT's biases cannot be merged into layers that have none; keep the adapter, or "
            "choose targets that have biases");
    bias = bias + reshape(c.exact(), {c.shape.size()});
  }
};

struct Beft : TargetedMethod {
  bool biased = true;  // do all targets have biases?
  explicit Beft(MethodOptions& o) : TargetedMethod(o) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    biased = biased && layer.bias;
    return std::make_unique<BeftAdapter>(layer, scope);
  }
  std::string why_not_mergeable() const override {
    return biased ? "" : "a target has no bias that could take up the one that was trained";
  }
  Json peft_config() const override {
    Json config = config_of("BEFT");
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("init_weights", true);
  return targets_from_peft(config);
}

const MethodCard card{
    .name = "beft",
    .label = "BEFT",
    .paper = "BEFT: Bias-Efficient Fine-Tuning of Language Models (Huang et al., 2025)",
    .formula = "y = W x + b + c",
    .trains =
        "c (out) of each target layer; the paper takes the value projections "
        "(targets=v_proj)",
    .options = "targets=all,exclude=: as for lora",
    .rate = 1e-3,
    .rate_because = "as BitFit: few numbers, each a small offset",
    .peft_type = "BEFT",
    .tries = {"beft", "beft:targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Beft>, from_peft);

}  // namespace afina
