// HRA (Yuan et al., 2024): y = W H x + b with H = (I - 2 u1 u1ᵀ) ... (I - 2 ur urᵀ), a chain of r
// Householder reflections. The chain is I - U T Uᵀ with a triangular T (r, r) (Schreiber and Van
// Loan, 1989), so that it costs two thin products, as LoRA does.
#include "engine/ops/inverse.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct HraAdapter : Adapter {
  Parameter& u;  // (in, r)
  int64_t rank;
  Derived &down, &up;  // Uᵀ (r, in) with unit rows, and U T (in, r)

  HraAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank)
      : u(exact_matrix(scope, "hra_u", {layer.in(), rank},
                       kaiming(std::max<int64_t>(rank / 2, 1)))),
        rank(rank),
        down(method.derived([this] { return units(); }, in(layer))),
        up(method.derived([this] { return matmul(units(), triangle(), true, false); }, in(layer))) {
    begin();
  }
  static std::function<Tensor(const Tensor&)> in(const Linear& layer) {
    return
        [dtype = layer.weight.value.computed()](const Tensor& of) { return in_dtype(of, dtype); };
  }
  // Columns begin in equal pairs, whose reflections undo each other.
  void begin() {
    if (!holds_bytes(u.value.device())) return;
    std::vector<float> values = u.exact().values();
    for (int64_t i = 0; i < u.shape[0]; ++i)
      for (int64_t k = 0; k + 1 < rank; k += 2)
        values[size_t(i * rank + k + 1)] = values[size_t(i * rank + k)];
    u.assign(values.data());
  }
  Tensor units() const {
    Tensor rows = transposed(u.value);
    return rows / sqrt(sum_columns(rows * rows));
  }
  // T = 2 (I + 2 N)⁻¹, N the strict upper triangle of UᵀU; N is nilpotent, so the series ends.
  Tensor triangle() const {
    const Tensor rows = units(), one = identity_like(rows, rank);
    std::vector<float> upper(size_t(rank * rank), 0.f);
    for (int64_t i = 0; i < rank; ++i)
      for (int64_t j = i + 1; j < rank; ++j) upper[size_t(i * rank + j)] = -2.f;
    const Tensor mask = Tensor::from(upper, {rank, rank}, rows.dtype(), rows.device());
    Tensor n = matmul(rows, rows, false, true) * mask, sum = one;
    for (int64_t k = 1; k < rank; ++k) sum = one + matmul(n, sum);
    return sum * 2.;
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return layer.plain(x - linear(linear(x, down(), Tensor()), up(), Tensor()));
  }
  void merge(Tensor& weight, Tensor&) const override {
    const Tensor rows = units(), turn = matmul(rows, triangle(), true, false);
    weight = weight - matmul(matmul(weight, turn), rows);
  }
};

struct Hra : TargetedMethod {
  int64_t rank;
  explicit Hra(MethodOptions& o) : TargetedMethod(o), rank(o.integer("rank", 8, 1, 1024)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    return std::make_unique<HraAdapter>(*this, layer, scope, rank);
  }
  bool starts_as_pretrained() const override { return false; }
  Json peft_config() const override {
    Json config = config_of("HRA");
    config["r"] = rank;
    config["apply_GS"] = false;
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("apply_GS", false, "afina does not make the directions orthogonal (Gram-Schmidt)");
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  return options;
}

const MethodCard card{
    .name = "hra",
    .label = "HRA",
    .paper =
        "Bridging The Gap between Low-rank and Orthogonal Adaptation via Householder Reflection "
        "Adaptation (Yuan et al., 2024)",
    .formula = "y = W (I - 2 u1 u1^T) ... (I - 2 ur ur^T) x + b",
    .trains = "u1 ... ur (in) of each target layer",
    .options =
        "rank=8,targets=all,exclude=: an even rank begins as the pretrained model, but for "
        "rounding; targets and exclude as for lora",
    .rate = 1e-3,
    .rate_because = "only directions count, so that a step's size is relative to their lengths",
    .peft_type = "HRA",
    .tries = {"hra:rank=4", "hra:rank=3,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Hra>, from_peft);

}  // namespace afina
