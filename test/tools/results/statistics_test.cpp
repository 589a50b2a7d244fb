// Intervals over rows and runs: as wide as they claim to be, where rows and runs both vary.
#include "tools/results/statistics.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include "engine/error.h"
#include "engine/random.h"
#include "tools/results/results.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(statistics)

// A design of known truth: a mean of zero, a part for each row, one for each run, one for each of
// both.
struct Design {
  int rows, runs;
  double by_row, by_run, by_both;
};

static RowsAndRuns drawn(const Design& design, uint64_t seed) {
  const Random random(seed, "design");
  uint64_t next = 0;
  RowsAndRuns table;
  std::vector<double> of_row;
  for (int row = 0; row < design.rows; row++) {
    of_row.push_back(design.by_row * double(random.normal(next++)));
    table.weights.push_back(5 + random.below(1000000 + uint64_t(row), 55));
  }
  for (int run = 0; run < design.runs; run++) {
    const double of_run = design.by_run * double(random.normal(next++));
    table.runs.emplace_back();
    for (double one : of_row)
      table.runs.back().push_back(one + of_run + design.by_both * double(random.normal(next++)));
  }
  return table;
}

// Student's t over the rows' means: runs held as they are.
static Estimate over_rows_alone(const RowsAndRuns& table) {
  std::vector<double> means(table.weights.size(), 0.0);
  for (const auto& run : table.runs)
    for (size_t row = 0; row < run.size(); row++)
      means[row] += run[row] / double(table.runs.size());
  return estimate(means);
}
// Student's t over the runs' means: rows held as they are.
static Estimate over_runs_alone(const RowsAndRuns& table) {
  std::vector<double> means;
  for (const auto& run : table.runs) {
    double sum = 0, weight = 0;
    for (size_t row = 0; row < run.size(); row++) {
      sum += run[row] * table.weights[row];
      weight += table.weights[row];
    }
    means.push_back(sum / weight);
  }
  return estimate(means);
}

struct Coverage {
  double both = 0, rows = 0, runs = 0;
};
static Coverage coverage(const Design& design) {
  constexpr int times = 500;
  auto covers = [](const Estimate& one) { return one.low() <= 0 && 0 <= one.high(); };
  Coverage found;
  for (int i = 0; i < times; i++) {
    const RowsAndRuns table = drawn(design, uint64_t(i));
    found.both += double(covers(over_rows_and_runs(table))) / times;
    found.rows += double(covers(over_rows_alone(table))) / times;
    found.runs += double(covers(over_runs_alone(table))) / times;
  }
  return found;
}

BOOST_AUTO_TEST_CASE(intervals_over_both_cover_what_they_say) {
  // 500 draws know a coverage of 95 % to about 1 %. Three seeds and a few rows are the hard case.
  for (const Design& design : {Design{24, 3, 0.1, 0.02, 0.02},
                               {40, 3, 0.1, 0.02, 0.05},
                               {40, 3, 0.02, 0.02, 0.05},
                               {40, 5, 0.1, 0.02, 0.05},
                               {40, 2, 0.1, 0.02, 0.05}}) {
    const Coverage found = coverage(design);
    BOOST_TEST_INFO("rows " << design.rows << ", runs " << design.runs << ", by row "
                            << design.by_row << ": both " << found.both << ", rows alone "
                            << found.rows << ", runs alone " << found.runs);
    BOOST_TEST((found.both > 0.925 && found.both < 0.985));
    BOOST_TEST(found.rows < found.both - 0.02);  // too narrow: the runs are held as they are
  }
}

BOOST_AUTO_TEST_CASE(one_part_alone_holds_the_other) {
  // Where runs hardly differ, three of them say too little of other rows.
  BOOST_TEST(coverage({40, 3, 0.1, 0, 0.05}).runs < 0.75);
  // Where each row answers each run in its own way, the interval errs on the wide side.
  BOOST_TEST(coverage({24, 3, 0.1, 0.02, 0.3}).both > 0.96);
}

BOOST_AUTO_TEST_CASE(one_run_is_over_rows_only) {
  const RowsAndRuns table = drawn({60, 1, 0.1, 0, 0.05}, 3);
  const Estimate both = over_rows_and_runs(table);
  BOOST_TEST(both.count == 1);
  BOOST_TEST(both.rows == 60);
  BOOST_TEST(both.has_interval());
  RowsAndRuns equal = table;
  equal.weights.assign(60, 7.0);
  // Of rows that count the same it is Student's t over them, but for the chance of the draws.
  BOOST_TEST(over_rows_and_runs(equal).half == over_rows_alone(equal).half,
             boost::test_tools::tolerance(0.06));
}

BOOST_AUTO_TEST_CASE(one_row_is_over_runs_only) {
  RowsAndRuns table{{3.0}, {{1.0}, {2.0}, {3.0}}};
  const Estimate both = over_rows_and_runs(table);
  BOOST_TEST(both.mean == 2.0);
  BOOST_TEST(both.half == estimate({1, 2, 3}).half, boost::test_tools::tolerance(0.06));
}

BOOST_AUTO_TEST_CASE(same_bits_always) {
  const RowsAndRuns table = drawn({32, 3, 0.1, 0.03, 0.05}, 11);
  const Estimate one = over_rows_and_runs(table), again = over_rows_and_runs(table);
  BOOST_TEST(one.mean == again.mean);
  BOOST_TEST(one.half == again.half);
  BOOST_TEST(over_rows_and_runs({{1, 3, 2, 4}, {{0.5, 0.25, 0.75, 1}, {0.5, 0.5, 1, 1.25}}}).half ==
             0.64296406142172735);
}

BOOST_AUTO_TEST_CASE(what_cannot_have_an_interval) {
  BOOST_TEST(!over_rows_and_runs({}).known());
  BOOST_TEST(!over_rows_and_runs({{0.0, 0.0}, {{1.0, 2.0}}}).known());
  const Estimate one = over_rows_and_runs({{1.0}, {{2.5}}});
  BOOST_TEST(one.mean == 2.5);
  BOOST_TEST(!one.has_interval());
  const Estimate nan = over_rows_and_runs({{1, 1}, {{1, std::nan("")}, {1, 2}}});
  BOOST_TEST(std::isnan(nan.mean));
  BOOST_TEST(!nan.has_interval());
  const Estimate same = over_rows_and_runs({{1, 2}, {{1, 1}, {1, 1}}});
  BOOST_TEST(same.half == 0);
  BOOST_CHECK_THROW(over_rows_and_runs({{1, 1}, {{1.0}}}), Error);
  // A row without a target says nothing.
  const RowsAndRuns rows{{1, 3, 2}, {{1, 2, 4}, {2, 2, 5}}},
      more{{1, 0, 3, 2}, {{1, 9, 2, 4}, {2, -7, 2, 5}}};
  BOOST_TEST(over_rows_and_runs(rows).half == over_rows_and_runs(more).half);
}

BOOST_AUTO_TEST_CASE(student_t_between_whole_degrees) {
  BOOST_TEST(student_t_95(2) == student_t_95(2.0000000001), boost::test_tools::tolerance(1e-8));
  // True: 5.4946 (from the incomplete beta function); interpolation errs on the wide side.
  BOOST_TEST(student_t_95(1.5) > 5.4);
  BOOST_TEST(student_t_95(1.5) < 7.2);
  for (double degrees = 1; degrees < 40; degrees += 0.25)
    BOOST_TEST(student_t_95(degrees) > student_t_95(degrees + 0.25));
}

// A comparison whose rows and seeds are known.
static RunResult run_of(uint64_t seed, std::vector<double> losses) {
  RunResult run;
  run.seed = seed;
  run.examples = {{0, 1, 2}, {10, 20, 30}, losses, {3, 3, 3}};
  run.before.heldout = 3;
  run.after.heldout = (10 * losses[0] + 20 * losses[1] + 30 * losses[2]) / 60;
  return run;
}

BOOST_AUTO_TEST_CASE(figures_of_a_method_are_over_rows_and_seeds) {
  MethodResult method;
  method.runs = {run_of(1, {1.0, 2.0, 3.0}), run_of(2, {1.1, 2.0, 3.3})};
  const MethodSummary summary = summarise(method);
  BOOST_TEST(summary.heldout.rows == 3);
  BOOST_TEST(summary.heldout.count == 2);
  BOOST_TEST(summary.heldout.half ==
             over_rows_and_runs({{10, 20, 30}, {{1.0, 2.0, 3.0}, {1.1, 2.0, 3.3}}}).half);
  // What was learned: the loss before is the same for all rows here, so that it changes nothing.
  BOOST_TEST(summary.gain.half == summary.heldout.half, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(summary.gain.mean == 3 - summary.heldout.mean, boost::test_tools::tolerance(1e-12));
  method.runs[1].examples.rows[2] = 7;  // other rows: over seeds alone
  BOOST_TEST(summarise(method).heldout.rows == 0);
  BOOST_TEST(summarise(method).heldout.count == 2);
  method.runs[1].examples.rows[2] = 2;
  method.runs[1].examples.before.clear();  // written by an earlier version
  BOOST_TEST(summarise(method).heldout.rows == 3);
  BOOST_TEST(summarise(method).gain.rows == 0);
}

BOOST_AUTO_TEST_CASE(differences_are_paired_by_row_and_seed) {
  Comparison comparison;
  comparison.methods.resize(2);
  comparison.methods[0].kind = comparison.methods[0].label = "full";
  comparison.methods[1].label = "lora";
  comparison.methods[0].runs = {run_of(1, {1, 5, 3}), run_of(2, {2, 6, 4}), run_of(9, {0, 0, 0})};
  comparison.methods[1].runs = {run_of(2, {2.5, 6.5, 4.5}), run_of(1, {1.5, 5.5, 3.5})};
  const PairedDifference pair = paired_differences(comparison).at(0);
  BOOST_TEST(pair.overall.mean == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pair.overall.count == 2);
  BOOST_TEST(pair.overall.rows == 3);
  BOOST_TEST(pair.overall.half < 1e-12);  // the same on each row with each seed
  comparison.methods[1].runs[0].examples.rows.clear();
  BOOST_TEST(paired_differences(comparison)[0].overall.rows == 0);
  comparison.methods[1].runs.clear();
  BOOST_TEST(!paired_differences(comparison)[0].overall.known());
}

BOOST_AUTO_TEST_CASE(a_difference_of_means_has_welchs_interval) {
  const Estimate d = difference_of_means({1, 2, 3, 4, 5}, {2, 4, 6, 9.25});
  BOOST_TEST(d.count == 4);
  BOOST_TEST(d.mean == 3 - 21.25 / 4, boost::test_tools::tolerance(1e-12));
  const Estimate x = estimate({1, 2, 3, 4, 5}), y = estimate({2, 4, 6, 9.25});
  BOOST_TEST((d.half > std::max(x.half, y.half) * 0.5 && d.half < x.half + y.half));
  BOOST_TEST(difference_of_means({1, 1}, {1, 1}).half == 0);
  BOOST_TEST(!difference_of_means({}, {1, 2}).known());
  BOOST_TEST(!difference_of_means({1}, {1, 2}).has_interval());
  BOOST_TEST(std::isnan(difference_of_means({1, NAN}, {1, 2}).mean));
  // Equal variances and lengths: twice the variance of a mean, degrees 2 (n - 1) = 6, t 2.446912.
  const Estimate equal = difference_of_means({1, 2, 3, 4}, {3, 4, 5, 6});
  BOOST_TEST(equal.half == 2.446911851 * std::sqrt(2 * (5. / 3) / 4),
             boost::test_tools::tolerance(1e-8));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
