// DoRA (Liu et al., 2024): y = m/‖V‖ ⊙ (V x) + b with V = W + scale B A: the rows of LoRA's sum
// give directions, and their lengths are trained apart in m (out).
#include "model/methods/low_rank.h"

namespace afina {

namespace {

struct DoraAdapter : Adapter {
  LowRank part;
  Parameter& m;
  Tensor squares;  // ‖row of W‖²
  double dropout;

  // m begins at the lengths of W's rows, by the arithmetic that gives ‖V‖ later: their quotient is
  // exactly 1, and the layer begins as the pretrained one.
  DoraAdapter(const Linear& layer, const Scope& scope, const LowRank& part, double dropout)
      : part(part),
        m(scope.added("lora_magnitude_vector", {layer.out()}, {Init::ones})),
        squares(layer.row_squares()),
        dropout(dropout) {
    const Tensor lengths = layer.row_norms(squares, part);  // counted where there are no bytes too
    if (holds_bytes(m.value.device())) m.assign(lengths.values().data());
  }

  // ‖V‖ is a constant in the gradient (section 4.3 of the paper).
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    Tensor norms = layer.row_norms(squares, part);
    if (!inputs.training || dropout == 0.)
      return scale_columns(layer.plus_low_rank(x, x, part, false), m.value, norms,
                           layer.bias_value());
    // The pretrained layer sees x whole; dropout acts on what is added to it.
    Tensor xa = dropped(x, dropout, layer, inputs);
    Tensor turned = scale_columns(layer.plus_low_rank(xa, xa, part, false), m.value, norms);
    return layer.plain(x) + (turned - layer.product(xa));
  }
  void merge(Tensor& weight, Tensor&) const override {
    Tensor v = weight + matmul(part.b.exact(), part.a.exact()) * part.scale;
    weight = v * (reshape(m.exact(), {v.rows(), 1}) / sqrt(sum_columns(v * v)));
  }
};

struct Dora : LowRankMethod {
  explicit Dora(MethodOptions& options) : LowRankMethod(options) {
    const std::string start_is = std::string("start=") + name(start()),
                      lengths =
                          "DoRA keeps lengths of rows that follow from the weight as it is "
                          "when the model is built, and this start changes it later";
    refuse(start() == Start::lora_ga || start() == Start::corda, start_is, lengths);
    refuse(start() == Start::mica, start_is, "PEFT does not combine MiCA with DoRA; use lora");
    refuse(has_bias(), "lora_bias=true", "PEFT does not combine a bias of B with DoRA; use lora");
    refuse(corrects(), "fa=true",
           "the correction of LoRA-FA is for B A alone, whose gradient DoRA's lengths change; use "
           "lora, or freeze=a without it");
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope, const LowRank& part,
                                double dropout) override {
    return std::make_unique<DoraAdapter>(layer, scope, part, dropout);
  }
  Json peft_config() const override {
    Json config = LowRankMethod::peft_config();
    config["use_dora"] = true;
    return config;
  }
};

const MethodCard card{
    .name = "dora",
    .label = "DoRA",
    .paper = "DoRA: Weight-Decomposed Low-Rank Adaptation (Liu et al., 2024)",
    .formula = "y = m/|V| * (V x) + b, V = W + alpha/rank B A",
    .trains = "A (rank, in), B (out, rank) and m (out) of each target layer",
    .options = low_rank_options,
    .rate = 2e-4,
    .rate_because = "as LoRA, on which it is built",
    .peft_type = "LORA",
    .peft_flag = "use_dora",
    .tries = {"dora", "dora:start=pissa,rank=2",
              "dora:rank=3,dropout=0.25,rslora=true,targets=*.mlp.*"},
    .not_promised = {{Promise::slope,
                      "the lengths |V| count as constants in the gradient, which saves the way "
                      "back through them (section 4.3 of the paper)"}}};

}  // namespace

REGISTER_METHOD(card, make_new<Dora>, low_rank_from_peft);

}  // namespace afina
