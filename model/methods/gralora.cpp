// GraLoRA (Jung et al., 2025): the weight is cut into k x k blocks with a LoRA each: block (i, j)
// is B_i[part j] A_j[part i], with parts of rank / k. No ΔW is formed: k products with A, k with B.
// A hybrid has a LoRA of the whole weight beside the blocks.
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct GraloraAdapter : Adapter {
  Parameter &a, &b;                                      // (k, in/k, rank) and (k, rank, out/k)
  std::vector<Derived*> downs, ups;                      // their blocks as linear layers read them
  Parameter *general_a = nullptr, *general_b = nullptr;  // (hybrid, in) and (out, hybrid)
  int64_t k, rank;
  double scale;

  GraloraAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t k, int64_t rank,
                 int64_t hybrid, double alpha)
      : a(exact_matrix(scope, "gralora_A", {k, layer.in() / k, rank}, kaiming(layer.in() / k))),
        b(exact_matrix(scope, "gralora_B", {k, rank, layer.out() / k}, {Init::zeros})),
        k(k),
        rank(rank),
        scale(alpha / double(rank + hybrid)) {
    if (hybrid > 0) {
      general_a =
          &(scope / "gralora_A_general").added("weight", {hybrid, layer.in()}, kaiming(layer.in()));
      general_b =
          &(scope / "gralora_B_general").added("weight", {layer.out(), hybrid}, {Init::zeros});
    }
    const Dtype dtype = layer.weight.value.computed();
    auto read = [dtype](const Tensor& of) { return in_dtype(of, dtype); };
    for (int64_t i = 0; i < k; ++i) {
      downs.push_back(&method.derived([this, i] { return transposed(block(a, i)); }, read));
      ups.push_back(&method.derived([this, i] { return transposed(block(b, i)); }, read));
    }
  }
  // Matrix i of a stack of them.
  static Tensor block(const Parameter& of, int64_t i) {
    const int64_t rows = of.shape[1], count = rows * of.shape[2];
    return reshape(columns(reshape(of.value, {1, of.shape.size()}), i * count, count),
                   {rows, of.shape[2]});
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    const int64_t width = layer.in() / k, part = rank / k;
    std::vector<Tensor> low, high;
    for (int64_t j = 0; j < k; ++j)
      low.push_back(
          linear(recomputed_columns(x, j * width, width), (*downs[size_t(j)])(), Tensor()));
    for (int64_t i = 0; i < k; ++i) {
      std::vector<Tensor> mixed;
      for (int64_t j = 0; j < k; ++j) mixed.push_back(columns(low[size_t(j)], i * part, part));
      high.push_back(linear(concat_columns(mixed), (*ups[size_t(i)])(), Tensor()));
    }
    Tensor blocks = concat_columns(high);
    if (general_a)
      blocks = blocks + linear(linear(x, general_a->value, Tensor()), general_b->value, Tensor());
    return layer.plain(x) + blocks * scale;
  }
  void merge(Tensor& weight, Tensor&) const override {
    const int64_t part = rank / k;
    std::vector<Tensor> rows;  // of ΔWᵀ (in, out): the blocks of x's part j
    Tensor delta;
    for (int64_t j = 0; j < k; ++j) {
      std::vector<Tensor> blocks;
      for (int64_t i = 0; i < k; ++i) {
        Tensor up = block(b, i).viewed({k * part, b.shape[2]}).slice_rows(j * part, part);
        blocks.push_back(matmul(columns(block(a, j), i * part, part), up));
      }
      rows.push_back(transposed(concat_columns(blocks)));  // (out, in/k)
    }
    Tensor whole = concat_columns(rows);
    if (general_a) whole = whole + matmul(general_b->exact(), general_a->exact());
    weight = weight + whole * scale;
  }
};

struct Gralora : TargetedMethod {
  int64_t rank, k, hybrid;
  double alpha;
  explicit Gralora(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 32, 1, 65536)),
        k(o.integer("k", 2, 1, 64)),
        hybrid(o.integer("hybrid", 0, 0, 65536)),
        alpha(o.number("alpha", 64., 1e-9, 1e9)) {
    require(rank % k == 0, option_label("gralora", o.file(), "k"), "=", k,
            " does not divide the rank ", rank);
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    require(layer.in() % k == 0 && layer.out() % k == 0, "method 'gralora': k=", k,
            " does not divide '", layer.path, "' (", layer.out(), " x ", layer.in(),
            "); choose another k or other targets");
    return std::make_unique<GraloraAdapter>(*this, layer, scope, k, rank, hybrid, alpha);
  }
  Json peft_config() const override {
    Json config = config_of("GRALORA");
    config["r"] = rank;
    config["hybrid_r"] = hybrid;
    config["alpha"] = plain_number(alpha);
    config["gralora_k"] = k;
    config["gralora_dropout"] = 0.;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("gralora_dropout", 0., "afina drops nothing in front of this method's matrices");
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_weights", true);
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["hybrid"] = std::to_string(config.get_or<int64_t>("hybrid_r", 0));
  options["k"] = std::to_string(config.get_or<int64_t>("gralora_k", 2));
  options["alpha"] = config.number_or("alpha", 64.);
  return options;
}

const MethodCard card{
    .name = "gralora",
    .label = "GraLoRA",
    .paper =
        "GraLoRA: Granular Low-Rank Adaptation for Parameter-Efficient Fine-Tuning "
        "(Jung et al., 2025)",
    .formula = "y = W x + b + alpha/rank D x, block (i, j) of D: B_i[part j] A_j[part i]",
    .trains = "A (k, in/k, rank) and B (k, rank, out/k) of each target layer",
    .options =
        "rank=32,alpha=64,k=2,hybrid=0,targets=all,exclude=: k: blocks in each direction; hybrid: "
        "rank "
        "of a LoRA of the whole weight beside them; targets and exclude as for lora",
    .rate = 2e-4,
    .rate_because = "as LoRA, of which each block has one",
    .peft_type = "GRALORA",
    .tries = {"gralora:rank=4,alpha=4", "gralora:alpha=6,rank=4,k=4,hybrid=2,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Gralora>, from_peft);

}  // namespace afina
