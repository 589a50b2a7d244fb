// Charts: each well-formed, with every text inside and none over another, for one method and for
// nine, and nothing that is no number.
#include "tools/report/charts.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "engine/error.h"
#include "test/tools/report/drawn.h"
#include "test/tools/report/report_fixture.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(report_charts)

static void check_drawing(const std::string& xml, const std::string& what) {
  BOOST_TEST(xml_fault(xml) == "", what);
  for (const char* odd : {"nan", "inf", "-0\"", "NaN"})
    BOOST_TEST(xml.find(odd) == xml.npos, what << " has " << odd);
  const svg::Box extent = drawn_extent(xml);
  const std::vector<DrawnText> texts = drawn_texts(xml);
  for (size_t i = 0; i < texts.size(); i++) {
    BOOST_TEST(texts[i].box.inside(extent), what << ": '" << texts[i].text << "' is outside");
    for (size_t j = 0; j < i; j++) {
      const bool over = texts[i].box.overlaps(texts[j].box);
      BOOST_TEST(!over, what << ": '" << texts[i].text << "' lies over '" << texts[j].text << "'");
    }
  }
}

BOOST_AUTO_TEST_CASE(no_text_is_outside_or_over_another) {
  for (size_t methods : {1, 2, 3, 4, 9})
    for (int seeds : {1, 3}) {
      const Comparison comparison = fixture_of(methods, seeds);
      const Facts facts(comparison);
      for (const Chart& chart : charts()) {
        const std::string what = std::string(chart.name) + ", " + std::to_string(methods) +
                                 " methods, " + std::to_string(seeds) + " seeds";
        const std::string page = chart.draw(facts, svg::Medium::page),
                          file = chart.draw(facts, svg::Medium::file);
        BOOST_TEST(!page.empty(), what);
        check_drawing(page, what);
        check_drawing(file, what);
        BOOST_TEST(page.find("\"#") == page.npos, what);
        BOOST_TEST(file.find("var(") == file.npos, what);
        BOOST_TEST(page.size() < 60000u, what);
      }
    }
}

BOOST_AUTO_TEST_CASE(odd_results_give_no_drawing_or_a_good_one) {
  Comparison bare;
  bare.methods.resize(2);
  bare.methods[0].label = "a";
  bare.methods[1].label = "b";
  Comparison diverged = fixture_of(3, 2);
  for (RunResult& run : diverged.methods[1].runs) {
    run.diverged = 3;
    run.after.heldout = std::nan("");
    run.after.retain = {};
    run.evaluations.back().heldout = std::numeric_limits<double>::infinity();
    for (StepPoint& point : run.curve)
      if (point.step > 3) point.loss = std::nan("");
  }
  Comparison unmeasured = fixture_of(2, 1);
  for (MethodResult& method : unmeasured.methods) {
    for (RunResult& run : method.runs) {
      run.before.retain = run.after.retain = {};
      for (EvaluationPoint& point : run.evaluations) point.retain = {};
    }
    for (SearchRow& row : method.search) row.retain = row.forgetting = {};
  }
  Comparison equal = fixture_of(2, 2);  // one line over the other
  equal.methods[1].runs = equal.methods[0].runs;
  Comparison wide = fixture_of(4, 1);  // long names of wide letters
  for (size_t i = 0; i < wide.methods.size(); i++)
    wide.methods[i].label = std::string(60, "MW@m"[i]);
  for (const Comparison* one : {&bare, &diverged, &unmeasured, &equal, &wide}) {
    const Facts facts(*one);
    for (const Chart& chart : charts()) {
      const std::string xml = chart.draw(facts, svg::Medium::page);
      if (!xml.empty()) check_drawing(xml, chart.name);
    }
  }
  BOOST_TEST(draw_chart(Facts(bare), "loss", svg::Medium::page).empty());
  BOOST_TEST(draw_chart(Facts(unmeasured), "learned-forgotten", svg::Medium::page).empty());
  BOOST_TEST(draw_chart(Facts(unmeasured), "retention", svg::Medium::page).empty());
  BOOST_CHECK_EXCEPTION(
      draw_chart(Facts(bare), "pie", svg::Medium::page), Error, [](const Error& error) {
        const std::string said = error.what();
        return said.find("pie") != said.npos && said.find("learned-forgotten") != said.npos;
      });
}

BOOST_AUTO_TEST_CASE(every_rate_tried_is_a_point) {
  const Comparison comparison = fixture_of(2, 3);
  const std::string xml = draw_chart(Facts(comparison), "learned-forgotten", svg::Medium::page);
  // Four rates of each method that did not diverge, in their tips.
  for (const char* rate : {"full, rate 3e-6", "full, rate 9e-6", "full, rate 3e-5",
                           "LoRA r 8, rate 1e-4", "LoRA r 8, rate 3e-3"})
    BOOST_TEST(xml.find(rate) != xml.npos, rate);
  BOOST_TEST(xml.find("rate 1e-2") == xml.npos);  // diverged
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
