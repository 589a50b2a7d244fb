// BitFit (Ben Zaken et al., 2021): the biases that the model has are trained, and nothing else.
#include <algorithm>

#include "model/scope.h"

namespace afina {

namespace {

bool is_bias(const std::string& name) { return name.ends_with(".bias"); }

struct BitFit : Method {
  explicit BitFit(MethodOptions&) {}
  bool trains(const std::string& name) const override { return is_bias(name); }
  void built(const Scope& model) override {
    require(!model.parameters().trained().empty(),
            "method 'bitfit' trains biases, and this model has none (Llama and Mistral have none "
            "unless their config says attention_bias or mlp_bias); choose another method, such as "
            "ia3 or lora");
  }
  Stored stored() const override { return Stored::changed; }
};

bool has_biases(const Parameters& pretrained) {
  return std::any_of(pretrained.all.begin(), pretrained.all.end(),
                     [](const Parameter& p) { return is_bias(p.name); });
}

const MethodCard card{
    .name = "bitfit",
    .label = "BitFit",
    .paper =
        "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked "
        "Language-models (Ben Zaken et al., 2021)",
    .formula = "y = W x + b",
    .trains = "every bias b of the model",
    .options = "",
    .rate = 1e-3,
    .rate_because =
        "few numbers are trained, each a small offset; the paper searches from 1e-4 to "
        "1e-3",
    .tries = {"bitfit"},
    .needs =
        "a model with biases: GPT-2, Qwen2, or a Llama whose config says attention_bias or "
        "mlp_bias",
    .fits = has_biases};

}  // namespace

REGISTER_METHOD(card, make_new<BitFit>);

}  // namespace afina
