// The rows of the first table: losses first, ratios with intervals, and bold only where it is
// deserved.
#include "tools/report/summary_rows.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "test/tools/report/report_fixture.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(report_summary_rows)

static const SummaryRow& row_of(const std::vector<SummaryRow>& rows, const std::string& narrow) {
  for (const SummaryRow& row : rows)
    if (row.narrow == narrow) return row;
  BOOST_FAIL("no row " + narrow);
  return rows[0];
}

BOOST_AUTO_TEST_CASE(losses_come_first_with_what_was_before) {
  const Comparison comparison = fixture_of(2, 3);
  const std::vector<SummaryRow> rows = summary_rows(Facts(comparison));
  BOOST_TEST(rows[0].name == "Held-out loss");
  BOOST_TEST(rows[0].before == "1.6831");
  BOOST_TEST(rows[1].name == "Learned");
  BOOST_TEST(rows[3].name == "Forgotten");
  BOOST_TEST(rows.back().name == "Learning rate");
  BOOST_TEST(rows.back().ratios[1] == "best of 5");
  BOOST_TEST(row_of(rows, "parameters").ratios[1] == "0.018×");
  BOOST_TEST(row_of(rows, "parameters").ratios[0].empty());
  BOOST_TEST(row_of(rows, "parameters").best[1]);
  BOOST_TEST(!row_of(rows, "parameters").best[0]);
  BOOST_TEST(row_of(rows, "learned").ratios[1].ends_with("×"));
  BOOST_TEST(row_of(rows, "learned").intervals[1].starts_with("[0."));
  BOOST_TEST(!row_of(rows, "learned").halves[1].empty());
  for (const SummaryRow& row : rows) {
    BOOST_TEST(row.values.size() == 2u);
    BOOST_TEST((row.best[0] + row.best[1]) <= 1);
  }
}

BOOST_AUTO_TEST_CASE(none_is_best_where_the_difference_may_be_chance) {
  Comparison comparison = fixture_of(2, 3);
  comparison.methods[1].runs[0].after.heldout = comparison.methods[0].runs[0].after.heldout + 0.02;
  comparison.methods[1].runs[1].after.heldout = comparison.methods[0].runs[1].after.heldout - 0.02;
  comparison.methods[1].runs[2].after.heldout = comparison.methods[0].runs[2].after.heldout + 0.01;
  const std::vector<SummaryRow> rows = summary_rows(Facts(comparison));
  for (const char* narrow : {"held-out", "learned"}) {
    BOOST_TEST(!row_of(rows, narrow).best[0]);
    BOOST_TEST(!row_of(rows, narrow).best[1]);
  }
}

BOOST_AUTO_TEST_CASE(nothing_known_is_a_dash_and_diverged_is_said) {
  Comparison bare;
  bare.methods.resize(2);
  bare.methods[0].label = "a";
  bare.methods[1].label = "b";
  for (const SummaryRow& row : summary_rows(Facts(bare)))
    for (const std::string& value : row.values) BOOST_TEST(value == "–");
  Comparison diverged = fixture_of(2, 1);
  diverged.methods[1].runs[0].after.heldout = std::nan("");
  diverged.methods[1].runs[0].diverged = 4;
  const std::vector<SummaryRow> rows = summary_rows(Facts(diverged));
  BOOST_TEST(row_of(rows, "held-out").values[1] == "diverged");
  BOOST_TEST(row_of(rows, "learned").ratios[1].empty());
  for (const SummaryRow& row : rows) BOOST_TEST(!row.best[1]);
  // A share of what was not forgotten is none.
  Comparison kept = fixture_of(2, 1);
  kept.methods[0].runs[0].after.retain = kept.methods[0].runs[0].before.retain;
  BOOST_TEST(row_of(summary_rows(Facts(kept)), "forgotten").ratios[1].empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
