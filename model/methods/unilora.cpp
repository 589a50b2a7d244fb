// Uni-LoRA (Li et al., 2025): one vector θ for the whole model. Every element of all LoRA matrices
// is one of its numbers, chosen at random once, over the root of how many elements share it.
#include "model/methods/made_low_rank.h"
#include "model/methods/torch_random.h"

namespace afina {

namespace {

// One matrix of one layer: which number of θ each element is, and what it is multiplied by.
struct Projection {
  std::string name;  // of the places in files
  Shape shape;
  Tensor places;                // i32 (elements)
  Parameter* scales = nullptr;  // of the same shape, where files hold them
};
// What the layers share.
struct Whole {
  const Parameter* theta = nullptr;
  Tensor scales;  // 1 / sqrt(uses of each number of θ), (numbers)
  std::deque<Projection> all{};
};

struct UniloraAdapter : MadeLowRank {
  const Whole& whole;
  Projection &of_a, &of_b;
  UniloraAdapter(const Whole& whole, Projection& a, Projection& b)
      : whole(whole), of_a(a), of_b(b) {}
  Tensor matrix(const Projection& p) const {
    const Tensor chosen = gather(whole.theta->value, p.places, p.shape);
    return chosen * (p.scales ? p.scales->value : gather(whole.scales, p.places, p.shape));
  }
  Tensor a() const override { return matrix(of_a); }
  Tensor b() const override { return matrix(of_b); }
};

struct Unilora : TargetedMethod {
  int64_t rank, numbers, seed;
  double bound, dropout;
  bool indices;  // are the places in files?
  Whole whole;
  explicit Unilora(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 4, 1, 65536)),
        numbers(o.integer("numbers", 256, 1, 1 << 30)),
        seed(o.integer("seed", 42, 0, int64_t(1) << 53)),
        bound(o.number("bound", 0.02, 0., 1e3)),
        dropout(o.number("dropout", 0., 0., 0.99)),
        indices(o.flag("indices", false)) {}

  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    auto projection = [&](const char* which, const Shape& shape) -> Projection& {
      whole.all.push_back(
          {"base_model.model." + scope.path() + ".unilora_indices_" + which, shape, {}});
      if (indices)
        whole.all.back().scales = &scope.added(std::string("unilora_scales_") + which, shape,
                                               {Init::ones}, {.trained = false, .vector = true});
      return whole.all.back();
    };
    Projection& a = projection("A", {rank, layer.in()});
    auto adapter = std::make_unique<UniloraAdapter>(whole, a, projection("B", {layer.out(), rank}));
    adapter->dropout = dropout;
    adapter->derive(*this, layer.weight.value.computed());
    return adapter;
  }
  void built(const Scope& model) override {
    TargetedMethod::built(model);
    whole.theta =
        &model.added("unilora_theta_d", {numbers}, {Init::uniform, float(bound)}, {.shared = true});
    int64_t elements = 0;
    for (const Projection& p : whole.all) elements += p.shape.size();
    if (!holds_bytes(whole.theta->value.device()))
      return choose(std::vector<int32_t>(size_t(elements), 0));
    choose(balanced_shuffle(elements, numbers, uint64_t(seed)));
  }
  // Deals the places to the matrices in order, and counts them.
  void choose(const std::vector<int32_t>& places) {
    PurposeScope purpose(Purpose::weights);
    const Tensor& theta = whole.theta->value;
    auto next = places.begin();
    for (Projection& p : whole.all) {
      std::vector<int32_t> own(next, next + p.shape.size());
      next += p.shape.size();
      p.places = Tensor::from(own, {p.shape.size()}, theta.device());
    }
    std::vector<int64_t> uses(size_t(numbers), 0);
    for (int32_t place : places) ++uses[size_t(place)];
    std::vector<float> scales;
    for (int64_t of : uses) scales.push_back(of ? 1.f / std::sqrt(float(of)) : 0.f);
    whole.scales = Tensor::from(scales, {numbers}, theta.dtype(), theta.device());
    if (!indices || !holds_bytes(theta.device())) return;
    for (Projection& p : whole.all)
      p.scales->assign(gather(whole.scales, p.places, p.shape).values().data());
  }
  std::vector<Integers> integers() const override {
    std::vector<Integers> all;
    if (!indices) return all;
    for (const Projection& p : whole.all)
      all.push_back(
          {p.name,
           {p.shape[0], p.shape[1]},
           holds_bytes(p.places.device()) ? p.places.integers() : std::vector<int32_t>()});
    return all;
  }
  void take(const std::vector<Integers>& stored) override {
    std::vector<int32_t> places;
    for (const Integers& of : stored) {
      for (int32_t place : of.values)
        require(place >= 0 && place < numbers, of.name, " holds ", place, " where one of ", numbers,
                " numbers is expected");
      places.insert(places.end(), of.values.begin(), of.values.end());
    }
    choose(places);
  }
  bool starts_as_pretrained() const override { return false; }
  Json peft_config() const override {
    Json config = config_of("UNILORA");
    config["r"] = rank;
    config["theta_d_length"] = numbers;
    config["proj_seed"] = seed;
    config["save_indices"] = indices;
    config["init_theta_d_bound"] = bound;
    config["unilora_dropout"] = dropout;
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
  options["numbers"] = std::to_string(config.get_or<int64_t>("theta_d_length", 256));
  options["seed"] = std::to_string(config.get_or<int64_t>("proj_seed", 42));
  options["bound"] = config.number_or("init_theta_d_bound", 0.02);
  options["dropout"] = config.number_or("unilora_dropout", 0.);
  options["indices"] = config.flag_or("save_indices", false);
  return options;
}

const MethodCard card{
    .name = "unilora",
    .label = "Uni-LoRA",
    .paper = "Uni-LoRA: One Vector is All You Need (Li et al., 2025)",
    .formula = "y = W x + b + B A x, A and B: numbers of t, each over sqrt(its uses)",
    .trains = "t (numbers), one vector for the whole model",
    .options =
        "rank=4,numbers=256,seed=42,bound=0.02,dropout=0,indices=false,targets=all,exclude=: seed: "
        "of the choice of numbers, as PEFT draws it; bound: t begins uniform within it; indices: "
        "the choice is stored as well; targets and exclude as for lora",
    .rate = 5e-3,
    .rate_because = "one vector for all layers, and the product of two of its numbers counts",
    .peft_type = "UNILORA",
    .tries = {"unilora:numbers=40", "unilora:rank=2,numbers=24,indices=true,targets=*.mlp.*"},
    .not_promised = {{Promise::starts_as_pretrained,
                      "both matrices begin at random, with products near 4e-4 of the weight"}}};

}  // namespace

REGISTER_METHOD(card, make_new<Unilora>, from_peft);

}  // namespace afina
