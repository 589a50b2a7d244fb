// BOFT (Liu et al., 2024) with one butterfly factor: y = s ⊙ (W R x) + b, where R has orthogonal
// blocks R = (I - S)(I + S)⁻¹ of S = (P - Pᵀ) / 2 with P unconstrained.
#include "model/methods/turning.h"

namespace afina {

namespace {

struct BoftAdapter : TurningAdapter {
  Parameter &r, &s;  // (1, blocks, n, n) and (out, 1)
  BoftAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t size)
      : r(exact_matrix(scope, "boft_R", {1, layer.in() / size, size, size}, {Init::zeros})),
        s(scope.added("boft_s", {layer.out(), 1}, {Init::ones}, {.vector = true})) {
    n = size;
    const Dtype dtype = layer.weight.value.computed();
    for (int64_t i = 0; i < r.shape[1]; ++i)
      blocks.push_back(&method.derived([this, i] { return block(i); },
                                       [dtype](const Tensor& of) { return in_dtype(of, dtype); }));
  }
  // Rᵀ of block i: the same function of Sᵀ = -S.
  Tensor block(int64_t i) const {
    Tensor p = reshape(columns(reshape(r.value, {1, r.shape.size()}), i * n * n, n * n), {n, n});
    Tensor of = (transposed(p) - p) * 0.5;
    return matmul(identity_like(of, n) - of, inverse_of_identity_plus(of));
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return scale_columns(layer.product(turned(x)), s.value, {}, layer.bias_value());
  }
  void merge(Tensor& weight, Tensor&) const override { weight = turned_weight(weight) * s.exact(); }
};

struct Boft : TargetedMethod {
  int64_t block;
  explicit Boft(MethodOptions& o) : TargetedMethod(o), block(o.integer("block", 4, 2, 4096)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    require(layer.in() % block == 0, "method 'boft': block=", block, " does not divide the ",
            layer.in(), " inputs of '", layer.path, "'; choose another block or other targets");
    return std::make_unique<BoftAdapter>(*this, layer, scope, block);
  }
  Json peft_config() const override {
    Json config = config_of("BOFT");
    config["boft_block_size"] = block;
    config["boft_block_num"] = 0;
    config["boft_n_butterfly_factor"] = 1;
    config["boft_dropout"] = 0.;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("boft_dropout", 0., "afina drops no blocks of this method");
  config.only("boft_n_butterfly_factor", 1, "afina computes one butterfly factor");
  config.only("boft_block_num", 0, "name the size of the blocks instead (boft_block_size)");
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["block"] = std::to_string(config.get_or<int64_t>("boft_block_size", 4));
  return options;
}

const MethodCard card{
    .name = "boft",
    .label = "BOFT",
    .paper =
        "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization (Liu et al., 2024)",
    .formula = "y = s * (W R x) + b, R: orthogonal blocks by Cayley's transform",
    .trains = "a matrix (n, n) for each block of n inputs, and s (out), of each target layer",
    .options =
        "block=4,targets=all,exclude=: block: inputs that are turned together; targets and "
        "exclude as for lora",
    .rate = 1e-3,
    .rate_because = "as OFT, whose blocks it has",
    .peft_type = "BOFT",
    .tries = {"boft", "boft:block=8,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Boft>, from_peft);

}  // namespace afina
