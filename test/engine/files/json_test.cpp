// Tests of reading JSON: strict about the text, clear about what is wrong.
#include <boost/test/unit_test.hpp>

#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {
Json read(const std::string& text) { return parse_json(text, "a.json"); }
}  // namespace

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(reads_every_kind_of_value) {
  std::string text =
      R"({"a":[1,-2,3.5,true,null,"\u00e9\n",{"b":[]},[[1],[2,[3]]]],"c":18446744073709551615})";
  Json json = read(text);
  BOOST_TEST((json == Json::parse(text)));
  BOOST_TEST((read(to_text(json)) == json));
  BOOST_TEST((read(" 5 ") == Json(5)));
}

BOOST_AUTO_TEST_CASE(an_error_tells_the_place_and_what_was_found) {
  check_error([] { read("{\n  \"a\": 1,\n  \"b\": x\n}"); },
              {"a.json, line 3, column 8", "invalid literal"});
  check_error([] { read("{\"a\": 1"); }, {"a.json, line 1, column 8", "end of input"});
  check_error([] { read(""); }, {"a.json, line 1, column 1", "end of input"});
  check_error([] { read("[1] 2"); }, {"line 1, column 5"});
  check_error([] { read("{\"a\": 1e999}"); }, {"line 1, column", "1e999"});
  check_error([] { read("\"\xff\""); }, {"line 1, column 2", "UTF-8"});
  check_error([] { read("[\n\"a\tb\"]"); }, {"line 2"});
  check_error([] { parse_json("{]", "d.jsonl", {.first_line = 17}); },
              {"d.jsonl, line 17, column 2"});
  ScratchFolder folder;
  check_error([&] { parse_json_file(folder.put("b.json", "nul")); }, {folder / "b.json", "line 1"});
}

BOOST_AUTO_TEST_CASE(a_key_given_twice_is_an_error) {
  check_error([] { read("{\"a\": {\"x\":1,\n \"y\":[{\"a\":2}], \"x\":3}}"); },
              {"a.json, line 2, column 17", "'x' is given twice"});
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_an_error_and_not_a_crash) {
  BOOST_TEST(read(std::string(64, '[') + std::string(64, ']')).size() == 1u);
  check_error([] { read(std::string(10'000'000, '[')); }, {"line 1, column 65", "deeper than 64"});
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":\n";
  check_error([&] { read(objects); }, {"line 65, column 1", "deeper than 64"});
  check_error([] { parse_json("[1,2,3]", "a", {.bytes = 6}); }, {"7 bytes", "6"});
}

BOOST_AUTO_TEST_CASE(members_are_read_by_kind) {
  Json json =
      read(R"({"n": 576, "x": 1e-5, "f": 16.0, "s": "abc", "b": true, "z": null, "v": [1, 2], )"
           R"("big": 1e300, "neg": -1})");
  BOOST_TEST(get<int64_t>(json, "n", "c") == 576);
  BOOST_TEST(get<int>(json, "f", "c") == 16);
  BOOST_TEST(get<double>(json, "n", "c") == 576.0);
  BOOST_TEST(get<float>(json, "x", "c") == 1e-5f);
  BOOST_TEST(get<std::string>(json, "s", "c") == "abc");
  BOOST_TEST(get<bool>(json, "b", "c"));
  BOOST_TEST((get<std::vector<int>>(json, "v", "c") == std::vector<int>{1, 2}));
  BOOST_TEST(get_or<int>(json, "z", "c", 7) == 7);
  BOOST_TEST(get_or<int>(json, "none", "c", 7) == 7);
  check_error([&] { get<int>(json, "m", "c.json"); }, {"c.json", "'m' is missing"});
  check_error([&] { get<int>(read("{\"hidden_size\":1}"), "hiden_size", "c"); },
              {"did you mean 'hidden_size'"});
  check_error([&] { get<int>(json, "s", "c.json"); },
              {"c.json: 's' should be an integer, found the string \"abc\""});
  check_error([&] { get<int>(json, "x", "c"); }, {"should be an integer, found 1e-05"});
  check_error([&] { get<int64_t>(json, "big", "c"); }, {"integer from", "1e+300"});
  check_error([&] { get<uint8_t>(json, "n", "c"); }, {"from 0 to 255, found 576"});
  check_error([&] { get<uint64_t>(json, "neg", "c"); }, {"found -1"});
  check_error([&] { get<std::vector<std::string>>(json, "v", "c"); },
              {"'v[0]' should be a string, found 1"});
  check_error([&] { get<bool>(json, "v", "c"); }, {"should be true or false, found an array of 2"});
  check_error([&] { get_or<int>(json, "s", "c", 7); }, {"should be an integer"});
  check_error([&] { get<int>(Json(5), "s", "c"); }, {"c: expected an object, found 5"});
}

BOOST_AUTO_TEST_CASE(unknown_keys_are_named_with_the_nearest_known_one) {
  check_known_keys(read("{\"rank\":1}"), {"rank", "alpha"}, "lora");
  check_error(
      [] {
        check_known_keys(read("{\"rnak\":1}"), {"rank", "alpha"}, "lora");
      },
      {"lora: unknown key 'rnak'", "did you mean 'rank'"});
}

BOOST_AUTO_TEST_CASE(text_that_is_not_utf_8_cannot_be_written) {
  check_error([] { to_text(Json("\xff")); }, {"UTF-8"});
}

BOOST_AUTO_TEST_SUITE_END()
