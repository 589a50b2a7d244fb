// VeRA (Kopiczko et al., 2024): y = W x + b + diag(λb) B diag(λd) A x. A (rank, in) and B (out,
// rank) are random, never trained, and the same for all layers, cut to each one's size; the vectors
// λd (rank) and λb (out) are trained.
#include <algorithm>
#include <cmath>

#include "engine/saved.h"
#include "model/methods/low_rank.h"
#include "model/methods/torch_random.h"

namespace afina {

namespace {

// The matrices of the whole model, as wide and as high as its largest target asks for; made when
// all targets are known.
struct Shared {
  Parameter *a = nullptr, *b = nullptr;
  int64_t in = 0, out = 0;
};

struct VeraAdapter : Adapter {
  const Shared& shared;
  Parameter &d, &b;
  int64_t in, out;
  double dropout;
  VeraAdapter(const Linear& layer, const Scope& scope, const Shared& shared, int64_t rank,
              double begin, double dropout)
      : shared(shared),
        d(scope.added("vera_lambda_d", {rank}, {Init::constant, float(begin)})),
        b(scope.added("vera_lambda_b", {layer.out()}, {Init::zeros})),
        in(layer.in()),
        out(layer.out()),
        dropout(dropout) {}

  // A's first columns and B's first rows, of the values that compute or of the exact ones.
  Tensor a_of(const Tensor& a) const { return in == a.columns() ? a : columns(a, 0, in); }
  Tensor b_of(const Tensor& b) const { return b.slice_rows(0, out); }

  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    Tensor low = linear(dropped(x, dropout, layer, inputs), a_of(shared.a->value), Tensor());
    // As wide as the output, and needed for the gradient of λb alone: made again of the narrow one.
    auto wide = [this](const Tensor& low) {
      return linear(scale_columns(low, d.value), b_of(shared.b->value), Tensor());
    };
    Tensor high = recomputed(low, wide(low), wide);
    return layer.plain(x) + scale_columns(high, b.value);
  }
  void merge(Tensor& weight, Tensor&) const override {
    weight = weight + matmul(b_of(shared.b->exact()) * d.exact(), a_of(shared.a->exact())) *
                          reshape(b.exact(), {out, 1});
  }
};

struct Vera : Method {
  int64_t rank;
  double begin_d, dropout;
  int64_t key;  // of PEFT's generator: has an effect where `kept` is false
  bool kept;    // are the matrices in the adapter's file? If not, they are PEFT's numbers
  Targets targets;
  Shared shared;

  explicit Vera(MethodOptions& o)
      : rank(o.integer("rank", 256, 1, 65536)),
        begin_d(o.number("d_initial", 0.1, -1e3, 1e3)),
        dropout(o.number("dropout", 0., 0., 0.99)),
        key(o.integer("projection_key", 0, 0, int64_t(1) << 53)),
        kept(o.flag("stored", true)),
        targets(o) {}

  void passes_over(const Linear& layer) override { targets.pass_over(layer); }
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    if (!targets.matches(layer)) return nullptr;
    shared.in = std::max(shared.in, layer.in());
    shared.out = std::max(shared.out, layer.out());
    return std::make_unique<VeraAdapter>(layer, scope, shared, rank, begin_d, dropout);
  }
  // Uniform with the bounds of PEFT (Kaiming). Our own numbers where an adapter's file brings its
  // matrices along, else those that PEFT draws: A, then B, row after row.
  void built(const Scope& model) override {
    targets.check();
    const Role role{.trained = false, .shared = true, .aside = !kept};
    auto bound = [](int64_t n) { return std::sqrt(6.f / float(n)); };
    shared.a = &model.added("vera_A", {rank, shared.in}, {Init::uniform, bound(shared.in)}, role);
    shared.b = &model.added("vera_B", {shared.out, rank}, {Init::uniform, bound(rank)}, role);
    if (kept || !holds_bytes(shared.a->value.device())) return;
    TorchRandom random{uint64_t(key)};
    for (Parameter* p : {shared.a, shared.b}) {
      // The root of 3, times that of 2 over the root of the width, in PEFT's order.
      const float most = float(std::sqrt(3.) * (std::sqrt(2.) / std::sqrt(double(p->shape[1]))));
      p->assign(random.uniform(p->shape.size(), -most, most).data());
    }
  }
  Stored stored() const override { return Stored::adapter; }
  Json peft_config() const override {
    Json config = peft_common("VERA");
    config["r"] = rank;
    config["d_initial"] = begin_d;
    config["vera_dropout"] = dropout;
    config["target_modules"] = targets.peft_targets();
    config["projection_prng_key"] = key;
    config["save_projection"] = kept;
    config["bias"] = "none";
    config["fan_in_fan_out"] = targets.any_transposed();
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_weights", true);
  return {{"rank", std::to_string(config.get<int64_t>("r"))},
          {"d_initial", config.number_or("d_initial", 0.1)},
          {"dropout", config.number_or("vera_dropout", 0.)},
          {"projection_key", std::to_string(config.get_or<int64_t>("projection_prng_key", 0))},
          {"stored", config.flag_or("save_projection", true)},
          {"targets", config.targets()},
          {"exclude", config.exclude()}};
}

const MethodCard card{
    .name = "vera",
    .label = "VeRA",
    .paper = "VeRA: Vector-based Random Matrix Adaptation (Kopiczko et al., 2024)",
    .formula = "y = W x + b + diag(b') B diag(d) A x",
    .trains = "d (rank) and b' (out) of each target layer; A and B are random and shared",
    .options =
        "rank=256,d_initial=0.1,dropout=0,projection_key=0,stored=true,targets=all,exclude=: "
        "stored: A and B are in the adapter's file; if not, they are drawn from the key as PEFT "
        "does; targets and exclude as for lora",
    .rate = 4e-3,
    .rate_because = "only vectors are trained: the paper goes about ten times above LoRA",
    .peft_type = "VERA",
    .tries = {"vera:rank=8", "vera:rank=5,dropout=0.25,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Vera>, from_peft);

}  // namespace afina
