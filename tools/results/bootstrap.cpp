// The two-way bootstrap of rows and runs.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>
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

// How often each of `count` things is drawn in `count - 1` draws, the only one once: a list for
// each replicate, one after the other. Tables of a comparison have the same sizes, so that the
// lists are kept.
using Times = std::vector<uint8_t>;
const Times& draws(const char* of_what, uint32_t count) {
  thread_local std::map<std::pair<std::string, uint32_t>, Times> kept;
  thread_local size_t bytes = 0;
  const auto known = kept.find({of_what, count});
  if (known != kept.end()) return known->second;
  if (bytes > (size_t(32) << 20)) {
    kept.clear();
    bytes = 0;
  }
  Times& all = kept[{of_what, count}];
  all.assign(replicates * count, count == 1);
  bytes += all.size();
  const Random random(0, "bootstrap", of_what);
  uint64_t block = ~uint64_t(0);
  std::array<uint32_t, 4> bits{};
  for (uint64_t replicate = 0; replicate < replicates; replicate++)
    for (uint32_t i = 0; i + 1 < count; i++) {
      const uint64_t position = replicate * count + i;
      if (position / 4 != block) bits = random.block(block = position / 4);
      // As Random::below() makes a whole number of the bits.
      const uint32_t drawn = uint32_t((uint64_t(bits[position % 4]) * count) >> 32);
      all[replicate * count + drawn]++;
    }
  return all;
}

struct Variances {
  double rows = 0, runs = 0, both = 0;
};

// Of the weighted mean, when rows, runs or both are drawn anew. products: [run][row], value times
// weight.
Variances variances(const std::vector<double>& weights,
                    const std::vector<std::vector<double>>& products) {
  const size_t runs = products.size(), rows = weights.size();
  const Times runs_drawn = draws("runs", uint32_t(runs));
  const Times& rows_drawn = draws("rows", uint32_t(rows));
  std::vector<double> whole(runs, 0.0), sums(runs);
  double weight = 0;
  for (size_t row = 0; row < rows; row++) {
    weight += weights[row];
    for (size_t run = 0; run < runs; run++) whole[run] += products[run][row];
  }
  Spread rows_alone, runs_alone, both;
  for (uint64_t replicate = 0; replicate < replicates; replicate++) {
    const uint8_t *row_times = &rows_drawn[replicate * rows],
                  *run_times = &runs_drawn[replicate * runs];
    double drawn_weight = 0, drawn_runs = 0;
    std::fill(sums.begin(), sums.end(), 0.0);
    for (size_t row = 0; row < rows; row++) {
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
