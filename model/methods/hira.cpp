// HiRA (Huang et al., 2025): ΔW = W ⊙ (B A). Each weight is scaled by a number of its own out of a
// matrix of low rank, so that ΔW has a high rank.
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct HiraAdapter : WeightAdapter {
  const Parameter& weight;
  Parameter &a, &b;
  HiraAdapter(const Linear& layer, const Scope& scope, int64_t rank)
      : weight(layer.weight),
        a(exact_matrix(scope, "hira_A", {rank, layer.in()}, kaiming(layer.in()))),
        b(exact_matrix(scope, "hira_B", {layer.out(), rank}, {Init::zeros})) {}
  Tensor delta() const override { return matmul(b.value, a.value) * weight.exact(); }
};

struct Hira : TargetedMethod {
  int64_t rank;
  explicit Hira(MethodOptions& o) : TargetedMethod(o), rank(o.integer("rank", 32, 1, 65536)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    auto adapter = std::make_unique<HiraAdapter>(layer, scope, rank);
    adapter->derive(*this, layer);
    return adapter;
  }
  Json peft_config() const override {
    Json config = config_of("HIRA");
    config["r"] = rank;
    config["rank_pattern"] = Json::object();
    config["hira_dropout"] = 0.;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("hira_dropout", 0., "afina drops nothing in front of this method's matrices");
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_weights", true);
  config.find("rank_pattern");  // PEFT 0.21.2 never reads it: every layer has rank r
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  return options;
}

const MethodCard card{
    .name = "hira",
    .label = "HiRA",
    .paper = "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation (Huang et al., 2025)",
    .formula = "y = (W + W * (B A)) x + b",
    .trains = "A (rank, in) and B (out, rank) of each target layer",
    .options = "rank=32,targets=all,exclude=: as for lora",
    .rate = 1e-3,
    .rate_because =
        "what B A adds is multiplied by weights far below 1, so it stands above LoRA's rate",
    .peft_type = "HIRA",
    .tries = {"hira:rank=4", "hira:rank=2,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Hira>, from_peft);

}  // namespace afina
