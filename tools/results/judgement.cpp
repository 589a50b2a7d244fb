// Shares of judged answers.
#include "tools/results/judgement.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/results/share.h"

namespace afina {

const char* const all_rules = "all of them";

namespace {

using Verdicts = std::vector<double>;
using Side = std::vector<double> RuleVerdicts::*;

Verdicts verdicts_of(const Judgement& judgement, const std::string& rule, Side side) {
  for (const RuleVerdicts& one : judgement.rules)
    if (one.name == rule) return one.*side;
  if (rule != all_rules || judgement.rules.size() < 2) return {};
  Verdicts all(judgement.rows.size(), std::numeric_limits<double>::quiet_NaN());
  for (const RuleVerdicts& one : judgement.rules)
    for (size_t row = 0; row < all.size() && row < (one.*side).size(); ++row)
      if (const double value = (one.*side)[row]; !std::isnan(value))
        all[row] = std::isnan(all[row]) ? value : std::min(all[row], value);
  return all;
}

// Values of the rows that have one in every run.
RowsAndRuns complete(const std::vector<Verdicts>& runs) {
  RowsAndRuns table;
  table.runs.resize(runs.size());
  for (size_t row = 0; !runs.empty() && row < runs[0].size(); ++row) {
    const bool asked = std::none_of(runs.begin(), runs.end(), [row](const Verdicts& run) {
      return row >= run.size() || std::isnan(run[row]);
    });
    if (!asked) continue;
    table.weights.push_back(1);
    for (size_t run = 0; run < runs.size(); ++run) table.runs[run].push_back(runs[run][row]);
  }
  return table;
}

ShareEstimate over_both(const RowsAndRuns& table, double least) {
  const Estimate estimate = over_rows_and_runs(table);
  return {estimate.mean, std::max(least, estimate.low()), std::min(1., estimate.high()),
          int64_t(table.weights.size()), int(table.runs.size())};
}

void widen(ShareEstimate& share, double low, double high) {
  share.low = std::min(share.low, low);
  share.high = std::max(share.high, high);
}

ShareEstimate share_of(const std::vector<Verdicts>& runs) {
  const RowsAndRuns table = complete(runs);
  if (table.weights.empty()) return {};
  // Of several runs the rows count once: the same rows seen again are no new rows.
  Share rows{0, int64_t(table.weights.size())};
  double sum = 0;
  for (const Verdicts& run : table.runs)
    for (double value : run) sum += value;
  rows.passed = std::llround(sum / double(table.runs.size()));
  if (table.runs.size() == 1) return {rows.share(), rows.low(), rows.high(), rows.of, 1};
  ShareEstimate share = over_both(table, 0.);
  widen(share, std::min(share.share, rows.low()), std::max(share.share, rows.high()));
  return share;
}

// before, after: of the same rows, run by run.
ShareEstimate change_of(const std::vector<Verdicts>& before, const std::vector<Verdicts>& after) {
  std::vector<Verdicts> apart;
  for (size_t run = 0; run < before.size(); ++run) {
    Verdicts one(std::min(before[run].size(), after[run].size()));
    for (size_t row = 0; row < one.size(); ++row) one[row] = after[run][row] - before[run][row];
    apart.push_back(std::move(one));
  }
  const RowsAndRuns table = complete(apart);
  if (table.weights.empty()) return {};
  PairedShares pair;  // of the first run
  for (size_t row = 0; row < apart[0].size(); ++row) {
    const double was = before[0][row], is = after[0][row];
    if (std::isnan(was) || std::isnan(is)) continue;
    ++(was > 0 ? (is > 0 ? pair.both : pair.before) : (is > 0 ? pair.after : pair.neither));
  }
  if (table.runs.size() == 1) return {pair.change(), pair.low(), pair.high(), pair.rows(), 1};
  ShareEstimate change = over_both(table, -1.);
  // No row differs in any run: an interval without a width would be a claim about all rows.
  if (!(change.high > change.low)) widen(change, pair.low(), pair.high());
  return change;
}

std::vector<Verdicts> of_runs(const MethodResult& method, const std::string& rule, Side side) {
  std::vector<Verdicts> all;
  for (const RunResult& run : method.runs)
    if (Verdicts one = verdicts_of(run.judgement, rule, side); !one.empty())
      all.push_back(std::move(one));
  return all;
}

}  // namespace

std::vector<std::string> judged_rules(const Comparison& comparison) {
  std::vector<std::string> names;
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      for (const RuleVerdicts& rule : run.judgement.rules)
        if (std::find(names.begin(), names.end(), rule.name) == names.end())
          names.push_back(rule.name);
  if (names.size() > 1) names.push_back(all_rules);
  return names;
}

std::string accuracy_rule(const std::vector<std::string>& rules) {
  for (const char* name : {"number", "exact"})
    if (std::find(rules.begin(), rules.end(), name) != rules.end()) return name;
  return "";
}

std::string judged_otherwise(const Judgement& then, const Judgement& now) {
  if (then.rules.empty() || now.rules.empty()) return "";
  for (const RuleVerdicts& a : then.rules)
    for (const RuleVerdicts& b : now.rules)
      if (a.name == b.name && a.asks != b.asks)
        return "the rule '" + a.name + "' asked '" + a.asks + "' and asks '" + b.asks + "'";
  auto names = [](const Judgement& judgement) {
    std::vector<std::string> all;
    for (const RuleVerdicts& rule : judgement.rules) all.push_back(rule.name);
    return all;
  };
  if (names(then) != names(now)) return "the rules were others";
  if (then.rows != now.rows) return "other rows were judged";
  return "";
}

std::vector<double> verdicts_after(const Judgement& judgement, const std::string& rule) {
  return verdicts_of(judgement, rule, &RuleVerdicts::after);
}
std::vector<double> verdicts_before(const Judgement& judgement, const std::string& rule) {
  return verdicts_of(judgement, rule, &RuleVerdicts::before);
}

ShareEstimate passed_before(const MethodResult& method, const std::string& rule) {
  // The untouched model is the same for all seeds: one run of it.
  std::vector<Verdicts> runs = of_runs(method, rule, &RuleVerdicts::before);
  if (runs.size() > 1) runs.resize(1);
  return share_of(runs);
}
ShareEstimate passed_after(const MethodResult& method, const std::string& rule) {
  return share_of(of_runs(method, rule, &RuleVerdicts::after));
}
ShareEstimate passed_change(const MethodResult& method, const std::string& rule) {
  return change_of(of_runs(method, rule, &RuleVerdicts::before),
                   of_runs(method, rule, &RuleVerdicts::after));
}
ShareEstimate passed_difference(const MethodResult& method, const MethodResult& reference,
                                const std::string& rule) {
  std::vector<Verdicts> theirs, ours;
  for (const RunResult& run : method.runs)
    for (const RunResult& other : reference.runs) {
      if (run.seed != other.seed || run.judgement.rows != other.judgement.rows) continue;
      Verdicts after = verdicts_after(run.judgement, rule),
               before = verdicts_after(other.judgement, rule);
      if (after.empty() || before.empty()) continue;
      ours.push_back(std::move(after));
      theirs.push_back(std::move(before));
      break;
    }
  return change_of(theirs, ours);
}

}  // namespace afina
