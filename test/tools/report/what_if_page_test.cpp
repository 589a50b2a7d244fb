// The page of single rows' effects: figures are there, texts are text, nothing is loaded.
#include "tools/report/what_if_page.h"

#include <boost/test/unit_test.hpp>

#include "test/tools/report/drawn.h"

using namespace afina;

namespace {

WhatIfResult result_of(int rows) {
  WhatIfResult r;
  r.model = "pocket";
  r.command = "afina what-if --data \"a b\"";
  r.data = "<b>.jsonl";
  for (int i = 0; i < rows; ++i) {
    r.rows.push_back({"a.jsonl, line " + std::to_string(i + 1), "<script>q</script>", "a & b",
                      0.001 * (i - rows / 2), 1});
    if (i % 3 == 0) r.rows.back().found = {{"tone", "<i>loud</i>"}};
  }
  std::vector<double> values;
  for (int i = 0; i < rows; ++i) values.push_back(i * i);
  r.estimates = {{"loss", "loss of the row", values, -0.3, -0.5, -0.1},
                 {"tracin", "TracIn", values, 0.62, 0.5, 0.7}};
  return r;
}
std::string drawing(const std::string& html, size_t number) {
  size_t at = 0;
  for (size_t i = 0; i <= number; ++i) at = html.find("<svg", at + 1);
  return html.substr(at, html.find("</svg>", at) + 6 - at);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(what_if_pages)

BOOST_AUTO_TEST_CASE(figures_are_there_and_texts_are_text) {
  const std::string html = what_if_page(result_of(30));
  for (const char* part :
       {"default-src 'none'", "a.jsonl, line 30", "a &amp; b", "0.62", "0.50 to 0.70", "[tone]",
        "&lt;i&gt;loud", "nothing was found", "15 of 30 rows harm", "+0.01400", "-0.01500"})
    BOOST_TEST(html.find(part) != html.npos, part);
  for (const char* part : {"<script", "<i>", "http://", "https://"})
    BOOST_TEST((html.find(part) == html.npos || std::string(part) == "http://"), part);
  for (size_t i : {0, 1}) BOOST_TEST(xml_fault(drawing(html, i)) == "");
  // The most harmful row stands before the others on its side.
  BOOST_TEST(html.find("a.jsonl, line 1<") < html.find("a.jsonl, line 2<"));
}

BOOST_AUTO_TEST_CASE(of_many_rows_the_middle_is_left_out) {
  const std::string html = what_if_page(result_of(700));
  BOOST_TEST(html.find("100 rows in the middle") != html.npos);
  size_t count = 0;
  for (size_t at = 0; (at = html.find("<details class=\"row\"", at)) != html.npos; ++at) ++count;
  BOOST_TEST(count == 600u);
}

BOOST_AUTO_TEST_CASE(a_single_row_without_estimates) {
  WhatIfResult r = result_of(1);
  r.estimates.clear();
  r.rows[0].found.clear();
  const std::string html = what_if_page(r);
  BOOST_TEST(html.find("<h2>Estimates") == html.npos);
  BOOST_TEST(html.find("Rows with findings") == html.npos);
  BOOST_TEST(html.find("0 of 1 row harm") != html.npos);
}

BOOST_AUTO_TEST_SUITE_END()
