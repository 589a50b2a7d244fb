// The page of blind votes: texts stay texts, sides and order are mixed, nothing is loaded.
#include "tools/report/vote_page.h"

#include <boost/test/unit_test.hpp>

#include "engine/files/json.h"

using namespace afina;

namespace {

Json data_of(const std::string& html) {
  const std::string mark = "id=\"data\">";
  const size_t from = html.find(mark) + mark.size(), to = html.find("</script>", from);
  return parse_json(html.substr(from, to - from), "votes.html");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(vote_pages)

BOOST_AUTO_TEST_CASE(what_a_model_says_is_text) {
  const std::string evil = "</script><script>alert(1)</script><!-- & \x1b[2J";
  const VotePage page = vote_page({{"a.jsonl, line 1",
                                    {{"system", "Be kind."}, {"user", evil}},
                                    {{"base", evil}, {"b<i>", "fine"}}}},
                                  "a.jsonl", 1);
  BOOST_TEST(page.pairs == 1);
  BOOST_TEST(page.html.find("alert(1)</script>") == std::string::npos);
  BOOST_TEST(page.html.find("<!--") == std::string::npos);
  BOOST_TEST(page.html.find('\x1b') == std::string::npos);
  BOOST_TEST(page.html.find("innerHTML") == std::string::npos);
  BOOST_TEST(page.html.find("http") == page.html.find("http-equiv"));
  const Json pair = data_of(page.html).at("pairs")[0];
  BOOST_TEST(pair.at("turns")[0].at("text") == "Be kind.");
  BOOST_TEST(pair.at("turns")[1].at("text") == evil);
  BOOST_TEST((pair.at("first").at("text") == evil || pair.at("second").at("text") == evil));
}

BOOST_AUTO_TEST_CASE(pairs_are_mixed_and_equal_answers_left_out) {
  std::vector<VoteRow> rows;
  for (int i = 0; i < 300; ++i)
    rows.push_back(
        {"line " + std::to_string(i), {{"user", "q"}}, {{"a", "x"}, {"b", i % 3 ? "y" : "x"}}});
  const VotePage page = vote_page(rows, "d", 1);
  BOOST_TEST(page.pairs == 200);
  int first = 0, ordered = 0;
  std::string before;
  const Json data = data_of(page.html);
  for (size_t i = 0; i < data.at("pairs").size(); ++i) {
    const Json& pair = data.at("pairs")[i];
    first += pair.at("first").at("model") == "a";
    BOOST_TEST(pair.at("first").at("text") != pair.at("second").at("text"));
    const std::string place = pair.at("place");
    ordered += before < place;
    before = place;
  }
  BOOST_TEST((first > 60 && first < 140), first);
  BOOST_TEST((ordered > 60 && ordered < 140), ordered);
  BOOST_TEST(vote_page(rows, "d", 1).html == page.html);
  BOOST_TEST(vote_page(rows, "d", 2).html != page.html);
  // Three models make three pairs.
  BOOST_TEST(
      vote_page({{"p", {{"user", "q"}}, {{"a", "1"}, {"b", "2"}, {"c", "3"}}}}, "d", 1).pairs == 3);
}

BOOST_AUTO_TEST_SUITE_END()
