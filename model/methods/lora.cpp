// LoRA (Hu et al., 2021): y = W x + b + scale B A x, where W is frozen and A (rank, in) and B (out,
// rank) are trained; scale is alpha / rank, or alpha / sqrt(rank) with rslora (Kalajdzievski,
// 2023).
#include "model/methods/low_rank.h"

namespace afina {

namespace {

struct LoraAdapter : Adapter {
  LowRank part;
  double dropout;
  LoraAdapter(const LowRank& part, double dropout) : part(part), dropout(dropout) {}

  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    return layer.plus_low_rank(x, dropped(x, dropout, layer, inputs), part);
  }
  // Dropout gives every adapter an input of its own.
  const LowRank* low_rank(const Inputs& inputs) const override {
    return inputs.training && dropout > 0. ? nullptr : &part;
  }
  void merge(Tensor& weight, Tensor&) const override {
    weight = weight + matmul(part.b.exact(), part.a.exact()) * part.scale;
  }
};

struct Lora : LowRankMethod {
  using LowRankMethod::LowRankMethod;
  std::unique_ptr<Adapter> make(const Linear&, const Scope&, const LowRank& part,
                                double dropout) const override {
    return std::make_unique<LoraAdapter>(part, dropout);
  }
  bool adapts_ends() const override { return true; }
};

const MethodCard card{
    .name = "lora",
    .label = "LoRA",
    .paper =
        "LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2021); rslora: "
        "Kalajdzievski, 2023; plus: LoRA+ (Hayou et al., 2024)",
    .formula = "y = W x + b + alpha/rank B A x",
    .trains = "A (rank, in) and B (out, rank) of each target layer",
    .options = low_rank_options,
    .rate = 2e-4,
    .rate_because =
        "B begins at zero and few numbers are trained, so it stands about ten times "
        "the rate of full fine-tuning",
    .peft_type = "LORA",
    .tries = {"lora",
              "lora:rank=3,dropout=0.25,rslora=true,targets=*.mlp.*,ranks=mlp.*:2,"
              "alphas=mlp.*:5",
              "lora:targets=embedding+head+*.mlp.*,rank=2,ranks=head:3",
              "lora:tokens=7+1+40,rank=2,dropout=0.25,save=1.mlp",
              "lora:save=head,rank=2,targets=embedding+*.mlp.*",
              "lora:tie=true,save=head,rank=2,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Lora>, low_rank_from_peft);

}  // namespace afina
