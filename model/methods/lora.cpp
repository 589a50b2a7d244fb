// LoRA (Hu et al., 2021): y = W x + b + scale B A x, where W is frozen and A (rank, in) and B (out,
// rank) are trained; scale is alpha / rank, or alpha / sqrt(rank) with rslora (Kalajdzievski,
// 2023).
#include "model/methods/low_rank.h"

namespace afina {

namespace {

struct LoraAdapter : Adapter {
  LowRank part;
  double dropout;
  const Derived* bias;  // of B and the layer, or null
  LoraAdapter(const LowRank& part, double dropout, const Derived* bias)
      : part(part), dropout(dropout), bias(bias) {}

  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    if (bias)
      return linear_lora(x, dropped(x, dropout, layer, inputs), layer.weight.value, (*bias)(),
                         part.a.value, part.b.value, part.scale);
    return layer.plus_low_rank(x, dropped(x, dropout, layer, inputs), part);
  }
  // Dropout gives every adapter an input of its own.
  const LowRank* low_rank(const Inputs& inputs) const override {
    return bias || (inputs.training && dropout > 0.) ? nullptr : &part;
  }
  const LowRank* factors() const override { return &part; }
  void merge(Tensor& weight, Tensor& own_bias) const override {
    weight = weight + matmul(part.b.exact(), part.a.exact()) * part.scale;
    if (bias) own_bias = (*bias)();
  }
};

struct Lora : LowRankMethod {
  using LowRankMethod::LowRankMethod;
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope, const LowRank& part,
                                double dropout) override {
    return std::make_unique<LoraAdapter>(part, dropout, bias_of(layer, scope, part));
  }
  bool adapts_ends() const override { return true; }
};

const MethodCard card{
    .name = "lora",
    .label = "LoRA",
    .paper =
        "LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2021); rslora: "
        "Kalajdzievski, 2023; plus: LoRA+ (Hayou et al., 2024); fa: LoRA-FA (Zhang et al., 2023); "
        "starts: PiSSA (Meng et al., 2024), OLoRA (Büyükakyüz, 2024), MiCA (2026), EVA (Paischer "
        "et al., 2024), LoRA-GA (Wang et al., 2024), CorDA (Yang et al., 2024)",
    .formula = "y = W x + b + alpha/rank B A x",
    .trains =
        "A (rank, in) and B (out, rank) of each target layer; A alone with freeze=b "
        "(MiCA), B alone with freeze=a (LoRA-FA)",
    .options = low_rank_options,
    .rate = 2e-4,
    .rate_because =
        "B begins at zero and few numbers are trained, so it stands about ten times "
        "the rate of full fine-tuning",
    .peft_type = "LORA",
    .tries = {"lora", "lora:start=pissa,rank=3,alpha=4,rslora=true",
              "lora:start=olora,rank=2,convert=true,targets=*.mlp.*",
              "lora:start=mica,rank=3,plus=2", "lora:start=orthogonal,rank=2,fa=true",
              "lora:lora_bias=true,rank=2,dropout=0.25", "lora:start=lora-ga,rank=2",
              "lora:rank=3,dropout=0.25,rslora=true,targets=*.mlp.*,ranks=mlp.*:2,"
              "alphas=mlp.*:5",
              "lora:targets=embedding+head+*.mlp.*,rank=2,ranks=head:3",
              "lora:tokens=7+1+40,rank=2,dropout=0.25,save=0.mlp",
              "lora:save=head,rank=2,targets=embedding+*.mlp.*",
              "lora:tie=true,save=head,rank=2,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Lora>, low_rank_from_peft);

}  // namespace afina
