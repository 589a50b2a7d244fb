// DeLoRA (Bini et al., 2025): ΔW = B diag(λ / (r ‖A_i‖ ‖B_i‖)) A diag(‖W column‖). Directions are
// trained apart from the strength λ, which bounds how far the weight moves.
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct DeloraAdapter : Adapter {
  Parameter &a, &b, &lambda, &norms;
  Derived& strength;  // λ / (r ‖A_i‖ ‖B_i‖) (r)

  DeloraAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank, double begin)
      : a(scope.added("delora_A", {rank, layer.in()}, kaiming(layer.in()))),
        b(scope.added("delora_B", {layer.out(), rank}, {Init::zeros})),
        lambda(scope.added("delora_lambda", {1}, {Init::constant, float(begin)})),
        norms(scope.added("delora_w_norm", {layer.in()}, {Init::ones}, {.trained = false})),
        strength(method.derived([this] { return strengths(); })) {
    const Tensor weight = layer.weight.exact();
    const Tensor lengths = sqrt(column_sums(weight * weight));  // counted without bytes too
    if (holds_bytes(norms.value.device())) norms.assign(lengths.values().data());
  }
  // x (rows, n) -> (1, n).
  static Tensor column_sums(const Tensor& x) {
    const Tensor one = Tensor::from(std::vector<float>(size_t(x.rows()), 1.f), {1, x.rows()},
                                    x.dtype(), x.device());
    return matmul(one, x);
  }
  // Not below 1e-4: B begins at zero.
  static Tensor clamped(const Tensor& x) { return relu(x + -1e-4) + 1e-4; }
  Tensor strengths() const {
    const Dtype exact = lambda.value.dtype();
    const Tensor of_a = in_dtype(a.value, exact), of_b = in_dtype(b.value, exact);
    const int64_t rank = a.shape[0];
    const Tensor lengths_a = reshape(sqrt(sum_columns(of_a * of_a)), {rank}),
                 lengths_b = reshape(sqrt(column_sums(of_b * of_b) + 1e-30), {rank});
    const Tensor one =
        Tensor::from(std::vector<float>(size_t(rank), 1.f), {rank}, exact, lambda.value.device());
    return (one / (clamped(lengths_a) * clamped(lengths_b))) * (lambda.value * (1. / double(rank)));
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    Tensor low = linear(scale_columns(x, norms.value), a.value, Tensor());
    return layer.plain(x) + linear(scale_columns(low, strength()), b.value, Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override {
    weight = weight + matmul(b.exact() * strengths(), a.exact()) * norms.exact();
  }
};

struct Delora : TargetedMethod {
  int64_t rank;
  double lambda;
  explicit Delora(MethodOptions& o)
      : TargetedMethod(o, {{"ranks", 1, 65536, true}, {"lambdas", 1e-9, 1e9}}),
        rank(o.integer("rank", 8, 1, 65536)),
        lambda(o.number("lambda", 15., 1e-9, 1e9)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    return std::make_unique<DeloraAdapter>(*this, layer, scope,
                                           int64_t(targets_.number("ranks", layer, double(rank))),
                                           targets_.number("lambdas", layer, lambda));
  }
  Json peft_config() const override {
    Json config = config_of("DELORA");
    config["r"] = rank;
    config["delora_lambda"] = plain_number(lambda);
    config["rank_pattern"] = targets_.peft_numbers("ranks", double(rank));
    config["lambda_pattern"] = targets_.peft_numbers("lambdas", lambda);
    config["module_dropout"] = 0.;
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("module_dropout", 0., "afina drops no layers of this method");
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["lambda"] = config.number_or("delora_lambda", 15.);
  options["ranks"] = config.patterns("rank_pattern");
  options["lambdas"] = config.patterns("lambda_pattern");
  return options;
}

const MethodCard card{
    .name = "delora",
    .label = "DeLoRA",
    .paper = "DeLoRA: Decoupling Angles and Strength in Low-rank Adaptation (Bini et al., 2025)",
    .formula = "y = W x + b + B diag(lambda / (rank |A_i| |B_i|)) A diag(|W column|) x",
    .trains = "A (rank, in), B (out, rank) and lambda of each target layer",
    .options =
        "rank=8,lambda=15,targets=all,exclude=,ranks=,lambdas=: ranks and lambdas are "
        "exceptions (q_proj:16); targets and exclude as for lora",
    .rate = 1e-3,
    .rate_because = "B's length does not count, so that a rate above LoRA's does no harm",
    .peft_type = "DELORA",
    .tries = {"delora:rank=4", "delora:rank=2,lambda=3,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Delora>, from_peft);

}  // namespace afina
