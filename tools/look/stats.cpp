// Statistics of a tensor's elements.
#include "tools/look/stats.h"

#include <algorithm>
#include <cmath>

namespace afina {

namespace {

double value_of(float x) { return double(x); }
double value_of(double x) { return x; }
double value_of(int32_t x) { return double(x); }
double value_of(bf16 x) { return double(to_float(x)); }

// Keeps the `extremes` outermost values by `before`, the outermost first.
template <class Before>
void keep_extreme(std::vector<ValueStats::Extreme>& kept, double value, int64_t at, Before before) {
  if (kept.size() == ValueStats::extremes && !before(value, kept.back().value)) return;
  auto place = std::find_if(kept.begin(), kept.end(), [&](const ValueStats::Extreme& one) {
    return before(value, one.value);
  });
  kept.insert(place, {value, at});
  if (kept.size() > ValueStats::extremes) kept.pop_back();
}

template <class T>
ValueStats stats_of_elements(const T* x, int64_t n) {
  ValueStats s;
  s.count = n;
  double sum = 0, squares = 0;
  int64_t finite = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double v = value_of(x[i]);
    if (!std::isfinite(v)) {
      ++s.not_finite;
      continue;
    }
    s.zeros += v == 0.;
    if (!finite++) s.least = s.most = v;
    s.least = std::min(s.least, v);
    s.most = std::max(s.most, v);
    sum += v;
    squares += v * v;
    keep_extreme(s.lowest, v, i, [](double a, double b) { return a < b; });
    keep_extreme(s.highest, v, i, [](double a, double b) { return a > b; });
  }
  s.mean = finite ? sum / double(finite) : 0.;
  s.norm = std::sqrt(squares);
  const double width = s.most - s.least;
  if (!finite || !std::isfinite(width)) return s;
  for (int64_t i = 0; i < n; ++i) {
    const double v = value_of(x[i]);
    if (!std::isfinite(v)) continue;
    const int bin = width > 0 ? int((v - s.least) / width * ValueStats::bins) : 0;
    ++s.histogram[size_t(std::min(bin, ValueStats::bins - 1))];
  }
  return s;
}

template <class Use>
auto with_elements(const Tensor& t, Use use) {
  const Tensor host = t.device() == Device::cpu ? t.detached() : t.to(Device::cpu);
  switch (t.dtype()) {
    case Dtype::f32: return use(host.data<float>());
    case Dtype::f64: return use(host.data<double>());
    case Dtype::bf16: return use(host.data<bf16>());
    case Dtype::i32: return use(host.data<int32_t>());
    case Dtype::blocks: return with_elements(t.as(t.computed()), use);
  }
  unsupported_dtype("stats_of", t.dtype());
}

}  // namespace

ValueStats stats_of(const Tensor& t) {
  if (!t || !holds_bytes(t.device())) return {};
  return with_elements(t, [&](const auto* x) { return stats_of_elements(x, t.size()); });
}

double distance_between(const Tensor& t, const std::vector<double>& other) {
  require(int64_t(other.size()) == t.size(), "distance between ", t.size(), " and ", other.size(),
          " elements");
  return with_elements(t, [&](const auto* x) {
    double squares = 0;
    for (size_t i = 0; i < other.size(); ++i)
      squares += (value_of(x[i]) - other[i]) * (value_of(x[i]) - other[i]);
    return std::sqrt(squares);
  });
}

std::string index_text(const Shape& shape, int64_t position) {
  std::vector<int64_t> index;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int64_t extent = std::max<int64_t>(1, shape[i]);
    index.insert(index.begin(), position % extent);
    position /= extent;
  }
  std::string text;
  for (int64_t one : index) text += (text.empty() ? "" : ", ") + std::to_string(one);
  return "[" + text + "]";
}

}  // namespace afina
