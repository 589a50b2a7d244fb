// GLoRA (Chavan et al., 2023): W and b are both scaled and shifted: W' = W + W ⊙ A + B and
// b' = b + b ⊙ D + E + W C, where each of A to E is a low-rank matrix, a vector or a number.
#include "model/methods/targeted.h"

namespace afina {

namespace {

// One of A to E; what a layer does not use is stored as zeros, as PEFT does.
struct Path {
  Parameter *x = nullptr, *down = nullptr, *up = nullptr;
  // kind: lora (rows, rank)(rank, columns), vector (rows, 1) or, where there is one column that is
  // no matrix, (rows), constant (1), or none.
  static Path made(const Scope& scope, const std::string& kind, int64_t rank, const Shape& shape,
                   const Shape& vector) {
    Path path;
    const Init zero{Init::zeros};
    if (kind == "lora") {
      path.down = &exact_matrix(scope, "Xd", {shape[0], rank}, zero);
      path.up = &exact_matrix(scope, "Xu", {rank, shape[1]}, kaiming(shape[1]));
    } else if (kind == "none") {
      path.x = &scope.added("zeros", vector, zero, {.trained = false, .vector = true});
    } else {
      path.x = &scope.added("X", kind == "constant" ? Shape{1} : vector, zero, {.vector = true});
    }
    return path;
  }
  Tensor operator()() const { return x ? x->value : matmul(down->value, up->value); }
};

struct GloraAdapter : Adapter {
  const Linear& layer;
  Path a, b, c, d, e;
  Derived *weight_ = nullptr, *bias_ = nullptr;
  GloraAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank,
               const std::string& of_a_b, const std::string& of_c, const std::string& of_d_e)
      : layer(layer) {
    const Shape whole{layer.out(), layer.in()}, rows{layer.out(), 1}, out{layer.out()},
        column{layer.in(), 1};
    const std::string none = "none";
    a = Path::made(scope / "glora_A", of_a_b, rank, whole, rows);
    b = Path::made(scope / "glora_B", of_a_b, rank, whole, rows);
    c = Path::made(scope / "glora_C", layer.bias ? of_c : none, rank, column, column);
    d = Path::made(scope / "glora_D", layer.bias ? of_d_e : none, rank, out, out);
    e = Path::made(scope / "glora_E", layer.bias ? of_d_e : none, rank, out, out);
    const Dtype dtype = layer.weight.value.computed();
    weight_ = &method.derived([this] { return delta(this->layer.weight.exact()); },
                              [this, dtype](const Tensor& of) {
                                return in_dtype(of + this->layer.weight.exact(), dtype);
                              });
    if (layer.bias)
      bias_ = &method.derived(
          [this] { return bias_delta(this->layer.weight.exact(), this->layer.bias->exact()); },
          [this](const Tensor& of) { return of + this->layer.bias->exact(); });
  }
  Tensor delta(const Tensor& weight) const { return weight * a() + b(); }
  Tensor bias_delta(const Tensor& weight, const Tensor& bias) const {
    return reshape(matmul(weight, c()), {weight.rows()}) + bias * d() + e();
  }
  Tensor forward(const Tensor& x, const Linear&, const Inputs&) const override {
    return linear(x, (*weight_)(), bias_ ? (*bias_)() : Tensor());
  }
  void merge(Tensor& weight, Tensor& bias) const override {
    if (bias) bias = bias + bias_delta(weight, bias);
    weight = weight + delta(weight);
  }
};

void check_kind(const MethodOptions& o, const char* key, const std::string& kind,
                std::initializer_list<const char*> known) {
  std::string all;
  for (const char* one : known) {
    if (kind == one) return;
    all += (all.empty() ? "" : ", ") + std::string(one);
  }
  fail(option_label("glora", o.file(), key), "=", kind, " where one of these is expected: ", all);
}

struct Glora : TargetedMethod {
  int64_t rank;
  std::string weight, of_weight, bias;
  explicit Glora(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 8, 1, 65536)),
        weight(o.text("weight", "lora")),
        of_weight(o.text("through", "lora")),
        bias(o.text("bias", "constant")) {
    check_kind(o, "weight", weight, {"lora", "vector", "constant"});
    check_kind(o, "through", of_weight, {"lora", "vector", "none"});
    check_kind(o, "bias", bias, {"constant", "vector", "none"});
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    return std::make_unique<GloraAdapter>(*this, layer, scope, rank, weight, of_weight, bias);
  }
  Json peft_config() const override {
    Json config = config_of("GLORA");
    config["r"] = rank;
    config["config_A_B"] = weight;
    config["config_C"] = of_weight;
    config["config_D_E"] = bias;
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("bias", "none", "afina reads adapters that leave biases alone (bias 'none')");
  config.find("init_weights");
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["weight"] = config.get_or<std::string>("config_A_B", "lora");
  options["through"] = config.get_or<std::string>("config_C", "lora");
  options["bias"] = config.get_or<std::string>("config_D_E", "constant");
  return options;
}

const MethodCard card{
    .name = "glora",
    .label = "GLoRA",
    .paper =
        "One-for-All: Generalized LoRA for Parameter-Efficient Fine-tuning "
        "(Chavan et al., 2023)",
    .formula = "y = (W + W * A + B) x + b + b * D + E + W C",
    .trains =
        "A and B of each target layer, and C, D and E of those with a bias: matrices of this rank, "
        "vectors or numbers",
    .options =
        "rank=8,weight=lora,through=lora,bias=constant,targets=all,exclude=: weight: A and B are "
        "lora, vector or constant; through: C is lora, vector or none; bias: D and E are constant, "
        "vector or none; targets and exclude as for lora",
    .rate = 2e-4,
    .rate_because = "as LoRA, which B is; A scales the weight itself",
    .peft_type = "GLORA",
    .tries = {"glora:rank=3", "glora:weight=vector,through=vector,bias=vector,targets=*.mlp.*",
              "glora:weight=constant,through=none,bias=none,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Glora>, from_peft);

}  // namespace afina
