// Orders and means of what rows did.
#include "tools/results/what_if.h"

#include <boost/test/unit_test.hpp>

using namespace afina;

BOOST_AUTO_TEST_SUITE(what_if_results)

BOOST_AUTO_TEST_CASE(kinds_are_held_against_rows_without_a_finding) {
  WhatIfResult r;
  r.rows = {{"1", "", "", 0.3, 1},
            {"2", "", "", -0.5, 1, {{"tone", ""}, {"tone", "again"}}},
            {"3", "", "", 0.1, 1},
            {"4", "", "", -0.1, 1, {{"tone", ""}, {"term", ""}}}};
  BOOST_TEST((by_change(r) == std::vector<size_t>{1, 3, 2, 0}));
  const std::vector<KindEffect> kinds = kind_effects(r);
  BOOST_REQUIRE(kinds.size() == 2u);
  BOOST_TEST(kinds[0].kind == "tone");
  BOOST_TEST(kinds[0].rows == 2);
  const auto close = boost::test_tools::tolerance(1e-12);
  BOOST_TEST(kinds[0].change.mean == -0.3, close);
  BOOST_TEST(kinds[0].difference.mean == -0.5, close);
  BOOST_TEST(kinds[0].difference.has_interval());
  BOOST_TEST(kinds[1].rows == 1);
  BOOST_TEST(!kinds[1].difference.has_interval());
  BOOST_TEST(effect_without_findings(r).mean == 0.2, close);
  const Json json = kind_effects_json(r);
  BOOST_TEST(json.at("kinds").size() == 2u);
  BOOST_TEST(json.at("without").at("rows") == 2);
  BOOST_TEST(change_text(-0.000126) == "-0.00013");
  BOOST_TEST(change_text(Estimate{}) == "–");
  // Where every row has a finding there is nothing to hold them against.
  r.rows.erase(r.rows.begin() + 2);
  r.rows.erase(r.rows.begin());
  BOOST_TEST(!kind_effects(r)[0].difference.known());
}

BOOST_AUTO_TEST_SUITE_END()
