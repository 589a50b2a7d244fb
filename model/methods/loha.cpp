// LoHa (Hyeon-Woo et al., 2022; Yeh et al., 2023): ΔW = scale (A1 B1) ⊙ (A2 B2). The Hadamard
// product of two matrices of rank r has a rank of up to r².
#include "model/methods/targeted.h"

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

struct Loha : TargetedMethod {
  int64_t rank;
  double alpha;
  explicit Loha(MethodOptions& o)
      : TargetedMethod(o, {{"ranks", 1, 65536, true}, {"alphas", 1e-9, 1e9}}),
        rank(o.integer("rank", 8, 1, 65536)),
        alpha(o.number("alpha", 8., 1e-9, 1e9)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t r = int64_t(targets_.number("ranks", layer, double(rank)));
    auto adapter = std::make_unique<LohaAdapter>(
        layer, scope, r, targets_.number("alphas", layer, alpha) / double(r));
    adapter->derive(*this, layer);
    return adapter;
  }
  Json peft_config() const override {
    Json config = config_of("LOHA");
    config["r"] = rank;
    config["alpha"] = plain_number(alpha);
    config["rank_pattern"] = targets_.peft_numbers("ranks", double(rank));
    config["alpha_pattern"] = targets_.peft_numbers("alphas", alpha);
    config["rank_dropout"] = 0.;
    config["module_dropout"] = 0.;
    config["use_effective_conv2d"] = false;
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("rank_dropout", 0., "afina drops no rows of this method's weights");
  config.only("module_dropout", 0., "afina drops no layers of this method");
  config.get_or<bool>("use_effective_conv2d", false);  // of convolutions, which are no targets here
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["alpha"] = config.number("alpha");
  options["ranks"] = config.patterns("rank_pattern");
  options["alphas"] = config.patterns("alpha_pattern");
  return options;
}

const MethodCard card{
    .name = "loha",
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

REGISTER_METHOD(card, make_new<Loha>, from_peft);

}  // namespace afina
