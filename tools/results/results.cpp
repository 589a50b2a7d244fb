// What follows from the runs of a comparison: means with intervals, and paired differences between
// methods.
#include "tools/results/results.h"
#include <cmath>
#include "tools/results/figures.h"

namespace afina {
namespace {

// The runs that a method's costs are of. One that diverged ended early: it counts only where all
// did.
std::vector<const RunResult*> counted(const MethodResult& method) {
  std::vector<const RunResult*> all, whole;
  for (const RunResult& run : method.runs) {
    all.push_back(&run);
    if (!run.diverged) whole.push_back(&run);
  }
  return whole.empty() ? all : whole;
}

template <class Value>
Estimate over_runs(const MethodResult& method, Value value) {
  std::vector<double> values;
  for (const RunResult& run : method.runs)
    if (std::optional<double> one = value(run)) values.push_back(*one);
  return estimate(values);
}
template <class Value>
Estimate over_counted(const MethodResult& method, Value value) {
  std::vector<double> values;
  for (const RunResult* run : counted(method)) values.push_back(value(*run));
  return estimate(values);
}

std::optional<double> difference(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return {};
  return *a - *b;
}

void summarise_costs(const MethodResult& method, MethodSummary& summary) {
  for (const RunResult& run : method.runs)
    summary.diverged |= run.diverged || !std::isfinite(run.after.heldout);
  const std::vector<const RunResult*> runs = counted(method);
  std::vector<const std::vector<StepPoint>*> curves;
  for (const RunResult* one : runs) {
    const RunResult& run = *one;
    double weight = 1.0 / double(runs.size());
    curves.push_back(&run.curve);
    add_weighted(summary.machine_use, run.machine_use, weight);
    add_weighted(summary.seconds, run.seconds, weight);
    add_weighted(summary.flops, run.flops, weight);
    if (run.memory.peak() >= summary.memory.peak()) {
      int64_t resident = std::max(summary.memory.resident_peak, run.memory.resident_peak);
      summary.memory = run.memory;
      summary.memory.resident_peak = resident;
    }
    summary.trained_parameters = std::max(summary.trained_parameters, run.trained_parameters);
    summary.total_parameters = std::max(summary.total_parameters, run.total_parameters);
    summary.storage_bytes = std::max(summary.storage_bytes, run.storage_bytes);
  }
  summary.step_seconds = step_seconds(curves);
}

// Mean over seeds of each held-out row's loss; empty where a run has not recorded them or the rows
// differ between runs.
std::vector<double> row_losses(const MethodResult& method, const std::vector<int64_t>& rows) {
  std::vector<double> mean(rows.size(), 0.0);
  for (const RunResult& run : method.runs) {
    if (rows.empty() || run.examples.rows != rows || run.examples.losses.size() != rows.size())
      return {};
    for (size_t row = 0; row < rows.size(); row++)
      mean[row] += run.examples.losses[row] / double(method.runs.size());
  }
  return mean;
}

// The losses of rows that are the same in all runs; no runs where they are not, or not recorded.
template <class Value>
RowsAndRuns row_table(const std::vector<const ExampleLosses*>& runs, Value value) {
  RowsAndRuns table;
  for (const ExampleLosses* run : runs) {
    const size_t rows = run->rows.size();
    if (rows == 0 || run->rows != runs[0]->rows || run->tokens != runs[0]->tokens ||
        run->tokens.size() != rows || run->losses.size() != rows)
      return {};
    table.runs.emplace_back();
    for (size_t row = 0; row < rows; row++)
      if (std::optional<double> one = value(*run, row)) table.runs.back().push_back(*one);
    if (table.runs.back().size() != rows) return {};
  }
  if (!runs.empty()) table.weights.assign(runs[0]->tokens.begin(), runs[0]->tokens.end());
  return table;
}

// The mean as it was, with an interval over rows and runs where there is one.
Estimate widened(Estimate mean, const RowsAndRuns& table) {
  const Estimate both = over_rows_and_runs(table);
  if (!both.known() || !std::isfinite(mean.mean)) return mean;
  mean.half = both.half;
  mean.rows = both.rows;
  return mean;
}

std::vector<const ExampleLosses*> losses_of(const MethodResult& method,
                                            ExampleLosses RunResult::*which) {
  std::vector<const ExampleLosses*> all;
  for (const RunResult& run : method.runs) all.push_back(&(run.*which));
  return all;
}
std::optional<double> after(const ExampleLosses& losses, size_t row) { return losses.losses[row]; }
// What the row's loss rose by in training.
std::optional<double> rise(const ExampleLosses& losses, size_t row) {
  if (losses.before.size() != losses.losses.size()) return {};
  return losses.losses[row] - losses.before[row];
}

// Of the runs with a seed that both have, row by row.
Estimate overall(const MethodResult& method, const MethodResult& reference,
                 ExampleLosses RunResult::*which, const Estimate& over_seeds) {
  std::vector<ExampleLosses> differences;
  for (const RunResult& ours : method.runs)
    for (const RunResult& theirs : reference.runs) {
      if (ours.seed != theirs.seed) continue;
      const ExampleLosses &one = ours.*which, &other = theirs.*which;
      if (one.rows != other.rows || one.tokens != other.tokens ||
          one.losses.size() != other.losses.size())
        return over_seeds;
      differences.push_back(one);
      for (size_t row = 0; row < one.losses.size(); row++)
        differences.back().losses[row] -= other.losses[row];
    }
  std::vector<const ExampleLosses*> all;
  for (const ExampleLosses& one : differences) all.push_back(&one);
  return widened(over_seeds, row_table(all, after));
}

PairedDifference paired(const MethodResult& method, const MethodResult& reference) {
  PairedDifference result;
  result.method = method.label;
  result.reference = reference.label;
  std::vector<double> by_seed, retained;
  for (const RunResult& ours : method.runs)
    for (const RunResult& theirs : reference.runs) {
      if (ours.seed != theirs.seed) continue;
      by_seed.push_back(ours.after.heldout - theirs.after.heldout);
      if (auto more = difference(ours.after.retain, theirs.after.retain)) retained.push_back(*more);
    }
  result.over_seeds = estimate(by_seed);
  result.overall = overall(method, reference, &RunResult::examples, result.over_seeds);
  result.retain = overall(method, reference, &RunResult::retain_examples, estimate(retained));
  if (method.runs.empty() || reference.runs.empty()) return result;
  const std::vector<int64_t>& rows = reference.runs[0].examples.rows;
  std::vector<double> ours = row_losses(method, rows), theirs = row_losses(reference, rows);
  if (ours.empty() || theirs.empty()) return result;
  size_t better = 0;
  for (size_t row = 0; row < ours.size(); row++) {
    better += ours[row] < theirs[row];
    ours[row] -= theirs[row];
  }
  result.over_examples = estimate(ours);
  result.better_share = double(better) / double(ours.size());
  return result;
}

}  // namespace

MethodSummary summarise(const MethodResult& method) {
  using Maybe = std::optional<double>;
  MethodSummary summary;
  summarise_costs(method, summary);
  summary.heldout =
      over_runs(method, [](const RunResult& run) { return Maybe(run.after.heldout); });
  summary.retain = over_runs(method, [](const RunResult& run) { return run.after.retain; });
  summary.gain = over_runs(
      method, [](const RunResult& run) { return Maybe(run.before.heldout - run.after.heldout); });
  summary.forgetting = over_runs(
      method, [](const RunResult& run) { return difference(run.after.retain, run.before.retain); });
  const auto rows = losses_of(method, &RunResult::examples),
             retained = losses_of(method, &RunResult::retain_examples);
  summary.heldout = widened(summary.heldout, row_table(rows, after));
  summary.gain = widened(summary.gain, row_table(rows, rise));
  summary.retain = widened(summary.retain, row_table(retained, after));
  summary.forgetting = widened(summary.forgetting, row_table(retained, rise));
  summary.throughput =
      over_counted(method, [](const RunResult& run) { return run.tokens_per_second(); });
  summary.training_seconds =
      over_counted(method, [](const RunResult& run) { return run.seconds.training(); });
  summary.processor_seconds =
      over_counted(method, [](const RunResult& run) { return run.machine_use.processor_seconds; });
  summary.final_train_loss = over_runs(method, [](const RunResult& run) {
    return run.curve.empty() ? Maybe() : Maybe(run.curve.back().loss);
  });
  return summary;
}

size_t reference_method(const Comparison& comparison) {
  for (size_t which = 0; which < comparison.methods.size(); which++)
    if (comparison.methods[which].kind == "full") return which;
  return 0;
}

std::vector<PairedDifference> paired_differences(const Comparison& comparison) {
  std::vector<PairedDifference> all;
  size_t reference = reference_method(comparison);
  for (size_t which = 0; which < comparison.methods.size(); which++)
    if (which != reference)
      all.push_back(paired(comparison.methods[which], comparison.methods[reference]));
  return all;
}

}  // namespace afina
