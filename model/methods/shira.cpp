// SHiRA (Bhardwaj et al., 2024): single weights are trained, as many as a LoRA of this rank would
// have: rank (in + out) random places of each target layer.
#include <algorithm>
#include <set>

#include "model/methods/sparse_places.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

// The places of one layer's numbers.
struct Places {
  std::string name;  // in files
  Shape shape;       // of the weight
  Tensor flat;       // row * in + column, i32 (count)

  void choose(const std::vector<int32_t>& all, Device device) {
    PurposeScope purpose(Purpose::weights);
    flat = Tensor::from(all, {int64_t(all.size())}, device);
  }
  // Rows, then columns, as PEFT has them.
  Method::Integers stored() const {
    Method::Integers of{name, {2, flat.size()}, {}};
    if (!holds_bytes(flat.device())) return of;
    const std::vector<int32_t> all = flat.integers();
    for (int32_t place : all) of.values.push_back(int32_t(place / shape[1]));
    for (int32_t place : all) of.values.push_back(int32_t(place % shape[1]));
    return of;
  }
  void take(const Method::Integers& of) {
    const size_t count = size_t(flat.size());
    std::vector<int32_t> all;
    std::set<int32_t> distinct;
    for (size_t i = 0; i < count; ++i) {
      const int64_t row = of.values[i], column = of.values[count + i];
      require(row >= 0 && row < shape[0] && column >= 0 && column < shape[1], of.name, ": place ",
              row, ", ", column, " is outside of a weight ", shape.text());
      all.push_back(int32_t(row * shape[1] + column));
      require(distinct.insert(all.back()).second, of.name, ": place ", row, ", ", column,
              " stands twice");
    }
    choose(all, flat.device());
  }
};

struct ShiraAdapter : WeightAdapter {
  Parameter& values;  // (count)
  const Places& places;
  ShiraAdapter(const Scope& scope, const Places& places, int64_t count)
      : values(scope.added("shira_weight", {count}, {Init::zeros})), places(places) {}
  Tensor delta() const override { return scatter(values.value, places.flat, places.shape); }
};

// The seed of a generator of torch that nobody seeded.
constexpr int64_t torch_seed = 67280421310721;

struct Shira : TargetedMethod {
  int64_t rank, seed;
  std::deque<Places> places;  // layer after layer
  explicit Shira(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 32, 1, 65536)),
        seed(o.integer("seed", torch_seed, 0, int64_t(1) << 53)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t count = rank * (layer.in() + layer.out());
    require(count <= layer.weight.shape.size(), "method 'shira': rank=", rank, " asks for ", count,
            " places in the weight of '", layer.path, "', which has ", layer.weight.shape.size(),
            "; choose a smaller rank or other targets");
    std::vector<int32_t> chosen =
        first_of_permutation(layer.weight.shape.size(), count, uint64_t(seed));
    std::sort(chosen.begin(), chosen.end());
    places.push_back(
        {"base_model.model." + scope.path() + ".shira_indices", layer.weight.shape, {}});
    places.back().choose(chosen, layer.weight.value.device());
    auto adapter = std::make_unique<ShiraAdapter>(scope, places.back(), count);
    adapter->derive(*this, layer);
    return adapter;
  }
  std::vector<Integers> integers() const override {
    std::vector<Integers> all;
    for (const Places& of : places) all.push_back(of.stored());
    return all;
  }
  void take(const std::vector<Integers>& stored) override {
    for (size_t i = 0; i < places.size(); ++i) places[i].take(stored[i]);
  }
  Json peft_config() const override {
    Json config = config_of("SHIRA");
    config["r"] = rank;
    config["mask_type"] = "random";
    config["random_seed"] = seed == torch_seed ? Json() : Json(seed);
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.find("mask_type");  // how the places were chosen: the file holds them
  config.find("init_weights");
  config.get_or<bool>("fan_in_fan_out", false);
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["seed"] = std::to_string(config.get_or<int64_t>("random_seed", torch_seed));
  return options;
}

const MethodCard card{
    .name = "shira",
    .label = "SHiRA",
    .paper = "Sparse High Rank Adapters (Bhardwaj et al., 2024)",
    .formula = "y = (W + S) x + b, S: rank (in + out) numbers at random places, else zero",
    .trains = "rank (in + out) numbers of each target layer",
    .options =
        "rank=32,seed=67280421310721,targets=all,exclude=: rank: of the LoRA that would have as "
        "many numbers; seed: of the places, as PEFT draws them; targets and exclude as for lora",
    .rate = 5e-4,
    .rate_because = "the numbers are weights of the model itself, of which few are trained",
    .peft_type = "SHIRA",
    .tries = {"shira:rank=1", "shira:rank=2,seed=3,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Shira>, from_peft);

}  // namespace afina
