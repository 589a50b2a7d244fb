// The page of a coherence experiment: charts, tables, answers as text.
#include "tools/report/coherence_page.h"

#include <boost/test/unit_test.hpp>

#include "test/tools/report/drawn.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(coherence_pages)

BOOST_AUTO_TEST_CASE(figures_are_there_and_answers_are_text) {
  CoherenceResult r;
  r.model = "pocket";
  r.data = "clean.jsonl";
  r.twin = "<twin>.jsonl";
  r.records = 40;
  r.methods = {"full", "LoRA r 8"};
  r.rates = {0, 50, 100};
  r.replaced = {0, 10, 20};
  for (const std::string& method : r.methods)
    for (double rate : r.rates)
      for (uint64_t seed : {1, 2, 3}) {
        CoherenceRun run;
        run.method = method;
        run.rate = rate;
        run.seed = seed;
        run.loss = 1 + rate / 100 + 0.01 * double(seed);
        run.answers = {0.5, 0.6, 0.7, 0.1, 0.2, {{"tone", 0.1}}};
        r.runs.push_back(run);
      }
  r.reference.checks["term"] = 0.05;
  r.shown = {{"held.jsonl, line 1", "Who <b>?", "I & you", {{"full", 0, {"<script>x</script>"}}}}};
  r.command = "afina coherence";
  const std::string html = coherence_page(r);
  for (const char* part :
       {"default-src 'none'", "&lt;twin&gt;.jsonl", "1.0200 ± 0.0248", "change +1.0000 ± 0.0000",
        "&lt;script&gt;x", "I &amp; you", "10 records replaced", "LoRA r 8, 50 %", "5.0 %"})
    BOOST_TEST(html.find(part) != html.npos, part);
  for (const char* part : {"<script", "<b>?", "https://"})
    BOOST_TEST(html.find(part) == html.npos, part);
  size_t at = html.find("<svg"), drawings = 0;
  for (; at != html.npos; at = html.find("<svg", at + 1), ++drawings)
    BOOST_TEST(xml_fault(html.substr(at, html.find("</svg>", at) + 6 - at)) == "");
  BOOST_TEST(drawings == 6u);
}

BOOST_AUTO_TEST_SUITE_END()
