// Cost rows and sentences of a report.
#include "tools/report/facts.h"
#include <cmath>
#include <limits>
#include "engine/error.h"
#include "tools/text/format.h"

namespace afina {
namespace {

struct Costs {
  const std::vector<MethodSummary>& summaries;
  std::vector<CostRow> rows;

  template <class Value>
  void add(const char* group, const char* label, std::string (*format)(double), bool key,
           Value value) {
    CostRow row{group, label, {}, format, key};
    for (const MethodSummary& summary : summaries) row.values.push_back(double(value(summary)));
    rows.push_back(std::move(row));
  }
};

using S = const MethodSummary&;

std::vector<CostRow> cost_rows(const std::vector<MethodSummary>& summaries) {
  Costs costs{summaries, {}};
  costs.add("Parameters", "trained", format_count, true, [](S s) { return s.trained_parameters; });
  costs.add("Parameters", "in all", format_count, false, [](S s) { return s.total_parameters; });
  costs.add("Memory", "weights", format_bytes, false, [](S s) { return s.memory.weights; });
  costs.add("Memory", "masters", format_bytes, false, [](S s) { return s.memory.masters; });
  costs.add("Memory", "gradients", format_bytes, false, [](S s) { return s.memory.gradients; });
  costs.add("Memory", "optimizer", format_bytes, false, [](S s) { return s.memory.optimizer; });
  costs.add("Memory", "activations", format_bytes, false, [](S s) { return s.memory.activations; });
  costs.add("Memory", "workspace", format_bytes, false, [](S s) { return s.memory.workspace; });
  costs.add("Memory", "peak in training", format_bytes, true, [](S s) { return s.memory.peak(); });
  costs.add("Memory", "resident, whole process", format_bytes, false,
            [](S s) { return s.memory.resident_peak; });
  costs.add("Time", "forward", format_seconds, false, [](S s) { return s.seconds.forward; });
  costs.add("Time", "backward", format_seconds, false, [](S s) { return s.seconds.backward; });
  costs.add("Time", "optimizer", format_seconds, false, [](S s) { return s.seconds.optimizer; });
  costs.add("Time", "other", format_seconds, false, [](S s) { return s.seconds.other; });
  costs.add("Time", "training", format_seconds, true, [](S s) { return s.seconds.training(); });
  costs.add("Time", "evaluation (apart)", format_seconds, false,
            [](S s) { return s.seconds.evaluation; });
  costs.add("Time", "generation (apart)", format_seconds, false,
            [](S s) { return s.seconds.generation; });
  costs.add("Time", "saving (apart)", format_seconds, false, [](S s) { return s.seconds.saving; });
  costs.add("Time", "tokens per second", format_rate, true,
            [](S s) { return s.tokens_per_second.mean; });
  costs.add("Arithmetic", "forward", format_flops, false, [](S s) { return s.flops.forward; });
  costs.add("Arithmetic", "backward", format_flops, false, [](S s) { return s.flops.backward; });
  costs.add("Arithmetic", "executed", format_flops, true, [](S s) { return s.flops.total(); });
  costs.add("Storage", "to deploy", format_bytes, true, [](S s) { return s.storage_bytes; });
  std::erase_if(costs.rows,
                [](const CostRow& row) {  // not measured, or nothing there in any method
                  for (double value : row.values)
                    if (value != 0) return false;
                  return true;
                });
  return costs.rows;
}

double quotient(double value, double reference) {
  return reference > 0 && std::isfinite(value) ? value / reference
                                               : std::numeric_limits<double>::quiet_NaN();
}

// ", holds 0.41× the memory": nothing where the ratio is unknown.
void add_clause(std::string& text, const char* verb, double ratio, const char* what) {
  if (std::isfinite(ratio))
    text += std::string(", ") + verb + " " + format_ratio(ratio) + " " + what;
}

std::string moved(double change) {  // a loss before minus after, in words
  if (!std::isfinite(change)) return "diverged";
  return std::string(change >= 0 ? "fell by " : "rose by ") + format_loss(std::fabs(change));
}

std::string verdict(const Estimate& difference) {
  if (!difference.has_interval()) return "with no interval";
  std::string range = "95 % interval " + format_difference(difference.low()) + " to " +
                      format_difference(difference.high());
  return range + (difference.excludes_zero() ? ", more than chance would give"
                                             : ", no more than chance can give");
}

std::string sign_word(double difference) {
  return difference > 0 ? "worse" : difference < 0 ? "better" : "equal";
}

}  // namespace

Facts::Facts(const Comparison& given)
    : comparison(given), reference(reference_method(given)), paired(paired_differences(given)) {
  require(!comparison.methods.empty(),
          "a report needs at least one method; the comparison has none");
  for (const MethodResult& method : comparison.methods) {
    summaries.push_back(summarise(method));
    has_retain |= summaries.back().retain.known();
    has_accuracy |= summaries.back().accuracy.known();
    seeds = std::max(seeds, int(method.runs.size()));
  }
  costs = cost_rows(summaries);
}

const PairedDifference* Facts::against_reference(size_t method) const {
  if (method == reference) return nullptr;
  return &paired[method < reference ? method : method - 1];
}

double ratio(const CostRow& row, size_t method, size_t reference) {
  return quotient(row.values[method], row.values[reference]);
}

std::string ForeseenFigure::difference() const {
  if (foreseen == measured) return "exact";
  double share = quotient(measured - foreseen, foreseen);
  return std::isfinite(share) ? (share > 0 ? "+" : "\u2212") + format_percent(std::fabs(share))
                              : "";
}

std::vector<ForeseenFigure> foreseen_figures(const RunResult& run) {
  if (!run.predicted) return {};
  const Prediction& p = *run.predicted;
  std::vector<ForeseenFigure> all = {
      {"memory", double(p.memory.peak()), double(run.memory.peak()), format_bytes},
      {"arithmetic", p.flops.total(), run.flops.total(), format_flops}};
  if (p.timed)
    all.push_back(
        {"time of training", p.seconds.training(), run.seconds.training(), format_seconds});
  all.push_back({"storage", double(p.storage_bytes), double(run.storage_bytes), format_bytes});
  return all;
}

std::vector<ForeseenFigure> foreseen_figures(const Facts& facts, size_t method) {
  const std::vector<RunResult>& runs = facts.comparison.methods[method].runs;
  return runs.empty() ? std::vector<ForeseenFigure>() : foreseen_figures(runs[0]);
}

std::string foreseen_sentence(const std::string& label, const RunResult& run) {
  std::string text;
  for (const ForeseenFigure& f : foreseen_figures(run))
    text += (text.empty() ? label + ", foreseen and measured: " : "; ") + std::string(f.what) +
            " " + f.format(f.foreseen) + " and " + f.format(f.measured) + " (" + f.difference() +
            ")";
  return text.empty() ? text : text + ".";
}

std::string cost_sentence(const Facts& facts, size_t method) {
  const MethodSummary& ours = facts.summaries[method];
  const MethodSummary& full = facts.summaries[facts.reference];
  if (method == facts.reference) {
    return facts.label(method) + " trains " + format_count(double(ours.trained_parameters)) +
           " parameters, holds " + format_bytes(double(ours.memory.peak())) +
           " of memory, trains for " + format_seconds(ours.seconds.training()) + " and stores " +
           format_bytes(double(ours.storage_bytes)) + ".";
  }
  std::string text = facts.label(method);
  if (full.trained_parameters > 0)
    text += " trains " +
            format_percent(double(ours.trained_parameters) / double(full.trained_parameters)) +
            " of the parameters that " + facts.label(facts.reference) + " trains";
  add_clause(text, "holds", quotient(double(ours.memory.peak()), double(full.memory.peak())),
             "the memory");
  add_clause(text, "does", quotient(ours.flops.total(), full.flops.total()), "the arithmetic");
  add_clause(text, "takes", quotient(ours.seconds.training(), full.seconds.training()), "the time");
  add_clause(text, "stores", quotient(double(ours.storage_bytes), double(full.storage_bytes)),
             "the bytes");
  return text + ".";
}

std::string memory_sentence(const Facts& facts, size_t method) {
  auto ours = purposes(facts.summaries[method].memory),
       full = purposes(facts.summaries[facts.reference].memory);
  int64_t total =
      facts.summaries[method].memory.peak() - facts.summaries[facts.reference].memory.peak();
  size_t most = 0;
  for (size_t i = 0; i < ours.size(); i++) {
    int64_t change = ours[i].second - full[i].second, best = ours[most].second - full[most].second;
    if (total < 0 ? change < best : change > best) most = i;
  }
  if (total == 0)
    return facts.label(method) + " holds as much as " + facts.label(facts.reference) + ".";
  int64_t change = ours[most].second - full[most].second;
  return facts.label(method) + " holds " + format_bytes(std::fabs(double(total))) +
         (total < 0 ? " less" : " more") + " than " + facts.label(facts.reference) +
         "; the largest part of it is " + ours[most].first + " (" +
         format_bytes(double(full[most].second)) + " → " + format_bytes(double(ours[most].second)) +
         (change == total ? ", all of it" : "") + ").";
}

std::string learning_sentence(const Facts& facts, size_t method) {
  const MethodSummary& ours = facts.summaries[method];
  const MethodSummary& full = facts.summaries[facts.reference];
  std::string name = facts.label(method), reference = facts.label(facts.reference);
  if (ours.diverged) return name + " diverged: its loss is not a number. Lower its learning rate.";
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
  if (pair->over_examples.known()) {
    const Estimate& rows = pair->over_examples;
    text += " Row by row it is " + format_loss(std::fabs(rows.mean)) + " " + sign_word(rows.mean) +
            " than " + reference + " over " + format_grouped(rows.count) + " rows (" +
            verdict(rows) + "), and better on " + format_percent(pair->better_share) + " of them.";
  }
  if (pair->over_seeds.has_interval())
    text += " Seed by seed the difference is " + format_difference(pair->over_seeds.mean) + " (" +
            verdict(pair->over_seeds) + ").";
  return text;
}

std::string interval_sentence(const Facts& facts) {
  if (facts.seeds < 2)
    return "One seed: the figures carry no interval between runs, and small differences between "
           "methods may be chance. Use --seeds 3 or "
           "more "
           "to see how much a run varies.";
  return "± is half of a 95 % interval of the mean over " + std::to_string(facts.seeds) +
         " seeds (Student's t). Differences between methods are paired: the same rows, and the "
         "same seed with the same batches, are "
         "compared "
         "with each other, then Student's t is taken over the differences.";
}

std::vector<std::pair<const char*, int64_t>> purposes(const MemoryBytes& memory) {
  return {{"weights", memory.weights},         {"masters", memory.masters},
          {"gradients", memory.gradients},     {"optimizer", memory.optimizer},
          {"activations", memory.activations}, {"workspace", memory.workspace}};
}

std::vector<std::pair<const char*, double>> training_phases(const PhaseSeconds& seconds) {
  return {{"forward", seconds.forward},
          {"backward", seconds.backward},
          {"optimizer", seconds.optimizer},
          {"other", seconds.other}};
}

}  // namespace afina
