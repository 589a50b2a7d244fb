// Gradients of single rows against that of the held-out rows.
#include "tools/runs/influence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/random.h"
#include "engine/tape.h"

namespace afina {

namespace {

enum Kind { loss, loss_after, ifd, cosine, tracin, less, shapley, kind_count };

double dot(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
  double sum = 0;
  for (size_t p = 0; p < a.size(); ++p)
    for (size_t i = 0; i < a[p].size(); ++i) sum += a[p][i] * b[p][i];
  return sum;
}
double cosine_of(const std::vector<std::vector<double>>& a,
                 const std::vector<std::vector<double>>& b) {
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

}  // namespace

const std::vector<EstimateKind> estimate_kinds = {
    {"loss", "loss of the row before training"},
    {"loss-after", "loss of the row after training"},
    {"ifd", "loss with its question over loss without (IFD)"},
    {"cosine", "gradient cosine with the held-out rows"},
    {"tracin", "TracIn, over the kept states"},
    {"less", "LESS, over the kept states"},
    {"shapley", "in-run Shapley, first order"}};

Influence::Influence(Counterfactual& run, const Workbench& bench, std::vector<int64_t> rows)
    : run_(run), bench_(bench) {
  found_.rows = std::move(rows);
  found_.values.assign(kind_count, std::vector<double>(found_.rows.size(), 0.));
  for (size_t i = 0; i < found_.rows.size(); ++i) {
    const int64_t row = found_.rows[i];
    place_[row] = i;
    found_.values[loss][i] = loss_of(row, false);
    found_.values[ifd][i] = found_.values[loss][i] / loss_of(row, true);
  }
  run_.watched = [this](int64_t step, const std::vector<Batch>& batches) { watch(step, batches); };
}

// A list of one row; answer_alone: without what stands between the first token and the first
// target.
Samples Influence::one(int64_t row, bool answer_alone) const {
  Samples samples;
  samples.pad = bench_.train.pad;
  Sample sample = bench_.train.rows.at(size_t(row));
  if (answer_alone) {
    const int64_t first = std::find(sample.trained.begin(), sample.trained.end(), uint8_t(1)) -
                          sample.trained.begin();
    sample.tokens.erase(sample.tokens.begin() + 1, sample.tokens.begin() + first);
    sample.trained.erase(sample.trained.begin() + 1, sample.trained.begin() + first);
  }
  samples.rows.push_back(std::move(sample));
  return samples;
}

double Influence::loss_of(int64_t row, bool answer_alone) {
  return evaluate(run_.model(), one(row, answer_alone), 1, bench_.data.length).mean;
}

// The gradient of scale times the sum of the rows' target losses.
Influence::Gradient Influence::gradient_of(const Samples& rows, double scale) {
  BatchOptions options = batch_options(bench_.run, bench_.data, 0);
  options.shuffle = false;
  for (const Batch& batch : BatchSource(rows, options).once()) {
    Tape tape;
    const Loss found =
        run_.model().loss(inputs_of(batch, 0, -1, run_.model().parameters->device), scale);
    if (found.total.needs_grad()) tape.backward(found.total);
  }
  Gradient gradient;
  for (Parameter* p : run_.trainer().trained()) {
    p->add_uses();
    gradient.push_back(p->value.grad().touched() ? p->value.grad().value().values64()
                                                 : std::vector<double>(size_t(p->shape.size())));
    p->value.grad().drop();
  }
  return gradient;
}

Influence::Gradient Influence::held_out_gradient() {
  int64_t targets = 0;
  for (const Sample& row : bench_.final.rows) targets += row.target_count();
  return gradient_of(bench_.final, 1. / double(targets));
}

// Before an update of the run with all rows.
void Influence::watch(int64_t step, const std::vector<Batch>& batches) {
  int64_t targets = 0;
  std::map<int64_t, int64_t> used;  // how often in this step
  std::set<int64_t> seen;
  for (const Batch& batch : batches) {
    targets += batch.target_count;
    for (int64_t use : batch.samples)
      if (use >= 0 && seen.insert(use).second) ++used[use % int64_t(bench_.train.rows.size())];
  }
  Gradient held_out;
  for (auto& [row, times] : used) {
    const auto place = place_.find(row);
    if (place == place_.end()) continue;
    if (held_out.empty()) held_out = held_out_gradient();
    found_.values[shapley][place->second] +=
        double(times) * run_.schedule().at(step) *
        dot(gradient_of(one(row), 1. / double(targets)), held_out);
  }
}

// What Adam's next update would be along, without the rate: m / (sqrt(v) + eps) with this gradient
// taken into both moments.
Influence::Gradient Influence::as_adam_moves(const Gradient& gradient, int64_t steps_done) {
  const OptimizerOptions& options = run_.trainer().options().optimizer;
  const double n = double(steps_done + 1), first = 1 - std::pow(options.beta1, n),
               second = 1 - std::pow(options.beta2, n);
  Gradient moved = gradient;
  for (size_t p = 0; p < gradient.size(); ++p) {
    const auto [first_moment, second_moment] = run_.trainer().optimizer().moments(p);
    const std::vector<double> m = first_moment.values64(), v = second_moment.values64();
    for (size_t i = 0; i < m.size(); ++i) {
      const double g = gradient[p][i],
                   mean = (options.beta1 * m[i] + (1 - options.beta1) * g) / first,
                   square = (options.beta2 * v[i] + (1 - options.beta2) * g * g) / second;
      moved[p][i] = mean / (std::sqrt(square) + options.eps);
    }
  }
  return moved;
}

Estimates Influence::finish(const std::function<void(int64_t, int64_t)>& progress) {
  // The state before the first step is left out: Adam's moments are empty there, and with a method
  // such as LoRA half of the gradients.
  const std::vector<int64_t>& states = run_.states();
  const int64_t all = int64_t(states.size() - 1) * int64_t(found_.rows.size());
  int64_t done = 0;
  for (size_t s = 1; s < states.size(); ++s) {
    run_.restore(s);
    const double rate = run_.schedule().at(states[s] - 1);
    const Gradient held_out = held_out_gradient();
    const bool last = s + 1 == states.size();
    for (size_t i = 0; i < found_.rows.size(); ++i) {
      const Gradient own = gradient_of(one(found_.rows[i]), 1.);
      found_.values[tracin][i] += rate * dot(own, held_out);
      found_.values[less][i] += rate * cosine_of(as_adam_moves(own, states[s]), held_out);
      if (last) {
        found_.values[cosine][i] = cosine_of(own, held_out);
        found_.values[loss_after][i] = loss_of(found_.rows[i], false);
      }
      if (progress) progress(++done, all);
    }
  }
  return found_;
}

namespace {

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (size_t k = i; k < end; ++k) rank[order[k]] = double(i + end - 1) / 2;
    i = end;
  }
  return rank;
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks(a), y = ranks(b);
  const double mean = double(x.size() - 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

RankCorrelation rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr int64_t replicates = 2000;
  constexpr size_t fewest_for_interval = 8;
  std::vector<double> x, y;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (std::isfinite(a[i]) && std::isfinite(b[i])) {
      x.push_back(a[i]);
      y.push_back(b[i]);
    }
  RankCorrelation out;
  out.pairs = int64_t(x.size());
  out.rho = out.low = out.high = std::numeric_limits<double>::quiet_NaN();
  if (x.size() < 3) return out;
  out.rho = spearman(x, y);
  if (x.size() < fewest_for_interval) return out;
  std::vector<double> drawn;
  const Random random(1, "rank correlation");
  std::vector<double> u(x.size()), v(x.size());
  for (int64_t r = 0; r < replicates; ++r) {
    for (size_t i = 0; i < x.size(); ++i) {
      const uint32_t at = random.below(uint64_t(r) * x.size() + i, uint32_t(x.size()));
      u[i] = x[at];
      v[i] = y[at];
    }
    if (const double rho = spearman(u, v); std::isfinite(rho)) drawn.push_back(rho);
  }
  if (drawn.size() < 100) return out;
  std::sort(drawn.begin(), drawn.end());
  out.low = drawn[size_t(0.025 * double(drawn.size()))];
  out.high = drawn[std::min(drawn.size() - 1, size_t(0.975 * double(drawn.size())))];
  return out;
}

}  // namespace afina
