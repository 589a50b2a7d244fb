// Rows of the first table.
#include "tools/report/summary_rows.h"

#include <algorithm>
#include <cmath>

#include "tools/report/finding.h"
#include "tools/results/judgement.h"

namespace afina {

namespace {

constexpr const char* dash = "\u2013";

std::string bracketed(double low, double high, std::string (*one)(double)) {
  return "[" + one(low) + ", " + one(high) + "]";
}
// Near one a third decimal tells apart: 0.987.
std::string share_number(double share) {
  char text[32];
  const double size = std::fabs(share);
  std::snprintf(text, sizeof text, size < 9.95 ? "%.3f" : "%.1f", size);
  return (share < 0 && std::string(text) != "0.000" ? "−" : "") + std::string(text);
}
std::string signed_number(double value) { return format_difference(value); }

SummaryRow empty_row(const Facts& facts, const std::string& name, const std::string& narrow) {
  const size_t methods = facts.summaries.size();
  SummaryRow row;
  row.name = name;
  row.narrow = narrow;
  row.values.assign(methods, dash);
  row.halves.assign(methods, "");
  row.ratios.assign(methods, "");
  row.intervals.assign(methods, "");
  row.best.assign(methods, false);
  return row;
}

// Marks the best of known values, unless it is alone, shares its place, or is not clearly better
// than the reference (or, where it is the reference, than the next).
template <class ClearOf>
void mark_best(const Facts& facts, SummaryRow& row, const std::vector<double>& values,
               bool more_is_better, ClearOf clear) {
  std::vector<size_t> order;
  for (size_t method = 0; method < values.size(); method++)
    if (std::isfinite(values[method]) && !facts.summaries[method].diverged) order.push_back(method);
  if (order.size() < 2) return;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return more_is_better ? values[a] > values[b] : values[a] < values[b];
  });
  if (values[order[0]] == values[order[1]]) return;
  const size_t judged = order[0] == facts.reference ? order[1] : order[0];
  if (clear(judged) != Clear::no) row.best[order[0]] = true;
}

SummaryRow estimate_row(const Facts& facts, const std::string& name, const std::string& narrow,
                        Estimate MethodSummary::*of, Format format) {
  SummaryRow row = empty_row(facts, name, narrow);
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const Estimate& one = facts.summaries[method].*of;
    if (!one.known()) continue;
    row.values[method] = std::isfinite(one.mean) ? format(one.mean) : "diverged";
    if (one.has_interval() && std::isfinite(one.mean)) row.halves[method] = format_loss(one.half);
  }
  return row;
}

void add_difference(SummaryRow& row, size_t method, const Estimate& difference) {
  if (!difference.known() || !std::isfinite(difference.mean)) return;
  row.ratios[method] = signed_number(difference.mean);
  if (difference.has_interval())
    row.intervals[method] = bracketed(difference.low(), difference.high(), signed_number);
}
// Has a quotient of positive numbers an interval worth showing? One that reaches zero says that too
// few runs, or too uneven ones, were measured to bound it.
bool bounded(const Estimate& quotient) { return quotient.has_interval() && quotient.low() > 0; }

void add_share(SummaryRow& row, size_t method, const Estimate& share) {
  if (!share.known() || !std::isfinite(share.mean)) return;
  row.ratios[method] = share_number(share.mean) + "×";
  if (bounded(share)) row.intervals[method] = bracketed(share.low(), share.high(), share_number);
}

std::vector<double> means(const Facts& facts, Estimate MethodSummary::*of) {
  std::vector<double> all;
  for (const MethodSummary& summary : facts.summaries)
    all.push_back((summary.*of).known() ? (summary.*of).mean : std::nan(""));
  return all;
}

std::string before_text(const Facts& facts, bool retain) {
  for (const MethodResult& method : facts.comparison.methods)
    for (const RunResult& run : method.runs) {
      const double before = retain ? run.before.retain.value_or(NAN) : run.before.heldout;
      if (std::isfinite(before)) return format_loss(before);
    }
  return "";
}

void add_losses(const Facts& facts, std::vector<SummaryRow>& rows) {
  auto clear = [&](size_t method) { return clear_difference(facts, method); };
  auto clear_forgot = [&](size_t method) { return clear_forgetting(facts, method); };
  SummaryRow heldout =
      estimate_row(facts, "Held-out loss", "held-out", &MethodSummary::heldout, format_loss);
  SummaryRow learned = estimate_row(facts, "Learned", "learned", &MethodSummary::gain,
                                    [](double v) { return format_difference(v); });
  heldout.before = before_text(facts, false);
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    if (const PairedDifference* pair = facts.against_reference(method))
      add_difference(heldout, method, pair->overall);
    if (method != facts.reference) add_share(learned, method, learned_share(facts, method));
  }
  mark_best(facts, heldout, means(facts, &MethodSummary::heldout), false, clear);
  mark_best(facts, learned, means(facts, &MethodSummary::gain), true, clear);
  rows.push_back(std::move(heldout));
  rows.push_back(std::move(learned));
  if (!facts.has_retain) return;
  SummaryRow retain =
      estimate_row(facts, "Retention loss", "retention", &MethodSummary::retain, format_loss);
  SummaryRow forgotten = estimate_row(facts, "Forgotten", "forgotten", &MethodSummary::forgetting,
                                      [](double v) { return format_difference(v); });
  retain.before = before_text(facts, true);
  for (size_t method = 0; method < facts.summaries.size(); method++)
    if (method != facts.reference) {
      add_difference(retain, method, forgetting_difference(facts, method));
      add_share(forgotten, method, forgotten_share(facts, method));
    }
  mark_best(facts, retain, means(facts, &MethodSummary::retain), false, clear_forgot);
  mark_best(facts, forgotten, means(facts, &MethodSummary::forgetting), false, clear_forgot);
  rows.push_back(std::move(retain));
  rows.push_back(std::move(forgotten));
}

// Accuracy where answers are right or wrong, else how many rows pass every rule.
void add_judged(const Facts& facts, std::vector<SummaryRow>& rows) {
  const std::vector<std::string> rules = judged_rules(facts.comparison);
  if (rules.empty()) return;
  const auto& methods = facts.comparison.methods;
  const std::string right = accuracy_rule(rules), rule = right.empty() ? rules.back() : right;
  SummaryRow row = right.empty() ? empty_row(facts, "Pass the rules", "passes")
                                 : empty_row(facts, "Accuracy", "accuracy");
  auto points = [](double share) {
    char text[24];
    std::snprintf(text, sizeof text, "%.1f", 100. * std::fabs(share));
    return (share < 0 && std::string(text) != "0.0" ? "−" : "+") + std::string(text);
  };
  std::vector<double> values;
  std::vector<Clear> clear;
  for (size_t m = 0; m < methods.size(); m++) {
    const ShareEstimate after = passed_after(methods[m], rule),
                        before = passed_before(methods[m], rule);
    values.push_back(after.known() ? after.share : std::nan(""));
    if (before.known() && row.before.empty()) row.before = format_percent(before.share);
    if (after.known()) row.values[m] = format_percent(after.share);
    clear.push_back(Clear::no);
    if (m == facts.reference) continue;
    const ShareEstimate apart = passed_difference(methods[m], methods[facts.reference], rule);
    if (!apart.known()) continue;
    row.ratios[m] = points(apart.share);
    row.intervals[m] = bracketed(apart.low, apart.high, points);
    if (apart.low > 0 || apart.high < 0) clear.back() = Clear::yes;
  }
  mark_best(facts, row, values, true, [&](size_t m) { return clear[m]; });
  rows.push_back(std::move(row));
}

// Quotients of the runs' training times, seed by seed.
Estimate time_share(const Facts& facts, size_t method) {
  std::vector<double> shares;
  for (const RunResult& ours : facts.comparison.methods[method].runs)
    for (const RunResult& theirs : facts.comparison.methods[facts.reference].runs)
      if (ours.seed == theirs.seed && !ours.diverged && !theirs.diverged &&
          theirs.seconds.training() > 0)
        shares.push_back(ours.seconds.training() / theirs.seconds.training());
  return estimate(shares);
}

struct Cost {
  const char *name, *narrow, *word;  // word: of the figure in tools/results/figures.h
};
constexpr Cost costs[] = {{"Parameters trained", "parameters", "trained parameters"},
                          {"FLOPs", "FLOPs", "FLOPs"},
                          {"Memory", "memory", "memory"},
                          {"Storage", "storage", "storage"},
                          {"Training time", "time", "training time"}};

void add_cost(const Facts& facts, std::vector<SummaryRow>& rows, const Cost& cost) {
  for (const CostRow& figure : facts.costs) {
    if (!figure.figure.key() || figure.figure.word != std::string(cost.word)) continue;
    SummaryRow row = empty_row(facts, cost.name, cost.narrow);
    const Format format = format_of(figure.figure.unit);
    std::vector<double> values = figure.values;
    double widest = 0;
    for (size_t method = 0; method < values.size(); method++) {
      row.values[method] = values[method] > 0 ? format(values[method]) : dash;
      if (figure.halves[method] > 0) row.halves[method] = format(figure.halves[method]);
      widest = std::max(widest, figure.halves[method]);
      if (!(values[method] > 0)) values[method] = std::nan("");
      row.ratios[method] = ratio_text(figure, method, facts.reference);
      if (method == facts.reference || figure.figure.unit != Unit::seconds ||
          !figure.compares[method])
        continue;
      if (const Estimate times = time_share(facts, method); bounded(times))
        row.intervals[method] = bracketed(times.low(), times.high(), [](double value) {
          char text[32];
          std::snprintf(text, sizeof text, "%.2f", std::fabs(value));
          return (value < 0 ? "−" : "") + std::string(text);
        });
    }
    const bool compare =
        std::all_of(figure.compares.begin(), figure.compares.end(), [](bool one) { return one; });
    mark_best(facts, row, values, false, [&](size_t method) {
      if (!compare) return Clear::no;
      const double apart = std::fabs(values[method] - values[facts.reference]);
      return widest > 0 && !(apart > 2 * widest) ? Clear::no : Clear::yes;
    });
    rows.push_back(std::move(row));
  }
}

}  // namespace

std::vector<SummaryRow> summary_rows(const Facts& facts) {
  std::vector<SummaryRow> rows;
  add_losses(facts, rows);
  add_judged(facts, rows);
  for (const Cost& cost : costs) add_cost(facts, rows, cost);
  SummaryRow rate = empty_row(facts, "Learning rate", "rate");
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const MethodResult& result = facts.comparison.methods[method];
    if (result.learning_rate > 0) rate.values[method] = format_learning_rate(result.learning_rate);
    if (result.search.size() > 1)
      rate.ratios[method] = "best of " + std::to_string(result.search.size());
  }
  rows.push_back(std::move(rate));
  return rows;
}

}  // namespace afina
