// Answers on held-out rows, judged by rules: shares with intervals, and what training changed.
#pragma once
#include <string>
#include <vector>

#include "tools/results/results.h"

namespace afina {

// A share of rows, or a difference of shares, with its two-sided 95 % interval.
struct ShareEstimate {
  double share = 0, low = 0, high = 0;
  int64_t rows = 0;  // that the rule asks something of; 0: nothing is known
  int runs = 0;
  bool known() const { return rows > 0; }
};

// The name of all rules together: a row passes when it passes each one that asks something of it.
extern const char* const all_rules;

// Names of the rules that answers were judged by, in their order; with two rules or more
// `all_rules` is the last. Empty: nothing was judged.
std::vector<std::string> judged_rules(const Comparison& comparison);
// What is called accuracy: the rule "number" where there is one, else "exact"; empty: neither.
std::string accuracy_rule(const std::vector<std::string>& rules);

// The share of rows that pass a rule before training and after it. One run: Wilson's interval over
// rows. Several: over rows and seeds (over_rows_and_runs), cut to what a share can be, and Wilson's
// where it is wider, as where every row has the same verdict.
ShareEstimate passed_before(const MethodResult& method, const std::string& rule);
ShareEstimate passed_after(const MethodResult& method, const std::string& rule);
// The share after training less that before it, over the same rows. One run: Newcombe's interval
// for pairs.
ShareEstimate passed_change(const MethodResult& method, const std::string& rule);
// The share of `method` after training less that of `reference`, row by row, of runs with the same
// seed.
ShareEstimate passed_difference(const MethodResult& method, const MethodResult& reference,
                                const std::string& rule);

// Were answers judged by other rules under the same names, or on other rows? In words, as in "the
// rule 'greeting' asked ...  and asks ..."; empty where the two can stand in one table, as where
// one of them has no verdicts.
std::string judged_otherwise(const Judgement& then, const Judgement& now);

// Verdicts of one rule on a run's rows: 1 passed, 0 failed, NaN not asked. Empty: not judged by it.
std::vector<double> verdicts_after(const Judgement& judgement, const std::string& rule);
std::vector<double> verdicts_before(const Judgement& judgement, const std::string& rule);

}  // namespace afina
