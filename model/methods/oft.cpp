// OFT (Qiu et al., 2023; OFTv2, 2025): y = W R x + b, where R is block-diagonal and (nearly)
// orthogonal: by Cayley's transform of skew-symmetric matrices Q, R = (I - Q)(I + Q)⁻¹ transposed
// as x meets it from the left, or by the first terms of its series.
#include "model/methods/turning.h"

namespace afina {

namespace {

// Elements of Q (n, n) in the vector of its upper triangle, and their signs; the diagonal is zero.
struct Skew {
  Tensor places, signs;
  Skew(int64_t n, const Tensor& like) {
    std::vector<int32_t> from(size_t(n * n), 0);
    std::vector<float> sign(size_t(n * n), 0.f);
    int32_t next = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = i + 1; j < n; ++j, ++next) {
        from[size_t(i * n + j)] = from[size_t(j * n + i)] = next;
        sign[size_t(i * n + j)] = 1.f;
        sign[size_t(j * n + i)] = -1.f;
      }
    places = Tensor::from(from, {n * n}, like.device());
    signs = Tensor::from(sign, {n, n}, like.dtype(), like.device());
  }
};

struct OftAdapter : TurningAdapter {
  Parameter& r;  // (blocks, n (n - 1) / 2)
  OftAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t size, bool shared,
             bool series, int64_t terms)
      : r((scope / "oft_R")
              .added("weight", {shared ? 1 : layer.in() / size, size * (size - 1) / 2},
                     {Init::zeros}, {.vector = true, .decays = true})) {
    n = size;
    const auto skew = std::make_shared<Skew>(n, r.value);
    const Dtype dtype = layer.weight.value.computed();
    for (int64_t i = 0; i < r.shape[0]; ++i)
      blocks.push_back(
          &method.derived([this, i, skew, series, terms] { return block(i, *skew, series, terms); },
                          [dtype](const Tensor& of) { return in_dtype(of, dtype); }));
  }
  // Rᵀ of block i. PEFT turns rows of x as x R with R = I + 2Q + 2Q² + ... + Qᵏ, the series of
  // (I + Q)(I - Q)⁻¹ whose last term counts once, or with R = (I - Q)(I + Q)⁻¹ exactly.
  Tensor block(int64_t i, const Skew& skew, bool series, int64_t terms) const {
    const int64_t count = r.shape[1];
    Tensor row = columns(reshape(r.value, {1, r.shape.size()}), i * count, count);
    Tensor q = gather(row, skew.places, {n, n}) * skew.signs;
    // Qᵀ = -Q, so that Rᵀ is the same function of -Q.
    Tensor of = q * -1.;
    const Tensor one = identity_like(of, n);
    if (!series) return matmul(one - of, inverse_of_identity_plus(of));
    Tensor sum = one, power = of;
    for (int64_t k = 1; k < terms; ++k) {
      sum = sum + power * (k + 1 < terms ? 2. : 1.);
      if (k + 1 < terms) power = matmul(power, of);
    }
    return sum;
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return layer.plain(turned(x));
  }
  void merge(Tensor& weight, Tensor&) const override { weight = turned_weight(weight); }
};

struct Oft : TargetedMethod {
  int64_t block, terms;
  bool shared, exact;
  int64_t size_ = 0;  // of the first layer's blocks
  explicit Oft(MethodOptions& o)
      : TargetedMethod(o),
        block(o.integer("block", 32, 2, 4096)),
        terms(o.integer("terms", 5, 2, 64)),
        shared(o.flag("shared", false)),
        exact(o.flag("exact", false)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t size = nearest_divisor(layer.in(), block);
    require(size > 1, "method 'oft': '", layer.path, "' has ", layer.in(),
            " inputs, which no block near ", block, " divides; choose another block or other ",
            "targets");
    return std::make_unique<OftAdapter>(*this, layer, scope, size, shared, !exact, terms);
  }
  Json peft_config() const override {
    Json config = config_of("OFT");
    config["r"] = 0;
    config["oft_block_size"] = block;
    config["block_share"] = shared;
    config["use_cayley_neumann"] = !exact;
    config["num_cayley_neumann_terms"] = terms;
    config["coft"] = false;
    config["eps"] = 6e-5;
    config["module_dropout"] = 0.;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("module_dropout", 0., "afina drops no blocks of this method");
  config.only("coft", false, "afina does not project the blocks (constrained OFT)");
  config.only("r", 0, "name the size of the blocks instead (oft_block_size)");
  config.get_or<double>("eps", 6e-5);  // of constrained OFT alone
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["block"] = std::to_string(config.get_or<int64_t>("oft_block_size", 32));
  options["shared"] = config.flag_or("block_share", false);
  options["exact"] = config.get_or<bool>("use_cayley_neumann", true) ? "false" : "true";
  options["terms"] = std::to_string(config.get_or<int64_t>("num_cayley_neumann_terms", 5));
  return options;
}

const MethodCard card{
    .name = "oft",
    .label = "OFT",
    .paper =
        "Controlling Text-to-Image Diffusion by Orthogonal Finetuning (Qiu et al., 2023); "
        "Orthogonal Finetuning Made Scalable (Qiu et al., 2025)",
    .formula = "y = W R x + b, R: orthogonal blocks by Cayley's transform",
    .trains = "n (n - 1) / 2 angles of each block of n inputs of each target layer",
    .options =
        "block=32,exact=false,terms=5,shared=false,targets=all,exclude=: block: inputs that are "
        "turned together (the nearest divisor is taken); exact: Cayley's transform itself, not "
        "the first terms of its series; shared: one block for all of a layer; targets and exclude "
        "as for lora",
    .rate = 1e-3,
    .rate_because = "angles begin at zero and each moves two inputs by a small share",
    .peft_type = "OFT",
    .tries = {"oft:block=4", "oft:block=8,exact=true,shared=true,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Oft>, from_peft);

}  // namespace afina
