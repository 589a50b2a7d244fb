// Shares of judged answers over rows and seeds.
#include "tools/results/judgement.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tools/report/judged.h"
#include "tools/results/share.h"

using namespace afina;

namespace {

const double none = std::nan("");

RunResult run_of(uint64_t seed, std::vector<double> before, std::vector<double> after,
                 std::vector<double> other) {
  RunResult run;
  run.seed = seed;
  for (size_t i = 0; i < before.size(); ++i) {
    run.judgement.rows.push_back(int64_t(i));
    run.judgement.places.push_back("data.jsonl, line " + std::to_string(i + 1));
  }
  run.judgement.rules = {{"number", "the number", std::move(before), std::move(after)},
                         {"short", "1 to 9 words", std::vector<double>(other.size(), 1.), other}};
  return run;
}

MethodResult method_of(const std::string& label, std::vector<RunResult> runs) {
  MethodResult method;
  method.label = label;
  method.runs = std::move(runs);
  return method;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(judgement)

BOOST_AUTO_TEST_CASE(of_one_run_the_intervals_are_those_of_shares_and_pairs) {
  const MethodResult method =
      method_of("lora", {run_of(1, {0, 0, 1, none, 0}, {1, 1, 1, none, 0}, {1, 0, 1, 1, none})});
  const ShareEstimate before = passed_before(method, "number"),
                      after = passed_after(method, "number"),
                      change = passed_change(method, "number");
  BOOST_TEST(before.rows == 4);  // of the row that is not asked nothing is known
  BOOST_TEST(before.share == 0.25);
  BOOST_TEST(after.share == 0.75);
  const Share share{3, 4};
  BOOST_TEST(after.low == share.low());
  BOOST_TEST(after.high == share.high());
  const PairedShares pair{1, 0, 2, 1};
  BOOST_TEST(change.share == pair.change());
  BOOST_TEST(change.low == pair.low());
  BOOST_TEST(change.high == pair.high());
  // All rules together: a row passes when every rule that asks something of it is passed.
  const ShareEstimate all = passed_after(method, all_rules);
  BOOST_TEST(all.rows == 5);
  BOOST_TEST(all.share == 0.6);  // rows 1, 3, 4
  BOOST_TEST(!passed_after(method, "no such rule").known());
}

BOOST_AUTO_TEST_CASE(of_several_seeds_the_interval_is_no_narrower_than_over_the_rows) {
  const std::vector<double> nothing(6, 0.), all(6, 1.), some = {1, 1, 1, 0, 0, 1};
  const MethodResult sure =
      method_of("full", {run_of(1, nothing, all, all), run_of(2, nothing, all, all)});
  const MethodResult unsure =
      method_of("lora", {run_of(1, nothing, some, all), run_of(2, nothing, all, all)});
  const ShareEstimate certain = passed_after(sure, "number");
  BOOST_TEST(certain.share == 1.);
  BOOST_TEST(certain.runs == 2);
  BOOST_TEST(certain.low == (Share{6, 6}.low()));
  const ShareEstimate between = passed_after(unsure, "number");
  BOOST_TEST(std::fabs(between.share - 10. / 12) < 1e-12);
  BOOST_TEST(between.low < between.share);
  BOOST_TEST(between.high <= 1.);
  const ShareEstimate apart = passed_difference(unsure, sure, "number");
  BOOST_TEST(std::fabs(apart.share + 2. / 12) < 1e-12);
  BOOST_TEST(apart.low >= -1.);
  // Where no row differs the interval still has a width.
  const ShareEstimate same = passed_difference(sure, sure, "number");
  BOOST_TEST(same.share == 0.);
  BOOST_TEST(same.low < 0.);
  BOOST_TEST(same.high > 0.);
}

BOOST_AUTO_TEST_CASE(a_report_shows_them_and_results_are_read_back) {
  Comparison comparison;
  comparison.methods = {method_of("full", {run_of(1, {0, 0}, {1, 1}, {1, 1})}),
                        method_of("lora", {run_of(1, {0, 0}, {1, 0}, {1, none})})};
  BOOST_TEST(judged_rules(comparison) == (std::vector<std::string>{"number", "short", all_rules}),
             boost::test_tools::per_element());
  BOOST_TEST(accuracy_rule(judged_rules(comparison)) == "number");
  BOOST_TEST(accuracy_rule({"short"}) == "");
  const Facts facts(comparison);
  const TextRows table = judged_table(facts);
  BOOST_REQUIRE(table.size() == 4u);
  BOOST_TEST(table[0][5] == "lora − full");
  BOOST_TEST(table[1][2].starts_with("0.0 % ["));
  BOOST_TEST(table[1][3].starts_with("100.0 % ["));
  BOOST_TEST(table[1][5].starts_with("−50.0 ["));

  const OrderedJson json = to_json(comparison);
  const OrderedJson& run = json.at("methods").at(1).at("runs").at(0);
  BOOST_TEST(run.at("accuracy").at("mean").get<double>() == 0.5);
  BOOST_TEST(run.at("judgement").at("rules").at(1).at("after").at(1).is_null());
  BOOST_TEST(json.at("methods").at(1).at("summary").at("accuracy").at("mean").get<double>() == 0.5);
  const Comparison back = comparison_from_json(json);
  BOOST_TEST(back.methods[1].runs[0].judgement.places[1] == "data.jsonl, line 2");
  BOOST_TEST(passed_after(back.methods[1], "number").share == 0.5);
  // What was not judged has no such keys.
  comparison.methods[0].runs[0].judgement = {};
  BOOST_TEST(!to_json(comparison.methods[0].runs[0]).contains("accuracy"));
}

// Verdicts of other rules under one name must not stand in one row.
BOOST_AUTO_TEST_CASE(other_rules_of_one_name_are_told_apart) {
  const Judgement then = run_of(1, {0, 0}, {1, 1}, {1, 1}).judgement;
  Judgement now = then;
  BOOST_TEST(judged_otherwise(then, now) == "");
  BOOST_TEST(judged_otherwise(then, {}) == "");
  now.rules[0].asks = "something else";
  BOOST_TEST(judged_otherwise(then, now) ==
             "the rule 'number' asked 'the number' and asks 'something else'");
  now = then;
  now.rules.pop_back();
  BOOST_TEST(judged_otherwise(then, now) == "the rules were others");
  now = then;
  now.rows.push_back(7);
  BOOST_TEST(judged_otherwise(then, now) == "other rows were judged");
}

BOOST_AUTO_TEST_SUITE_END()
