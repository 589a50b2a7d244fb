// Learned against forgotten: points, frontiers, and what is said at equal learning.
#include "tools/report/tradeoff.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "test/tools/report/report_fixture.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(report_tradeoff)

static TradePoint point(double learned, double forgotten) {
  TradePoint one;
  one.learned = {learned, 0, 1};
  one.forgotten = {forgotten, 0, 1};
  return one;
}

BOOST_AUTO_TEST_CASE(a_frontier_has_what_nothing_beats) {
  const auto best = frontier(
      {point(3, 0.5), point(1, 0.1), point(2, 0.6), point(NAN, 0), point(2, 0.2), point(3, 0.5)});
  BOOST_REQUIRE(best.size() >= 3u);
  BOOST_TEST(best[0].learned.mean == 1);
  BOOST_TEST(best[1].forgotten.mean == 0.2);
  BOOST_TEST(best.back().learned.mean == 3);
  BOOST_TEST(*forgotten_at(best, 1.5) == 0.15, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(*forgotten_at(best, 3.02) == 0.5);  // within a hundredth
  BOOST_TEST(!forgotten_at(best, 3.5));          // nothing is guessed beyond the ends
  BOOST_TEST(!forgotten_at(best, 0.5));
  BOOST_TEST(!forgotten_at({}, 1));
}

BOOST_AUTO_TEST_CASE(points_are_of_every_rate_and_of_the_final_rows) {
  Comparison comparison = fixture_of(2, 3);
  const auto points = trade_points(Facts(comparison), 1);
  BOOST_REQUIRE(points.size() == 5u);
  BOOST_TEST(points[0].rate < points[4].rate);
  BOOST_TEST(points[2].chosen);
  BOOST_TEST(points[2].learned.count == 3);
  BOOST_TEST(!points[1].chosen);
  BOOST_TEST(points[1].learned.mean == *comparison.methods[1].search[1].gain);
  BOOST_TEST(*points[4].diverged == 7);
  BOOST_TEST(std::isnan(points[4].learned.mean));
  // Results of before: the rows for choosing stand in, whose loss began as the evaluations say.
  for (SearchRow& row : comparison.methods[1].search) row.gain = row.forgetting = {};
  const auto older = trade_points(Facts(comparison), 1);
  BOOST_REQUIRE(older.size() == 5u);
  BOOST_TEST(older[1].learned.mean == comparison.methods[1].runs[0].evaluations[0].heldout -
                                          comparison.methods[1].search[1].heldout);
}

static Comparison with_points(const std::vector<std::vector<std::pair<double, double>>>& methods) {
  Comparison comparison;
  for (const auto& points : methods) {
    MethodResult method;
    method.kind = comparison.methods.empty() ? "full" : "lora";
    method.label =
        comparison.methods.empty() ? "full" : "LoRA r " + std::to_string(comparison.methods.size());
    for (size_t i = 0; i < points.size(); i++) {
      SearchRow row;
      row.learning_rate = double(i + 1);
      row.gain = points[i].first;
      row.forgetting = points[i].second;
      method.search.push_back(row);
    }
    RunResult run;
    run.before.heldout = 8;
    run.before.retain = 1;
    run.after.heldout = 8 - points.back().first;
    run.after.retain = 1 + points.back().second;
    method.learning_rate = double(points.size());
    method.runs.push_back(run);
    comparison.methods.push_back(std::move(method));
  }
  return comparison;
}

BOOST_AUTO_TEST_CASE(what_is_said_at_equal_learning) {
  // LoRA forgets less at its best rate, and more where both learned 5.
  Comparison comparison =
      with_points({{{4.8, 0.03}, {5.2, 0.05}, {6.0, 0.4}}, {{4, 0.02}, {5, 0.12}}});
  BOOST_TEST(equal_learning_sentence(Facts(comparison)) ==
             "At equal learning (5.000 nats) full fine-tuning forgets 0.040 and LoRA r 1 0.120, "
             "between the rates tried.");
  comparison =
      with_points({{{4.8, 0.03}, {5.2, 0.05}, {6.0, 0.4}}, {{4, 0.02}, {5, 0.12}}, {{1, 0.01}}});
  BOOST_TEST(equal_learning_sentence(Facts(comparison)) ==
             "At equal learning (5.000 nats) full fine-tuning forgets 0.040 and LoRA r 1 0.120, "
             "between the rates tried. For LoRA r 2 the rates tried do not reach it from both "
             "sides.");
  comparison = with_points({{{6.0, 0.4}}, {{5, 0.12}}});
  BOOST_TEST(equal_learning_sentence(Facts(comparison)).find("nothing can be said") !=
             std::string::npos);
  BOOST_TEST(equal_learning_sentence(Facts(with_points({{{6.0, 0.4}}}))).empty());
}

BOOST_AUTO_TEST_CASE(forgetting_at_matched_held_out_loss) {
  // The best learned 6 of 8 nats. At 4.8 (80 %) and 5.4 (90 %) the first two have points on both
  // sides; at 5.7 and more the first alone, so nothing is compared there.
  Comparison comparison = with_points(
      {{{3.0, 0.01}, {5.0, 0.05}, {6.0, 0.45}}, {{3.6, 0.02}, {5.4, 0.2}}, {{1, 0.01}}});
  const auto levels = equal_learning(Facts(comparison));
  const auto close = boost::test_tools::tolerance(1e-12);
  BOOST_REQUIRE(levels.size() == 3u);
  BOOST_TEST(levels[0].learned == 3.6, close);
  BOOST_TEST(levels[0].heldout == 4.4, close);
  BOOST_TEST(*levels[0].forgotten[0] == 0.022, close);
  BOOST_TEST(*levels[0].forgotten[1] == 0.02, close);
  BOOST_TEST(!levels[0].forgotten[2]);
  BOOST_TEST(levels[2].heldout == 2.6, close);
  BOOST_TEST(*levels[2].forgotten[0] == 0.21, close);
  BOOST_TEST(*levels[2].forgotten[1] == 0.2, close);
  BOOST_TEST(equal_learning(Facts(with_points({{{6.0, 0.4}}, {{5, 0.12}}}))).empty());
  BOOST_TEST(equal_learning(Facts(with_points({{{6.0, 0.4}, {3.0, 0.1}}}))).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
