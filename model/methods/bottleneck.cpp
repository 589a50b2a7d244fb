// Bottleneck adapters (Houlsby et al., 2019): y + up(f(down(y))) after attention and after the MLP,
// before the residual stream takes y in; the pretrained weights are frozen.
#include <algorithm>
#include <cmath>

#include "model/model.h"

namespace afina {

namespace {

using Activation = Tensor (*)(const Tensor&);

struct Half {
  const Parameter &weight, &bias;
  // Weights uniform in ± spread; a spread of 0 is zeros. Biases begin at zero.
  Half(const Scope& scope, int64_t in, int64_t out, float spread)
      : weight(
            scope.added("weight", {out, in}, {spread > 0.f ? Init::uniform : Init::zeros, spread})),
        bias(scope.added("bias", {out}, {Init::zeros})) {}
  Tensor operator()(const Tensor& x) const { return linear(x, weight.value, bias.value); }
};

struct Bottleneck : PointAdapter {
  Half down, up;
  Activation activation;
  // Where the paper begins near the identity with small numbers in both halves, up begins at zero:
  // the model begins as the pretrained one, exactly, and down can be large enough to learn from.
  Bottleneck(const Scope& scope, int64_t width, int64_t size, Activation activation)
      : down(scope / "bottleneck_down", width, size, 1.f / std::sqrt(float(width))),
        up(scope / "bottleneck_up", size, width, 0.f),
        activation(activation) {}
  Tensor forward(const Tensor& x, const Inputs&) const override {
    return x + up(activation(down(x)));
  }
};

class BottleneckMethod : public Method {
 public:
  explicit BottleneckMethod(MethodOptions& o)
      : size_(o.integer("size", 64, 1, 65536)), activation_(activation_of(o)) {
    for (const std::string& place : o.list("places", "attention+mlp")) {
      require(place == "attention" || place == "mlp", "method 'bottleneck': places: '", place,
              "' where attention, mlp or attention+mlp is expected");
      places_.push_back(place == "mlp" ? Place::after_mlp : Place::after_attention);
    }
    require(!places_.empty(), "method 'bottleneck': places is empty: nothing would be trained");
  }
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (std::find(places_.begin(), places_.end(), point.place) == places_.end()) return nullptr;
    return std::make_unique<Bottleneck>(scope, point.width, size_, activation_);
  }
  Stored stored() const override { return Stored::adapter; }
  std::string why_not_mergeable() const override {
    return "a bottleneck has an activation between its two halves, so no weight does the same";
  }

 private:
  static Activation activation_of(MethodOptions& o) {
    static const std::map<std::string, Activation> known = {
        {"relu", relu}, {"gelu", gelu}, {"silu", silu}, {"tanh", tanh}};
    std::string name = o.text("activation", "gelu");
    auto found = known.find(name);
    require(found != known.end(), "method 'bottleneck': activation=", name,
            " where gelu, relu, silu or tanh is expected");
    return found->second;
  }
  int64_t size_;
  Activation activation_;
  std::vector<Place> places_;
};

const MethodCard card{
    .name = "bottleneck",
    .label = "bottleneck adapter",
    .paper = "Parameter-Efficient Transfer Learning for NLP (Houlsby et al., 2019)",
    .formula = "y + U f(D y + d) + u",
    .trains = "D (size, width), d, U (width, size), u after attention and MLP of each block",
    .options =
        "size=64,activation=gelu,places=attention+mlp: activation is gelu, relu, silu or tanh; "
        "places=mlp is the smaller form of Pfeiffer et al. (2020)",
    .rate = 3e-4,
    .rate_because = "U begins at zero, as B does in LoRA",
    .tries = {"bottleneck", "bottleneck:size=3,activation=relu,places=mlp"}};

}  // namespace

REGISTER_METHOD(card, make_new<BottleneckMethod>);

}  // namespace afina
