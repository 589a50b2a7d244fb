// RandLoRA (Albert et al., 2025): a full-rank change as a sum of random low-rank ones. The random
// matrices are the same for all layers; each layer trains two scales of each rank.
#include "model/methods/low_rank.h"
#include "model/methods/targeted.h"
#include "model/methods/torch_random.h"

namespace afina {

namespace {

// The random matrices of the whole model, cut to each layer's size.
struct Shared {
  Parameter *a = nullptr, *b = nullptr;  // (rank, 1, smaller), (larger, bases, rank)
  int64_t in = 0, out = 0;               // the largest of the targets
  // The first columns of B by their number, for layers that need fewer than all: within a step they
  // are cut once for all layers of a size, which would each hold a copy until the backward pass.
  std::map<int64_t, Tensor> cut{};

  // B's column i * rank + k, as PEFT has it, of the first columns: (larger, count).
  Tensor first_columns(const Tensor& b, int64_t count) const {
    const int64_t all = b.size() / b.shape()[0];
    const Tensor whole = b.viewed({b.shape()[0], all});
    return count == all ? whole : columns(whole, 0, count);
  }
  void begin_step() {
    Unrecorded plain;
    PurposeScope purpose(Purpose::activations);
    for (auto& [count, of] : cut) of = first_columns(b->value, count);
  }
  void end_step() {
    for (auto& [count, of] : cut) of = Tensor();
  }
};

struct RandloraAdapter : Adapter {
  const Shared& shared;
  int64_t rank, smaller, larger, bases;
  bool by_input;  // is the smaller side the input?
  double scale, dropout;
  Parameter &lambda, &gamma;      // (rank, bases), (bases, smaller)
  Tensor of_a, of_gamma, turned;  // which rows make row k * bases + i; the transpose's places
  Derived& scaled;                // the scaled A as a linear layer reads it

  RandloraAdapter(Method& method, const Linear& layer, const Scope& scope, const Shared& shared,
                  int64_t rank, double scale, double dropout)
      : shared(shared),
        rank(rank),
        smaller(std::min(layer.in(), layer.out())),
        larger(std::max(layer.in(), layer.out())),
        bases((smaller + rank - 1) / rank),
        by_input(smaller == layer.in()),
        scale(scale),
        dropout(dropout),
        lambda(exact_matrix(scope, "randlora_lambda", {rank, bases}, {Init::zeros})),
        gamma(exact_matrix(scope, "randlora_gamma", {bases, smaller},
                           {Init::constant, 1.f / float(std::max(bases, smaller))})),
        scaled(method.derived([this] { return scaled_a(); },
                              [dtype = layer.weight.value.computed()](const Tensor& of) {
                                return in_dtype(of, dtype);
                              })) {
    const int64_t rows = rank * bases;
    std::vector<int32_t> k, i, places;
    for (int64_t row = 0; row < rows; ++row) {
      k.push_back(int32_t(row / bases));
      i.push_back(int32_t(row % bases));
    }
    const Device device = layer.weight.value.device();
    of_a = Tensor::from(k, {rows}, device);
    of_gamma = Tensor::from(i, {rows}, device);
    if (by_input) return;
    for (int64_t column = 0; column < smaller; ++column)
      for (int64_t row = 0; row < rows; ++row) places.push_back(int32_t(row * smaller + column));
    turned = Tensor::from(places, {rows * smaller}, device);
  }
  // Row k * bases + i of scale λ[k, i] A[k] ⊙ γ[i]: (rank * bases, smaller), or its transpose where
  // the smaller side is the output.
  Tensor scaled_a() const {
    const Tensor& a = shared.a->value;
    const Tensor whole = columns(reshape(a, {rank, a.columns()}), 0, smaller);
    const Tensor product = embedding(whole, of_a) * embedding(gamma.value, of_gamma) *
                           reshape(lambda.value * scale, {rank * bases, 1});
    return turned ? gather(product, turned, {smaller, rank * bases}) : product;
  }
  // B (larger, bases * rank), of the values that compute or of the exact ones.
  Tensor flat_b(const Tensor& b, bool exact) const {
    const Tensor& held = shared.cut.at(bases * rank);
    const Tensor of = held && !exact ? held : shared.first_columns(b, bases * rank);
    return of.rows() > larger ? of.slice_rows(0, larger) : of;
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    const Tensor from = dropped(x, dropout, layer, inputs), b = flat_b(shared.b->value, false);
    if (by_input) return layer.plain(x) + linear(linear(from, scaled(), Tensor()), b, Tensor());
    const Tensor low = matmul(reshape(from, {x.rows(), larger}), b);
    return layer.plain(x) +
           linear(reshape(low, with_columns(x.shape(), rank * bases)), scaled(), Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override {
    const Tensor b = flat_b(shared.b->exact(), true);
    weight = weight + (by_input ? matmul(b, scaled_a()) : matmul(scaled_a(), b, false, true));
  }
};

struct Randlora : TargetedMethod {
  int64_t rank, key;
  double alpha, dropout;
  std::string kind;  // of the random numbers: uniform, sparse or very_sparse
  bool kept;         // are the random matrices in files?
  Shared shared;
  explicit Randlora(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 32, 1, 65536)),
        key(o.integer("projection_key", 0, 0, int64_t(1) << 53)),
        alpha(o.number("alpha", 640., 1e-9, 1e9)),
        dropout(o.number("dropout", 0., 0., 0.99)),
        kind(o.text("projection", "uniform")),
        kept(o.flag("stored", true)) {
    require(kind == "uniform" || kind == "sparse" || kind == "very_sparse",
            option_label("randlora", o.file(), "projection"), "=", kind,
            " where uniform, sparse or very_sparse is expected");
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    shared.in = std::max(shared.in, layer.in());
    shared.out = std::max(shared.out, layer.out());
    const int64_t smaller = std::min(layer.in(), layer.out());
    shared.cut[(smaller + rank - 1) / rank * rank];
    return std::make_unique<RandloraAdapter>(*this, layer, scope, shared, rank,
                                             alpha / double(rank), dropout);
  }
  void built(const Scope& model) override {
    TargetedMethod::built(model);
    const int64_t smaller = std::min(shared.in, shared.out),
                  larger = std::max(shared.in, shared.out), bases = (smaller + rank - 1) / rank;
    const Init none{Init::zeros};
    shared.a = &model.added("randlora_A", {rank, 1, smaller}, none,
                            {.trained = false, .shared = true, .vector = true, .aside = !kept});
    shared.b = &model.added("randlora_B", {larger, bases, rank}, none,
                            {.trained = false, .shared = true, .aside = !kept});
    if (holds_bytes(shared.a->value.device())) draw(smaller, larger, bases);
  }
  void begin_step() override {
    TargetedMethod::begin_step();
    shared.begin_step();
  }
  void complete_gradients() override {
    shared.end_step();
    TargetedMethod::complete_gradients();
  }
  void abandon_step() override {
    shared.end_step();
    TargetedMethod::abandon_step();
  }
  // A and B as PEFT draws them: by Kaiming's bounds in bf16, or signs of which most are zero; each
  // over its standard deviation.
  void draw(int64_t smaller, int64_t larger, int64_t bases) {
    TorchRandom random{uint64_t(key)};
    std::vector<float> a, b(size_t(larger * bases * rank));
    if (kind == "uniform") {
      auto bounded = [&](int64_t count, int64_t fan) {
        const float bound = float(1. / std::sqrt(double(fan)));
        return random.uniform_bf16(count, -bound, bound);
      };
      a = bounded(rank * smaller, smaller);
      for (int64_t i = 0; i < bases; ++i) {
        const std::vector<float> of = bounded(larger * rank, rank);
        for (int64_t m = 0; m < larger; ++m)
          std::copy_n(of.begin() + m * rank, rank, b.begin() + (m * bases + i) * rank);
      }
    } else {
      const double sparsity = kind == "sparse" ? 3. : std::sqrt(double(smaller)),
                   edge = 1. / (2. * sparsity);
      auto signs = [&](int64_t count) {
        std::vector<float> all = random.uniform(count, 0.f, 1.f);
        for (float& u : all) u = u < float(edge) ? -1.f : u > float(1. - edge) ? 1.f : 0.f;
        return all;
      };
      a = signs(rank * smaller);
      b = signs(larger * bases * rank);
    }
    over_deviation(a);
    over_deviation(b);
    shared.a->assign(a.data());
    shared.b->assign(b.data());
  }
  void over_deviation(std::vector<float>& values) const {
    double sum = 0., squares = 0.;
    for (float value : values) sum += double(value);
    const double count = double(values.size()), mean = sum / count;
    for (float value : values) squares += (double(value) - mean) * (double(value) - mean);
    const double deviation = std::sqrt(squares / std::max(1., count - 1.));
    const bool rounded = kind == "uniform";
    const float by = rounded ? to_float(to_bf16(float(deviation))) : float(deviation);
    for (float& value : values) {
      value /= by;
      if (rounded) value = to_float(to_bf16(value));
    }
  }
  // PEFT writes the shared matrices once more for every layer.
  std::string repeated_by(const std::string& name) const override {
    for (const char* which : {"randlora_A", "randlora_B"})
      if (name.ends_with(std::string(".") + which) && name != std::string("base_model.") + which)
        return std::string("base_model.") + which;
    return {};
  }
  Json peft_config() const override {
    Json config = config_of("RANDLORA");
    config["r"] = rank;
    config["randlora_alpha"] = plain_number(alpha);
    config["randlora_dropout"] = dropout;
    config["projection_prng_key"] = key;
    config["save_projection"] = kept;
    config["sparse"] = kind == "sparse";
    config["very_sparse"] = kind == "very_sparse";
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("bias", "none", "afina reads adapters that leave biases alone (bias 'none')");
  config.get_or<bool>("fan_in_fan_out", false);
  config.find("init_weights");
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["alpha"] = config.number_or("randlora_alpha", 640.);
  options["dropout"] = config.number_or("randlora_dropout", 0.);
  options["projection_key"] = std::to_string(config.get_or<int64_t>("projection_prng_key", 0));
  options["stored"] = config.flag_or("save_projection", true);
  const bool sparse = config.get_or<bool>("sparse", false);
  options["projection"] = config.get_or<bool>("very_sparse", false) ? "very_sparse"
                          : sparse                                  ? "sparse"
                                                                    : "uniform";
  return options;
}

const MethodCard card{
    .name = "randlora",
    .label = "RandLoRA",
    .paper =
        "RandLoRA: Full-Rank Parameter-Efficient Fine-Tuning of Large Models "
        "(Albert et al., 2025)",
    .formula = "y = W x + b + alpha/rank sum_i B_i diag(l_i) A diag(g_i) x",
    .trains =
        "l (rank, n) and g (n, smaller side) of each target layer, n: smaller side / rank; A and B "
        "are random and shared",
    .options =
        "rank=32,alpha=640,dropout=0,projection=uniform,projection_key=0,stored=true,targets=all,"
        "exclude=: projection: uniform, sparse or very_sparse, drawn from the key as PEFT does; "
        "stored: A and B are in the adapter's file; targets and exclude as for lora",
    .rate = 1e-3,
    .rate_because = "scales of random matrices; the paper goes from 1e-4 to 1e-2",
    .peft_type = "RANDLORA",
    .tries = {
        "randlora:rank=8,alpha=16",
        "randlora:rank=7,alpha=9,dropout=0.25,projection=sparse,stored=false,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Randlora>, from_peft);

}  // namespace afina
