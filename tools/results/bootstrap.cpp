// The two-way bootstrap of rows and runs.
#include <algorithm>
#include <cmath>
#include <limits>
#include "engine/error.h"
#include "engine/random.h"
#include "tools/results/statistics.h"

namespace afina {
namespace {

constexpr uint64_t replicates = 2000;  // their standard error is itself known to 1.6 %

// Variance of numbers that come one after the other (Welford).
struct Spread {
  double mean = 0, squares = 0;
  uint64_t count = 0;
  void add(double value) {
    count++;
    const double change = value - mean;
    mean += change / double(count);
    squares += change * (value - mean);
  }
  double variance() const { return count > 1 ? squares / double(count - 1) : 0; }
};

// How often each of `count` things is drawn in `count - 1` draws; the only one once.
void draw(const Random& random, uint64_t replicate, std::vector<double>& times) {
  const uint32_t count = uint32_t(times.size());
  if (count == 1) {
    times[0] = 1;
    return;
  }
  std::fill(times.begin(), times.end(), 0.0);
  for (uint32_t i = 0; i + 1 < count; i++) times[random.below(replicate * count + i, count)] += 1;
}

struct Variances {
  double rows = 0, runs = 0, both = 0;
};

// Of the weighted mean, when rows, runs or both are drawn anew. products: [run][row], value times
// weight.
Variances variances(const std::vector<double>& weights,
                    const std::vector<std::vector<double>>& products) {
  const Random of_rows(0, "bootstrap", "rows"), of_runs(0, "bootstrap", "runs");
  const size_t runs = products.size();
  std::vector<double> row_times(weights.size()), run_times(runs), whole(runs, 0.0), sums(runs);
  double weight = 0;
  for (size_t row = 0; row < weights.size(); row++) {
    weight += weights[row];
    for (size_t run = 0; run < runs; run++) whole[run] += products[run][row];
  }
  Spread rows_alone, runs_alone, both;
  for (uint64_t replicate = 0; replicate < replicates; replicate++) {
    draw(of_rows, replicate, row_times);
    draw(of_runs, replicate, run_times);
    double drawn_weight = 0, drawn_runs = 0;
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t row = 0; row < weights.size(); row++) {
      if (row_times[row] == 0) continue;
      drawn_weight += row_times[row] * weights[row];
      for (size_t run = 0; run < runs; run++) sums[run] += row_times[row] * products[run][row];
    }
    double by_rows = 0, by_runs = 0, by_both = 0;
    for (size_t run = 0; run < runs; run++) {
      drawn_runs += run_times[run];
      by_rows += sums[run];
      by_runs += run_times[run] * whole[run];
      by_both += run_times[run] * sums[run];
    }
    rows_alone.add(by_rows / (double(runs) * drawn_weight));
    runs_alone.add(by_runs / (drawn_runs * weight));
    both.add(by_both / (drawn_runs * drawn_weight));
  }
  return {rows_alone.variance(), runs_alone.variance(), both.variance()};
}

// Satterthwaite's degrees of freedom of a sum of two variances.
double degrees_of(double one, int one_count, double other, int other_count) {
  double parts = 0;
  if (one_count > 1) parts += one * one / (one_count - 1);
  if (other_count > 1) parts += other * other / (other_count - 1);
  return std::max(1.0, (one + other) * (one + other) / parts);
}

}  // namespace

Estimate over_rows_and_runs(const RowsAndRuns& table) {
  std::vector<double> weights;
  for (double weight : table.weights)
    if (weight > 0) weights.push_back(weight);
  Estimate result;
  if (weights.empty() || table.runs.empty()) return result;
  result.count = int(table.runs.size());
  result.rows = int(weights.size());
  std::vector<std::vector<double>> products;
  double total = 0, sum = 0;
  for (double weight : weights) total += weight;
  for (const std::vector<double>& run : table.runs) {
    require(run.size() == table.weights.size(), "an interval over rows needs the same rows of ",
            "every run: one has ", run.size(), " values for ", table.weights.size(), " weights");
    products.emplace_back();
    for (size_t row = 0; row < run.size(); row++)
      if (table.weights[row] > 0) {
        products.back().push_back(run[row] * table.weights[row]);
        sum += products.back().back();
      }
  }
  result.mean = sum / (total * result.count);
  if (!std::isfinite(result.mean)) {
    result.mean = result.half = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  if (result.rows < 2 && result.count < 2) return result;
  const Variances found = variances(weights, products);
  if (!(found.rows + found.runs > 0)) return result;  // all values are the same
  result.half = std::sqrt(found.both) *
                student_t_95(degrees_of(found.rows, result.rows, found.runs, result.count));
  return result;
}

}  // namespace afina
