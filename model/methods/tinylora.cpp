// TinyLoRA (2026): y = W x + b + B R A x, where A and B hold the largest singular vectors of W,
// each with the root of its singular value, and R is a sum of random matrices P_i, each times a
// number v_i. Only v is trained; groups of layers share one.
#include "model/methods/low_rank.h"
#include "model/methods/singular.h"
#include "model/methods/targeted.h"
#include "model/methods/torch_random.h"

namespace afina {

namespace {

struct TinyloraAdapter : Adapter {
  Parameter &a, &b, &p;          // (rank, in), (out, rank), (numbers, rank, rank); not trained
  const Parameter* v = nullptr;  // (numbers) of the layer's group, chosen when all layers are known
  double dropout;
  Derived& r;  // (rank, rank)
  TinyloraAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank,
                  int64_t numbers, double dropout, bool kept)
      : a(scope.added("tinylora_A", {rank, layer.in()}, {Init::zeros}, {.trained = false})),
        b(scope.added("tinylora_B", {layer.out(), rank}, {Init::zeros}, {.trained = false})),
        p(scope.added("tinylora_P", {numbers, rank, rank}, {Init::zeros},
                      {.trained = false, .vector = true, .aside = !kept})),
        dropout(dropout),
        r(method.derived([this] { return mixed(); },
                         [dtype = layer.weight.value.computed()](const Tensor& of) {
                           return in_dtype(of, dtype);
                         })) {}
  Tensor mixed() const {
    const int64_t numbers = p.shape[0], rank = p.shape[1];
    return reshape(matmul(reshape(v->value, {1, numbers}), p.value.viewed({numbers, rank * rank})),
                   {rank, rank});
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    const Tensor low = linear(dropped(x, dropout, layer, inputs), a.value, Tensor());
    return layer.plain(x) + linear(linear(low, r(), Tensor()), b.value, Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override {
    weight = weight + matmul(matmul(b.exact(), mixed()), a.exact());
  }
};

// As Python rounds: halves to the even neighbour.
int64_t rounded(double x) { return int64_t(std::nearbyint(x)); }

struct Tinylora : TargetedMethod {
  int64_t rank, numbers, seed;
  double tying, dropout, bound;
  bool kept;                               // are the random matrices in files?
  std::vector<TinyloraAdapter*> adapters;  // while the model is built
  explicit Tinylora(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 2, 1, 65536)),
        numbers(o.integer("numbers", 64, 1, 65536)),
        seed(o.integer("seed", 42, 0, int64_t(1) << 53)),
        tying(o.number("tying", 0., 0., 1.)),
        dropout(o.number("dropout", 0., 0., 0.99)),
        bound(o.number("bound", 0., 0., 1e3)),
        kept(o.flag("stored", true)) {}
  bool decomposes() const override { return true; }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t own = std::min({rank, layer.in(), layer.out()});
    auto adapter =
        std::make_unique<TinyloraAdapter>(*this, layer, scope, own, numbers, dropout, kept);
    if (holds_bytes(layer.weight.value.device())) begin(layer, *adapter, own);
    adapters.push_back(adapter.get());
    return adapter;
  }
  void begin(const Linear& layer, TinyloraAdapter& adapter, int64_t own) const {
    Svd of = singular_vectors(layer, {0, own});
    for (int64_t i = 0; i < own; ++i) {
      const double root = std::sqrt(of.s[size_t(i)]);
      for (int64_t j = 0; j < layer.in(); ++j) of.vt[size_t(i * layer.in() + j)] *= root;
      for (int64_t j = 0; j < layer.out(); ++j) of.u[size_t(j * own + i)] *= root;
    }
    adapter.a.assign(in_f32(of.vt).data());
    adapter.b.assign(in_f32(of.u).data());
    TorchRandom random(uint64_t(seed) + adapters.size());
    adapter.p.assign(
        random.normal(adapter.p.shape.size(), float(1. / std::sqrt(double(own)))).data());
  }
  void built(const Scope& model) override {
    TargetedMethod::built(model);
    const int64_t layers = int64_t(adapters.size()),
                  groups = std::max<int64_t>(1, rounded(double(layers) * (1. - tying))),
                  size = std::max<int64_t>(1, layers / groups);
    for (int64_t i = 0; i < layers; ++i)
      adapters[size_t(i)]->v = &model.added(
          "tinylora_v." + std::to_string(std::min(i / size, groups - 1)), {numbers},
          bound > 0. ? Init{Init::uniform, float(bound)} : Init{Init::zeros}, {.shared = true});
    adapters.clear();
  }
  bool starts_as_pretrained() const override { return bound == 0.; }
  Json peft_config() const override {
    Json config = config_of("TINYLORA");
    config["r"] = rank;
    config["u"] = numbers;
    config["weight_tying"] = tying;
    config["projection_seed"] = seed;
    config["save_projection"] = kept;
    config["tinylora_dropout"] = dropout;
    config["init_v_bound"] = bound > 0. ? bound : 0.02;
    config["init_weights"] = bound > 0. ? Json("uniform") : Json(true);
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("bias", "none", "afina reads adapters that leave biases alone (bias 'none')");
  config.get_or<bool>("fan_in_fan_out", false);
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["numbers"] = std::to_string(config.get_or<int64_t>("u", 64));
  options["seed"] = std::to_string(config.get_or<int64_t>("projection_seed", 42));
  options["tying"] = config.number_or("weight_tying", 0.);
  options["dropout"] = config.number_or("tinylora_dropout", 0.);
  options["stored"] = config.flag_or("save_projection", true);
  const std::string bound = config.number_or("init_v_bound", 0.02);
  const Json* begin = config.find("init_weights");
  options["bound"] = begin && *begin == "uniform" ? bound : "0";
  return options;
}

const MethodCard card{
    .name = "tinylora",
    .label = "TinyLoRA",
    .paper = "Learning to Reason in 13 Parameters (2026)",
    .formula = "y = W x + b + B (sum_i v_i P_i) A x, A and B: largest singular vectors of W",
    .trains = "v (numbers) of each group of target layers; P_i (rank, rank) are random",
    .options =
        "rank=2,numbers=64,tying=0,bound=0,seed=42,dropout=0,stored=true,targets=all,exclude=: "
        "tying: 0 for a v of each layer, 1 for one of all; bound: v begins uniform within it (0: "
        "at "
        "zero); seed: of P, as PEFT draws it; stored: P is in the adapter's file; targets and "
        "exclude as for lora",
    .rate = 5e-3,
    .rate_because = "few numbers, each of which moves a whole weight along its largest directions",
    .peft_type = "TINYLORA",
    .tries = {"tinylora:numbers=5",
              "tinylora:rank=3,numbers=4,tying=0.6,bound=0.05,stored=false,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Tinylora>, from_peft);

}  // namespace afina
