// LoHa (Hyeon-Woo et al., 2022; Yeh et al., 2023): ΔW = scale (A1 B1) ⊙ (A2 B2). The Hadamard
// product of two matrices of rank r has a rank of up to r².
#include "model/methods/lycoris.h"

namespace afina {

namespace {

struct LohaAdapter : WeightAdapter {
  Parameter &a1, &b1, &a2, &b2;
  double scale;
  LohaAdapter(const Linear& layer, const Scope& scope, int64_t rank, double scale)
      : a1(exact_matrix(scope, "hada_w1_a", {layer.out(), rank}, kaiming(rank))),
        b1(exact_matrix(scope, "hada_w1_b", {rank, layer.in()}, kaiming(layer.in()))),
        a2(exact_matrix(scope, "hada_w2_a", {layer.out(), rank}, kaiming(rank))),
        b2(exact_matrix(scope, "hada_w2_b", {rank, layer.in()}, {Init::zeros})),
        scale(scale) {}
  Tensor delta() const override {
    return matmul(a1.value, b1.value) * matmul(a2.value, b2.value) * scale;
  }
};

struct Loha : LycorisMethod {
  using LycorisMethod::LycorisMethod;
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    auto adapter = std::make_unique<LohaAdapter>(layer, scope, rank_of(layer), scale_of(layer));
    adapter->derive(*this, layer);
    return adapter;
  }
  Json peft_config() const override { return lycoris_config("LOHA"); }
};

const MethodCard card{
    .name = "loha",
    .label = "LoHa",
    .paper =
        "FedPara: Low-rank Hadamard Product for Communication-Efficient Federated Learning "
        "(Hyeon-Woo et al., 2022); LyCORIS (Yeh et al., 2023)",
    .formula = "y = (W + alpha/rank (A1 B1) * (A2 B2)) x + b",
    .trains = "A1, A2 (out, rank) and B1, B2 (rank, in) of each target layer",
    .options =
        "rank=8,alpha=8,targets=all,exclude=,ranks=,alphas=: as for lora; a product of ranks r has "
        "rank r * r",
    .rate = 1e-3,
    .rate_because =
        "both factors begin small and one at zero, so that steps act on a product of two",
    .peft_type = "LOHA",
    .tries = {"loha:rank=4", "loha:rank=3,alpha=5,targets=*.mlp.*,ranks=mlp.*:2"}};

}  // namespace

REGISTER_METHOD(card, make_new<Loha>, lycoris_from_peft);

}  // namespace afina
