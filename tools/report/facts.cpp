// Cost rows and sentences of a report.
#include "tools/report/facts.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include "engine/error.h"
#include "tools/results/merge.h"
#include "tools/text/names.h"

namespace afina {
namespace {

bool is_time(const Shown& figure) {
  return figure.unit == Unit::seconds || figure.unit == Unit::per_second;
}

// Half of the interval of each figure over the method's runs, for times: what follows from the
// options alone hardly varies. 0 where there is none.
std::vector<double> halves_of(const MethodResult& method, const std::vector<CostFigure>& figures) {
  std::vector<std::vector<double>> values(figures.size());
  for (const RunResult& run : method.runs) {
    if (run.diverged) continue;
    const std::vector<CostFigure> one = cost_figures(run);
    for (size_t i = 0; i < figures.size(); i++) values[i].push_back(one[i].value);
  }
  std::vector<double> halves(figures.size(), 0);
  for (size_t i = 0; i < figures.size(); i++) {
    const Estimate all = estimate(values[i]);
    if (is_time(figures[i].shown) && all.has_interval()) halves[i] = all.half;
  }
  return halves;
}

std::vector<CostRow> cost_rows(const std::vector<MethodResult>& methods,
                               const std::vector<MethodSummary>& summaries,
                               const std::vector<bool>& times_compare) {
  std::vector<CostRow> rows;
  for (size_t method = 0; method < summaries.size(); method++) {
    const std::vector<CostFigure> figures = cost_figures(summaries[method]);
    const std::vector<double> halves = halves_of(methods[method], figures);
    if (rows.empty())
      for (const CostFigure& figure : figures)
        rows.push_back({figure.shown, {}, {}, std::vector<bool>(summaries.size(), true)});
    for (size_t i = 0; i < figures.size(); i++) {
      rows[i].values.push_back(figures[i].value);
      rows[i].halves.push_back(halves[i]);
      if (is_time(figures[i].shown)) rows[i].compares[method] = times_compare[method];
    }
  }
  // Not measured, or nothing there in any method.
  std::erase_if(rows, [](const CostRow& row) {
    return std::all_of(row.values.begin(), row.values.end(), [](double v) { return v == 0; });
  });
  return rows;
}

double quotient(double value, double reference) {
  return reference > 0 && std::isfinite(value) ? value / reference
                                               : std::numeric_limits<double>::quiet_NaN();
}

// ", uses 0.41× the memory": nothing where the ratio is unknown.
void add_clause(std::string& text, const char* verb, double ratio, const char* what) {
  if (std::isfinite(ratio))
    text += std::string(", ") + verb + " " + format_ratio(ratio) + " " + what;
}

std::string moved(double change) {  // a loss before minus after, in words
  if (!std::isfinite(change)) return "diverged";
  if (change == 0.) return "stayed exactly as it was";
  return std::string(change >= 0 ? "fell by " : "rose by ") + format_loss(std::fabs(change));
}

std::string verdict(const Estimate& difference) {
  if (!difference.has_interval()) return "with no interval";
  std::string range = "95 % interval " + format_difference(difference.low()) + " to " +
                      format_difference(difference.high());
  return range + (difference.excludes_zero() ? ", which excludes zero"
                                             : ", which includes zero: it may be chance");
}

// "0.6402 higher than that of full": a difference of losses.
std::string against(double difference, const std::string& reference) {
  if (difference == 0) return "equal to that of " + reference;
  return format_loss(std::fabs(difference)) + (difference > 0 ? " higher" : " lower") +
         " than that of " + reference;
}

}  // namespace

Facts::Facts(const Comparison& given)
    : comparison(given), reference(reference_method(given)), paired(paired_differences(given)) {
  require(!comparison.methods.empty(),
          "a report needs at least one method; the comparison has none");
  for (const MethodResult& method : comparison.methods) {
    summaries.push_back(summarise(method));
    has_retain |= summaries.back().retain.known();
    seeds = std::max(seeds, int(method.runs.size()));
  }
  std::vector<std::string> labels;
  for (const MethodResult& method : comparison.methods) labels.push_back(method.label);
  shorts = short_names(labels);
  spoken = spoken_names(comparison.methods);
  for (const LossFigure& figure : loss_figures()) {
    auto known = [&](const MethodSummary& summary) { return (summary.*figure.of).known(); };
    if (figure.name && std::any_of(summaries.begin(), summaries.end(), known))
      losses.push_back(figure);
  }
  for (const MethodResult& method : comparison.methods) {
    times_compare.push_back(
        afina::times_compare(comparison, comparison.methods[reference], method));
    all_times_compare &= times_compare.back();
  }
  costs = cost_rows(comparison.methods, summaries, times_compare);
  notes = comparison.notes;
  for (std::string& note : timing_notes(comparison)) notes.push_back(std::move(note));
}

std::string CostRow::text(size_t method) const {
  const Format format = format_of(figure.unit);
  return format(values[method]) + (halves[method] > 0 ? " ± " + format(halves[method]) : "");
}

const PairedDifference* Facts::against_reference(size_t method) const {
  if (method == reference) return nullptr;
  return &paired[method < reference ? method : method - 1];
}

double ratio(const CostRow& row, size_t method, size_t reference) {
  if (row.figure.unit == Unit::share || row.figure.unit == Unit::load || !row.compares[method])
    return std::numeric_limits<double>::quiet_NaN();
  return quotient(row.values[method], row.values[reference]);
}

std::string ratio_text(const CostRow& row, size_t method, size_t reference) {
  if (method == reference) return "";
  if (!row.compares[method]) return "\u2013";
  const double times = ratio(row, method, reference);
  return std::isfinite(times) ? format_ratio(times) : "";
}

std::string PredictedFigure::difference() const {
  if (predicted == measured) return "exact";
  double share = quotient(measured - predicted, predicted);
  return std::isfinite(share) ? (share > 0 ? "+" : "\u2212") + format_percent(std::fabs(share))
                              : "";
}

std::vector<PredictedFigure> predicted_figures(const RunResult& run) {
  if (!run.predicted) return {};
  const std::vector<CostFigure> predicted = cost_figures(*run.predicted),
                                measured = cost_figures(run);
  std::vector<PredictedFigure> all;
  for (size_t i = 0; i < measured.size(); i++) {
    const Shown& shown = measured[i].shown;
    bool a_cost = shown.key() && shown.unit != Unit::count && shown.unit != Unit::per_second;
    if (a_cost && (shown.unit != Unit::seconds || run.predicted->timed))
      all.push_back({shown, predicted[i].value, measured[i].value});
  }
  return all;
}

std::vector<PredictedFigure> predicted_figures(const Facts& facts, size_t method) {
  const std::vector<RunResult>& runs = facts.comparison.methods[method].runs;
  return runs.empty() ? std::vector<PredictedFigure>() : predicted_figures(runs[0]);
}

std::string predicted_sentence(const std::string& label, const RunResult& run) {
  std::string text;
  for (const PredictedFigure& f : predicted_figures(run))
    text += (text.empty() ? label + ", predicted and measured: " : "; ") + f.figure.word + " " +
            f.text(f.predicted) + " and " + f.text(f.measured) + " (" + f.difference() + ")";
  return text.empty() ? text : text + ".";
}

std::string time_sentence(const RunResult& run) {
  const StepSeconds& step = run.step_seconds;
  const MachineUse& use = run.machine_use;
  return "trained for " + format_seconds(run.seconds.training()) + "; a step took " +
         format_seconds(step.median) + " (quartiles " + format_seconds(step.lower_quartile) +
         " and " + format_seconds(step.upper_quartile) + "); the processors worked " +
         format_seconds(use.processor_seconds) + ", " + format_percent(use.share()) +
         " of what the threads could have had, at a load average of " + format_load(use.load);
}

std::string cost_sentence(const Facts& facts, size_t method) {
  const MethodSummary& ours = facts.summaries[method];
  const MethodSummary& full = facts.summaries[facts.reference];
  const auto& runs = facts.comparison.methods[method].runs;
  auto diverged = [](const RunResult& run) { return run.diverged.has_value(); };
  if (!runs.empty() && std::all_of(runs.begin(), runs.end(), diverged))
    return facts.label(method) + " " + diverged_sentence(facts, method) +
           ": its costs are those of the steps before.";
  if (method == facts.reference) {
    return facts.label(method) + " trains " + format_count(double(ours.trained_parameters)) +
           " parameters, uses " + format_bytes(double(ours.memory.peak())) +
           " of memory, trains for " + format_seconds(ours.seconds.training()) + " and stores " +
           format_bytes(double(ours.storage_bytes)) + ".";
  }
  std::string text = facts.label(method);
  if (full.trained_parameters > 0)
    text += " trains " +
            format_percent(double(ours.trained_parameters) / double(full.trained_parameters)) +
            " of the parameters that " + facts.label(facts.reference) + " trains";
  add_clause(text, "uses", quotient(double(ours.memory.peak()), double(full.memory.peak())),
             "the memory");
  add_clause(text, "computes", quotient(ours.flops.total(), full.flops.total()), "the FLOPs");
  if (facts.times_compare[method])
    add_clause(text, "takes", quotient(ours.seconds.training(), full.seconds.training()),
               "the training time");
  add_clause(text, "stores", quotient(double(ours.storage_bytes), double(full.storage_bytes)),
             "the bytes");
  return text + ".";
}

std::string memory_sentence(const Facts& facts, size_t method) {
  const MemoryBytes &ours = facts.summaries[method].memory,
                    &full = facts.summaries[facts.reference].memory;
  const std::string name = facts.label(method), reference = facts.label(facts.reference);
  const int64_t more = ours.peak() - full.peak();
  // Weights in training are held through all of it, so that these hardly depend on the moment.
  auto trained = [](const MemoryBytes& memory) {
    int64_t sum = 0;
    for (Purpose purpose : {Purpose::masters, Purpose::gradients, Purpose::optimizer})
      sum += memory.of[size_t(purpose)];
    return sum;
  };
  std::string text = more == 0
                         ? name + " and " + reference + " use the same memory at their peaks"
                         : name + " uses " + format_bytes(std::fabs(double(more))) +
                               (more < 0 ? " less" : " more") + " at its peak than " + reference +
                               " at its own (" + format_bytes(double(ours.peak())) + " against " +
                               format_bytes(double(full.peak())) + ")";
  if (trained(ours) != trained(full))
    text += "; masters, gradients and optimizer state take " + format_bytes(double(trained(ours))) +
            " of it, against " + format_bytes(double(trained(full)));
  return text + ".";
}

std::string learning_sentence(const Facts& facts, size_t method) {
  const MethodSummary& ours = facts.summaries[method];
  const MethodSummary& full = facts.summaries[facts.reference];
  std::string name = facts.label(method), reference = facts.label(facts.reference);
  if (ours.diverged)
    return name + " " + diverged_sentence(facts, method) + ". Lower its learning rate.";
  std::string text = "With " + name + " the held-out loss " + moved(ours.gain.mean);
  if (method != facts.reference) text += " (" + reference + ": " + moved(full.gain.mean) + ")";
  if (ours.forgetting.known()) {
    text += ", the loss on the retention text " + moved(-ours.forgetting.mean);
    if (method != facts.reference && full.forgetting.known())
      text += " (" + reference + ": " + moved(-full.forgetting.mean) + ")";
  }
  text += ".";
  const PairedDifference* pair = facts.against_reference(method);
  if (!pair) return text;
  if (pair->overall.known())
    text += " Its held-out loss is " + against(pair->overall.mean, reference) + " (" +
            verdict(pair->overall) + ")";
  if (pair->over_examples.known())
    text += (pair->overall.known() ? "; it is" : " Its held-out loss is") +
            std::string(" lower on ") + format_percent(pair->better_share) + " of the " +
            format_grouped(pair->over_examples.count) + " rows";
  if (pair->overall.known() || pair->over_examples.known()) text += ".";
  return text;
}

std::string diverged_sentence(const Facts& facts, size_t method) {
  if (!facts.summaries[method].diverged) return "";
  std::string text;
  const auto& runs = facts.comparison.methods[method].runs;
  for (const RunResult& run : runs) {
    if (!run.diverged) continue;
    text += (text.empty() ? "" : ", ") + std::string("at step ") + std::to_string(*run.diverged);
    if (runs.size() > 1) text += " with seed " + std::to_string(run.seed);
  }
  return "diverged" + (text.empty() ? ": its loss is not a number" : " " + text);
}

std::string interval_sentence(const Facts& facts) {
  int rows = 0;  // that an interval of a loss is over
  for (const MethodSummary& summary : facts.summaries) rows = std::max(rows, summary.heldout.rows);
  const std::string paired =
      " Differences between methods are paired: the same rows, after runs with the same seed and "
      "the same batches.";
  if (facts.seeds < 2 && rows < 2)
    return "One seed: there are no intervals between runs, and small differences between methods "
           "may be chance. Use --seeds 3 or more to see how much runs vary.";
  if (facts.seeds < 2)
    return "One seed: ± is half the width of a 95 % interval over the " + format_grouped(rows) +
           " held-out rows only (bootstrap). How much runs vary is not in it: use --seeds 3 or "
           "more." +
           paired;
  if (rows < 2)
    return "± is half the width of a 95 % interval of the mean over " +
           std::to_string(facts.seeds) + " seeds (Student's t)." + paired;
  return "± is half the width of a 95 % interval: of losses over " + format_grouped(rows) +
         " held-out rows and " + std::to_string(facts.seeds) +
         " seeds at once (two-way bootstrap), of times over the seeds (Student's t)." + paired;
}

namespace {

// The figures of a struct that stand before their sum: its parts.
struct PartsOf {
  Parts all;
  bool summed = false;
  template <class T>
  void operator()(const char*, T& value, const Shown& figure) {
    if (!summed) all.emplace_back(figure.name, double(value));
  }
  template <class T>
  void derived(const char*, T, const Shown&) {
    summed = true;
  }
  void shown(double, const Shown&) { summed = true; }
};

template <class T>
Parts collect_parts(T figures) {
  PartsOf parts;
  fields(parts, figures);
  return std::move(parts.all);
}

}  // namespace

Parts parts_of(const MemoryBytes& memory) { return collect_parts(memory); }
Parts parts_of(const PhaseSeconds& seconds) { return collect_parts(seconds); }
Parts parts_of(const Flops& flops) { return collect_parts(flops); }

std::vector<LayerChange> changes_of(const MethodResult& method) {
  for (const RunResult& run : method.runs)
    if (!run.changes.empty()) return run.changes;
  return {};
}

}  // namespace afina
