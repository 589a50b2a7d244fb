// RoAD (Liao and Monz, 2024): pairs of a layer's outputs are turned by an angle of their own and
// scaled. An output is a pair of the first and the second half of its group.
#include "engine/ops/scale.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct RoadAdapter : Adapter {
  Parameter &theta, &alpha;  // (out/2), (out) or (2 out): variants 1, 2 and 4
  int64_t variant, group;
  // α cos θ and α sin θ for the first, then for the second halves of all groups, each out / 2
  // numbers. Each is read once, so that its gradient is one chain over rows; in variant 1 both
  // halves have the same numbers.
  std::vector<Derived*> factors;

  RoadAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t variant,
              int64_t group)
      : theta(scope.added("road_theta", {layer.out() * variant / 2}, {Init::zeros})),
        alpha(scope.added("road_alpha", {layer.out() * variant / 2}, {Init::ones})),
        variant(variant),
        group(group) {
    for (int64_t half = 0; half < 2; ++half)
      for (bool of_sine : {false, true})
        factors.push_back(&method.derived([this, half, of_sine] { return factor(half, of_sine); }));
  }
  // One run of group / 2 numbers of each group: in variant 4 cosines have theirs before sines.
  Tensor factor(int64_t half, bool of_sine) const {
    const int64_t run = group / 2, own = variant == 1 ? 0 : half,
                  groups = theta.shape.size() / (variant * run),
                  from = (variant == 4 && of_sine ? group : 0) + own * run;
    auto part = [&](const Parameter& p) {
      return columns(reshape(p.value, {groups, variant * run}), from, run);
    };
    const Tensor angle = part(theta);
    return reshape(part(alpha) * (of_sine ? sin(angle) : cos(angle)), {groups * run});
  }
  // y (..., out), turned.
  Tensor turned(const Tensor& y) const {
    const int64_t out = y.columns(), run = group / 2;
    const Tensor by_group = reshape(y, {y.size() / group, group});
    auto half = [&](int64_t which) {
      return reshape(columns(by_group, which * run, run), {y.rows(), out / 2});
    };
    const Tensor first = half(0), second = half(1);
    auto scaled = [&](const Tensor& x, size_t which) {
      return scale_columns(x, (*factors[which])());
    };
    const Shape halves{y.size() / group, run};
    return reshape(concat_columns({reshape(scaled(first, 0) - scaled(second, 1), halves),
                                   reshape(scaled(second, 2) + scaled(first, 3), halves)}),
                   y.shape());
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return turned(layer.plain(x));
  }
  void merge(Tensor& weight, Tensor& bias) const override {
    weight = transposed(turned(transposed(weight)));
    if (bias) bias = turned(bias);
  }
};

struct Road : TargetedMethod {
  int64_t variant, group;
  explicit Road(MethodOptions& o)
      : TargetedMethod(o),
        variant(o.integer("variant", 1, 1, 4)),
        group(o.integer("group", 64, 2, 65536)) {
    require(variant != 3, option_label("road", o.file(), "variant"),
            "=3 where 1, 2 or 4 is expected");
    require(group % 2 == 0, option_label("road", o.file(), "group"), "=", group,
            " where an even number is expected");
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    require(layer.out() % group == 0, "method 'road': group=", group, " does not divide the ",
            layer.out(), " outputs of '", layer.path, "'; choose another group or other targets");
    return std::make_unique<RoadAdapter>(*this, layer, scope, variant, group);
  }
  Json peft_config() const override {
    Json config = config_of("ROAD");
    config["variant"] = "road_" + std::to_string(variant);
    config["group_size"] = group;
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.find("init_weights");  // where a training began
  auto options = targets_from_peft(config);
  const std::string variant = config.get_or<std::string>("variant", "road_1");
  require(variant == "road_1" || variant == "road_2" || variant == "road_4", config.where(),
          ": variant is '", variant, "' where road_1, road_2 or road_4 is expected");
  options["variant"] = variant.substr(5);
  options["group"] = std::to_string(config.get_or<int64_t>("group_size", 64));
  return options;
}

const MethodCard card{
    .name = "road",
    .label = "RoAD",
    .paper =
        "3-in-1: 2D Rotary Adaptation for Efficient Finetuning, Efficient Batching and "
        "Composability (Liao and Monz, 2024)",
    .formula = "y = R (W x + b), R turns pairs: (a cos t, -a sin t; a sin t, a cos t)",
    .trains = "angles t and scales a of each target layer: out / 2 each, out or 2 out by variant",
    .options =
        "variant=1,group=64,targets=all,exclude=: variant: 1, 2 or 4 numbers of each kind for a "
        "pair; group: outputs of which the first half is paired with the second; targets and "
        "exclude as for lora",
    .rate = 3e-3,
    .rate_because = "a few numbers around 0 and 1 are trained; the paper's rates are 1e-3 to 5e-3",
    .peft_type = "ROAD",
    .tries = {"road:group=8", "road:variant=2,group=16,targets=*.mlp.*", "road:variant=4,group=4"}};

}  // namespace

REGISTER_METHOD(card, make_new<Road>, from_peft);

}  // namespace afina
