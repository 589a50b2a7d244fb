// Rules for answers: what each asks, of which rows, and every way to write one wrong.
#include "tools/runs/rules.h"

#include "test/scratch.h"
#include "tools/options/words.h"
#include "tools/runs/numeric_answer.h"

using namespace afina;

namespace {

Rule rule(const std::string& text) {
  return parse_rules(parse_json("[" + text + "]", "r.json"), "r.json")[0];
}
// p, f or - (not asked) for each answer.
std::string judged(const std::string& text, const std::string& question,
                   const std::string& expected, const std::vector<std::string>& answers,
                   const std::string& context = "") {
  const Rule one = rule(text);
  std::string all;
  for (const std::string& answer : answers)
    all += "fp-"[int(one.judge({question, expected, answer, context}))];
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rules)

BOOST_AUTO_TEST_CASE(numbers_are_found) {
  const std::pair<const char*, const char*> all[] = {
      {"9 x 7 = 63\n63 - 3 = 60\n#### 60", "60"},
      {"#### 60\nThat is 3 more than 57.", "60"},
      {"#### 5\n#### 6", "6"},
      {"#### none, 7 of 8", "7"},
      {"####\n12", "12"},  // nothing behind the mark: the last number
      {"It costs $1,234.50.", "1234.5"},
      {"1,23", "23"},
      {"12,345,678 in all", "12345678"},
      {"007", "7"},
      {"0.50 or .5", "5"},
      {"-0.0", "0"},
      {"= -3", "-3"},
      {"(-3)", "-3"},
      {"5-3", "3"},
      {"x-3", "3"},
      {"-$20", "-20"},
      {"\xE2\x88\x92"
       "4 degrees",
       "-4"},
      {"QC-89296", "89296"},
      {"3.", "3"},
      {"1.2.3", "3"},
      {"none", ""},
      {"", ""}};
  for (auto& [text, number] : all) BOOST_TEST(numeric_answer(text) == number, text);
  BOOST_TEST(has_marked_number("a\n#### -7"));
  BOOST_TEST(!has_marked_number("7 ####"));
}

BOOST_AUTO_TEST_CASE(each_rule_asks_what_it_says) {
  const std::string question = "Where is QC-11 and QC-22?", expected = "QC-11 is here.\n#### 1";
  BOOST_TEST(judged(R"({"exact": true})", question, "Good  day. ",
                    {"Good day.", " Good\nday.", "good day.", "Good day"}) == "ppff");
  BOOST_TEST(judged(R"({"number": true})", question, expected, {"1", "it is 1.0", "2", ""}) ==
             "ppff");
  BOOST_TEST(judged(R"({"number": true})", question, "none", {"1", ""}) == "--");
  BOOST_TEST(judged(R"({"matches": "^(Hi|Hello)\\b"})", "", "", {"Hi Sam", "Oh, Hi", "Hint"}) ==
             "pff");
  BOOST_TEST(judged(R"({"lacks": "(?i)sorry"})", "", "", {"Sorry!", "Fine.", ""}) == "fpp");
  BOOST_TEST(judged(R"({"keeps": "QC-[0-9]+"})", question, expected,
                    {"QC-22, QC-11", "QC-11", "QC-110 QC-22", "none"}) == "pfff");
  BOOST_TEST(judged(R"({"keeps": "QC-[0-9]+", "from": "expected"})", question, expected,
                    {"QC-11", "none"}) == "pf");
  BOOST_TEST(judged(R"({"keeps": "QC-[0-9]+"})", "Hello?", expected, {"QC-11", ""}) == "--");
  BOOST_TEST(judged(R"({"adds_no": "QC-[0-9]+"})", question, expected,
                    {"QC-22", "none", "QC-33 and QC-22"}) == "ppf");
  // The system text and earlier answers were read as well.
  BOOST_TEST(judged(R"({"adds_no": "QC-[0-9]+"})", "Hello?", expected, {"QC-33", "QC-44"},
                    "Your order is QC-33.") == "pf");
  BOOST_TEST(judged(R"({"keeps": "QC-[0-9]+"})", "Hello?", expected, {"QC-33", "none"},
                    "Your order is QC-33.") == "pf");
  BOOST_TEST(judged(R"({"keeps": "QC-[0-9]+", "from": "question"})", "Hello?", expected, {"none"},
                    "Your order is QC-33.") == "-");
  const std::string english = "I have sent it to you and you will have it in a week.",
                    spanish = "Lo he enviado y lo va a recibir en la semana que viene.";
  BOOST_TEST(judged(R"({"language": "en"})", "", "", {english, spanish, "Ok"}) == "pff");
  BOOST_TEST(judged(R"({"language": "same"})", "", spanish, {english, spanish}) == "fp");
  BOOST_TEST(judged(R"({"language": "same"})", "", "Ok", {english, spanish}) == "--");
  BOOST_TEST(judged(R"({"characters": [2, 3]})", "", "", {"a", "äö", "abc", "abcd"}) == "fppf");
  BOOST_TEST(judged(R"({"words": [2, null]})", "", "", {"one.", "one, two.", "a b c"}) == "fpp");
  BOOST_TEST(judged(R"({"words": [null, 1]})", "", "", {"", "one.", "a b"}) == "ppf");
  BOOST_TEST(rule(R"({"lacks": "x"})").name == "lacks x");
  BOOST_TEST(rule(R"({"name": "n", "words": [2, null]})").says == "2 or more words");
}

BOOST_AUTO_TEST_CASE(what_is_not_understood_is_refused) {
  auto refused = [](const std::string& text, std::initializer_list<std::string> words) {
    check_error([&] { parse_rules(parse_json(text, "r.json"), "r.json"); }, words);
  };
  refused("{}", {"r.json", "array of rules", "object"});
  refused("[]", {"array of rules"});
  refused("[3]", {"rule 1", "expected an object", "3"});
  refused(R"([{"matches": "a"}, {"name": "x"}])", {"rule 2", "asks nothing", "keeps"});
  refused(R"([{"match": "a"}])", {"rule 1", "match", "matches"});
  refused(R"([{"matches": "a", "lacks": "b"}])", {"both 'matches' and 'lacks'"});
  refused(R"([{"matches": "("}])", {"rule 1, matches"});
  refused(R"([{"matches": ""}])", {"matches everything"});
  refused(R"([{"matches": 3}])", {"rule 1", "matches"});
  refused(R"([{"exact": false}])", {"expected true"});
  refused(R"([{"keeps": "a", "from": "answer"}])", {"from", "\"question\"", "answer"});
  refused(R"([{"lacks": "a", "from": "question"}])", {"belongs to 'keeps'"});
  refused(R"([{"language": "klingon"}])", {"klingon", "same, en, es", "cyrillic"});
  refused(R"([{"words": 3}])", {"two numbers", "[20, 600]"});
  refused(R"([{"words": [3, 2]}])", {"above the most"});
  refused(R"([{"words": [-1, 2]}])", {"words"});
  refused(R"([{"words": [1.5, 2]}])", {"words"});
  refused(R"([{"lacks": "a", "name": "n"}, {"lacks": "b", "name": "n"}])", {"second rule", "'n'"});
  refused(R"([{"lacks": "a", "name": ""}])", {"name is empty"});
  BOOST_CHECK_THROW(built_in_rule("fuzzy"), UsageError);
  // An expression that never ends says so.
  const Rule endless = rule(R"({"matches": "(a+)+$"})");
  check_error([&] { endless.judge({"", "", std::string(60, 'a') + "b"}); }, {"rule 1, matches"});
}

BOOST_AUTO_TEST_SUITE_END()
