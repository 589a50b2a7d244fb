// Starts put into layers, at once or after a look at the data.
#include "model/methods/low_rank_starts.h"

#include <algorithm>
#include <cmath>

#include "engine/dense.h"
#include "engine/primitives.h"

namespace afina {

// In an adapter's place where the start looks at inputs or gradients: while it looks, the layer is
// the pretrained one.
struct WatchingAdapter : Adapter {
  const LowRankStarts& starts;
  LowRankStarts::Layer& layer;
  std::unique_ptr<Adapter> inner;
  WatchingAdapter(const LowRankStarts& starts, LowRankStarts::Layer& layer,
                  std::unique_ptr<Adapter> inner)
      : starts(starts), layer(layer), inner(std::move(inner)) {}
  Tensor forward(const Tensor& x, const Linear& linear, const Inputs& inputs) const override {
    if (!starts.observing_) return inner->forward(x, linear, inputs);
    if (!starts.observes_gradients()) starts.see(layer, x, inputs);
    return linear.plain(x);
  }
  const LowRank* low_rank(const Inputs& inputs) const override {
    return starts.observing_ ? nullptr : inner->low_rank(inputs);
  }
  const LowRank* factors() const override { return inner->factors(); }
  void merge(Tensor& weight, Tensor& bias) const override { inner->merge(weight, bias); }
};

namespace {

StartLayer described(const LowRankStarts::Layer& l) {
  return {l.path, l.a.shape[1], l.b.shape[0], l.a.shape[0], l.scale, l.weight.exact().values64()};
}
std::vector<float> rounded(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

GradientStart::Direction direction_named(const std::string& word) {
  if (word == "ArB2r") return GradientStart::ArB2r;
  if (word == "A2rBr") return GradientStart::A2rBr;
  if (word == "ArBr") return GradientStart::ArBr;
  require(
      word != "random",
      "method option ga_direction=random: PEFT draws which singular vectors A and B get anew in "
      "every run; ArBr mixes large and small ones too, and the same ones each time");
  fail("method option ga_direction=", word, ": expected ArB2r, A2rBr or ArBr");
}
GradientStart::Scale scale_named(const std::string& word) {
  if (word == "stable") return GradientStart::stable;
  if (word == "weight_svd") return GradientStart::weight_svd;
  if (word == "gd_scale") return GradientStart::gd_scale;
  if (word == "unit") return GradientStart::unit;
  fail("method option ga_scale=", word, ": expected stable, weight_svd, gd_scale or unit");
}

}  // namespace

LowRankStarts::LowRankStarts(MethodOptions& o)
    : kind_(start_named(o.text("start", "default"), option_label(o.method(), o.file(), "start"))) {
  if (looks_at_data(kind_)) observes_ = o.integer("observe", 8, 1, 1 << 20);
  if (kind_ == Start::eva && o.given("rho"))
    require(o.number("rho", 1., 0., 1e9) == 1., option_label(o.method(), o.file(), "rho"), "=",
            o.text("rho", ""),
            ": afina spreads no ranks over layers: each keeps its own, as with rho=1; ranks=NAME:N "
            "gives single layers another");
  if (kind_ == Start::lora_ga) {
    gradient_.direction = direction_named(o.text("ga_direction", "ArB2r"));
    gradient_.scale = scale_named(o.text("ga_scale", "stable"));
    gradient_.gamma = o.number("ga_gamma", 16., 1e-9, 1e9);
  }
  if (kind_ == Start::corda) {
    const std::string which = o.text("corda", "ipm");
    require(which == "ipm" || which == "kpm", option_label(o.method(), o.file(), "corda"), "=",
            which, ": expected ipm (the largest singular values) or kpm (the smallest)");
    largest_ = which == "ipm";
  }
  converts_ = looks_at_data(kind_) && changes_weight(kind_);
  if (changes_weight(kind_) && !converts_) converts_ = o.flag("convert", false);
}

Init LowRankStarts::init_a(int64_t rank, int64_t in) const {
  if (kind_ == Start::gaussian) return {Init::normal, 1.f / float(rank)};
  // As PEFT has it (Kaiming with a = sqrt 5).
  return {Init::uniform, 1.f / std::sqrt(float(in))};
}
Init LowRankStarts::init_b(int64_t rank) const {
  if (kind_ == Start::kaiming) return {Init::uniform, 1.f / std::sqrt(float(rank))};
  return {Init::zeros};
}

std::unique_ptr<Adapter> LowRankStarts::begin(
    const Linear& layer, Parameter& a, Parameter& b, double scale, uint64_t seed,
    const std::function<std::unique_ptr<Adapter>()>& make) {
  if (kind_ == Start::standard || kind_ == Start::gaussian || kind_ == Start::kaiming)
    return make();
  Layer& l = layers_.emplace_back(Layer{layer.path, layer.weight, a, b, scale, {}, {}, {}, {}, 0});
  if (looks_at_data(kind_)) return std::make_unique<WatchingAdapter>(*this, l, make());
  if (!holds_bytes(a.value.device())) return make();
  const StartLayer start = described(l);
  put(l, kind_ == Start::pissa   ? pissa(start)
         : kind_ == Start::olora ? olora(start)
         : kind_ == Start::mica  ? mica(start)
                                 : orthogonal(start, Random(seed, "init", a.name)));
  return make();
}

void LowRankStarts::put(Layer& l, const StartOfAdapter& begin) const {
  const std::vector<float> a = rounded(begin.a), b = rounded(begin.b);
  l.a.assign(a.data());
  l.b.assign(b.data());
  if (!changes_weight(kind_)) return;
  const int64_t out = l.b.shape[0], in = l.a.shape[1], rank = l.a.shape[0];
  const std::vector<double> less =
      dense_product({b.begin(), b.end()}, {a.begin(), a.end()}, out, rank, in);
  std::vector<double> weight = l.weight.exact().values64();
  for (size_t i = 0; i < weight.size(); ++i) weight[i] -= l.scale * less[i];
  l.weight.assign(rounded(weight).data());
  if (!converts_) return;
  l.a0 = a;
  l.b0 = b;
}

void LowRankStarts::begin_observing() {
  observing_ = true;
  PurposeScope purpose(Purpose::workspace);
  for (Layer& l : layers_) {
    const Tensor& weight = l.weight.value;
    const Dtype exact = statistic_dtype(weight.dtype());
    const int64_t in = l.a.shape[1];
    if (observes_gradients()) {
      l.weight.value.track();
      continue;
    }
    l.products = Tensor::zeros({in, in}, exact, weight.device());
    if (kind_ == Start::eva) l.sums = Tensor::zeros({1, in}, exact, weight.device());
  }
}

// Adds the inputs of tokens that have a target. For CorDA each row is divided by its largest
// element, as PEFT does with calls of one row.
void LowRankStarts::see(Layer& l, const Tensor& x, const Inputs& inputs) const {
  Unrecorded plain;
  PurposeScope purpose(Purpose::workspace);
  require(bool(inputs.targets), "start=", name(kind_),
          " looks at tokens that have a target, and "
          "the inputs have none");
  const Shape flat{x.rows(), x.columns()};
  Tensor shown = x.detached().viewed(flat), ones = Tensor::zeros({x.rows(), 1}, x.dtype());
  if (holds_bytes(x.device())) {
    const std::vector<int32_t> targets = inputs.targets.integers();
    std::vector<float> values = x.values(), one(targets.size());
    const int64_t rows = x.shape()[0], length = x.shape()[1], in = x.columns();
    for (int64_t r = 0; r < rows; ++r) {
      float most = -INFINITY;
      int64_t count = 0;
      for (int64_t t = r * length; t < (r + 1) * length; ++t) {
        float* token = values.data() + t * in;
        if (targets[size_t(t)] < 0) {
          std::fill(token, token + in, 0.f);
          continue;
        }
        ++count;
        one[size_t(t)] = 1.f;
        most = std::max(most, *std::max_element(token, token + in));
      }
      l.seen += kind_ == Start::eva ? count : (count > 0);
      if (kind_ != Start::corda || count == 0) continue;
      require(most != 0.f, l.path,
              ": start=corda divides the inputs of each row by their largest "
              "element, which is 0 here");
      for (int64_t i = r * length * in; i < (r + 1) * length * in; ++i)
        values[size_t(i)] /= std::fabs(most);
    }
    shown = Tensor::from(values, flat, x.dtype(), x.device());
    ones = Tensor::from(one, {x.rows(), 1}, x.dtype(), x.device());
  } else {
    ones = Tensor({x.rows(), 1}, x.dtype(), x.device());
  }
  kernel::matmul(l.products, shown, shown, true, false, true, Tensor());
  if (l.sums) kernel::matmul(l.sums, ones, shown, true, false, true, Tensor());
}

StartOfAdapter LowRankStarts::found(const Layer& l) const {
  const StartLayer start = described(l);
  if (kind_ == Start::lora_ga) {
    const Tensor& gradient = l.weight.value.grad().value();
    require(bool(gradient), l.path, ": start=lora-ga: the loss does not depend on this layer");
    return lora_ga(start, gradient.values64(), gradient_);
  }
  require(l.seen > 0, l.path, ": start=", name(kind_), ": no token was seen");
  std::vector<double> covariance = l.products.values64();
  const double seen = double(l.seen);
  if (kind_ == Start::corda) {
    for (double& c : covariance) c /= seen;
    return corda(start, std::move(covariance), largest_);
  }
  const std::vector<double> sums = l.sums.values64();
  for (int64_t i = 0; i < start.in; ++i)
    for (int64_t j = 0; j < start.in; ++j)
      covariance[size_t(i * start.in + j)] -= sums[size_t(i)] * sums[size_t(j)] / seen;
  return eva(start, covariance);
}

void LowRankStarts::end_observing() {
  observing_ = false;
  for (Layer& l : layers_) {
    if (holds_bytes(l.weight.value.device())) put(l, found(l));
    if (observes_gradients()) l.weight.value = l.weight.value.detached();
    l.products = l.sums = Tensor();
  }
}

StoredBehind LowRankStarts::stored_behind(const Parameter& p) const {
  if (!converts_) return {};
  for (const Layer& l : layers_) {
    if (&p != &l.a && &p != &l.b) continue;
    const bool a = &p == &l.a;
    StoredBehind behind{a ? 0 : 1, l.a.shape[0], a ? l.a0 : l.b0};
    if (behind.values.empty()) behind.values.assign(size_t(p.shape.size()), 0.f);
    if (a)
      for (float& x : behind.values) x = -x;
    return behind;
  }
  return {};
}

Json LowRankStarts::peft_word() const {
  if (converts_ || kind_ == Start::standard || kind_ == Start::eva) return true;
  if (kind_ == Start::kaiming) return false;
  return name(kind_);
}

}  // namespace afina
