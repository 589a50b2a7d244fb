// What fine-tuning changed: differences of weights, their norms, ranks and singular vectors.
#include "model/change.h"

#include <algorithm>
#include <cmath>

#include "engine/math.h"
#include "engine/svd.h"
#include "engine/threads.h"
#include "model/model.h"

namespace afina {

namespace {

constexpr size_t most_values = 16;  // of the spectrum
constexpr int64_t leading = 10;     // vectors that are looked at for intruders
constexpr double alike = 0.5;       // |cos| from which a vector is no intruder

double norm_of(const std::vector<double>& a) {
  double sum = 0.;
  for (double x : a) sum += x * x;
  return std::sqrt(sum);
}

struct Pair {
  int64_t out, in;
  std::vector<double> before, after, change;
};

Pair with_change(Pair pair) {
  pair.change.resize(pair.after.size());
  for (size_t i = 0; i < pair.change.size(); ++i) pair.change[i] = pair.after[i] - pair.before[i];
  return pair;
}

Pair weights_of(const Linear& layer, const Parameters& parameters, WeightSource& source) {
  if (layer.weight.value.blocks()) {  // which never change, and whose error is none of training's
    Pair pair{layer.out(),
              layer.in(),
              layer.weight.value.values64(),
              layer.merged().weight.values64(),
              {}};
    return with_change(std::move(pair));
  }
  Parameter base = make_parameter(layer.weight.name, layer.weight.shape, layer.weight.init, false,
                                  Dtype::f32, Device::cpu);
  base.stored_transposed = layer.weight.stored_transposed;
  source.read(base);
  // Frozen it lies in the model's dtype, and rounding to that is no change by training.
  if (!layer.weight.trained && parameters.dtype != Dtype::f64)
    base.value.copy_from(base.value.as(parameters.dtype).as(Dtype::f32));
  Pair pair{layer.out(), layer.in(), base.value.values64(), layer.merged().weight.values64(), {}};
  return with_change(std::move(pair));
}

// The largest singular value that rounding of W' to f32 alone can explain: of a matrix of
// independent errors of half a unit in the last place it is their size times (√m + √n).
double explained_by_rounding(const Pair& pair, double norm) {
  const double size = norm / std::sqrt(double(pair.after.size()));
  return size * 0x1p-23 * (std::sqrt(double(pair.out)) + std::sqrt(double(pair.in)));
}

int64_t count_intruders(const Pair& pair, const std::string& name) {
  const int64_t k = std::min({leading, pair.out, pair.in}), all = std::min(pair.out, pair.in);
  const Svd before = svd(pair.before, pair.out, pair.in, name),
            after = svd(pair.after, pair.out, pair.in, name, {0, k});
  int64_t count = 0;
  for (int64_t j = 0; j < k; ++j) {
    double most = 0.;
    for (int64_t i = 0; i < all; ++i) {
      double cosine = 0.;
      for (int64_t row = 0; row < pair.out; ++row)
        cosine += after.u[size_t(row * k + j)] * before.u[size_t(row * all + i)];
      most = std::max(most, std::fabs(cosine));
    }
    count += most < alike;
  }
  return count;
}

void measure(LayerChange& to, const Pair& pair, ChangeDepth depth) {
  to.base_norm = norm_of(pair.before);
  to.norm = norm_of(pair.change);
  if (to.norm == 0.) return;
  std::vector<double> values = svd(pair.change, pair.out, pair.in, to.layer, {0, 0}).s;
  const double least = explained_by_rounding(pair, norm_of(pair.after));
  while (values.size() > 1 && values.back() <= least) values.pop_back();
  double sum = 0., squares = 0., entropy = 0.;
  for (double s : values) {
    sum += s;
    squares += s * s;
  }
  for (double s : values)
    if (s > 0.) entropy -= s / sum * math::log(s / sum);
  to.stable_rank = squares / (values[0] * values[0]);
  to.effective_rank = math::exp(entropy);
  if (depth == ChangeDepth::intruders) to.intruders = count_intruders(pair, to.layer);
  values.resize(std::min(values.size(), most_values));
  to.spectrum = std::move(values);
}

}  // namespace

std::vector<LayerChange> layer_changes(const Model& model, WeightSource& source,
                                       ChangeDepth depth) {
  const Parameters& parameters = *model.parameters;
  std::vector<LayerChange> all;
  if (!model.method->why_not_mergeable().empty()) return all;
  const std::vector<Linear*>& layers = parameters.linears;
  // As many layers at a time as there are threads: their weights are held in f64.
  const size_t together = size_t(thread_count());
  for (size_t begin = 0; begin < layers.size(); begin += together) {
    const size_t count = std::min(together, layers.size() - begin);
    std::vector<Pair> pairs;
    for (size_t i = 0; i < count; ++i) {
      const Linear& layer = *layers[begin + i];
      all.push_back({.layer = layer.path});
      pairs.push_back(weights_of(layer, parameters, source));
      for (double x : pairs.back().after)
        require(std::isfinite(x), layer.path, ": the weight has a value that is not finite");
    }
    parallel_for(int64_t(count), 1, [&](int64_t first, int64_t end) {
      for (int64_t i = first; i < end; ++i)
        measure(all[begin + size_t(i)], pairs[size_t(i)], depth);
    });
  }
  const bool any = std::any_of(all.begin(), all.end(), [](auto& one) { return one.norm > 0.; });
  return any ? all : std::vector<LayerChange>();
}

ChangeSummary summary_of(const std::vector<LayerChange>& all) {
  ChangeSummary sum;
  double base = 0., change = 0.;
  for (const LayerChange& one : all) {
    ++sum.layers;
    base += one.base_norm * one.base_norm;
    change += one.norm * one.norm;
    sum.intruders += one.intruders;
    if (one.norm == 0.) continue;
    ++sum.changed;
    sum.effective_rank += one.effective_rank;
    sum.stable_rank += one.stable_rank;
  }
  if (base > 0.) sum.relative = std::sqrt(change / base);
  if (sum.changed) {
    sum.effective_rank /= double(sum.changed);
    sum.stable_rank /= double(sum.changed);
  }
  return sum;
}

double work_of_changes(const Model& model) {
  double sum = 0.;
  for (const Linear* layer : model.parameters->linears)
    sum += double(layer->in()) * double(layer->out()) * double(std::min(layer->in(), layer->out()));
  return sum;
}

}  // namespace afina
