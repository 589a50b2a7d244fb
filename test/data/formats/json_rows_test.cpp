// JSON files: records a line, over several lines, in an array, in an object around one.
#include "test/data/formats/file_rows.h"

using namespace afina;
using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(json_rows)

BOOST_AUTO_TEST_CASE(all_layouts_give_the_same_rows) {
  const Texts two{R"({"a":"x"})", R"({"a":"y"})"};
  const std::string mark = "\xEF\xBB\xBF";
  for (const std::string& text :
       {std::string("{\"a\":\"x\"}\n{\"a\":\"y\"}\n"),
        mark + "{\"a\":\"x\"}\n" + mark + "{\"a\":\"y\"}",
        std::string("{\n \"a\": \"x\"\n}\n{\n \"a\": \"y\"\n}\n"),
        std::string("{\"a\":\"x\"}\r{\"a\":\"y\"}\r"), std::string("{\"a\":\"x\"}{\"a\":\"y\"}"),
        std::string("[{\"a\":\"x\"},\n {\"a\":\"y\"}]"), mark + "[{\"a\":\"x\"},{\"a\":\"y\"} ]\n",
        std::string("{\"data\": [{\"a\":\"x\"}, {\"a\":\"y\"}]}"),
        std::string("{\n\"version\": 1,\n\"train\": [\n{\"a\":\"x\"},\n{\"a\":\"y\"}\n]\n}")})
    BOOST_CHECK_MESSAGE(texts_of(text, "d.json") == two, text);
  BOOST_TEST(rows_of("{\"data\": [{\"a\":\"x\"}]}", "d.json")[0].place ==
             "d.json, record 1 of the field \"data\"");
  BOOST_TEST(rows_of("{\n \"a\": 1\n}\n{\"a\": 2}", "d.json")[1].place == "d.json, record 2");
  // A record that holds a list is a record where its fields are known.
  FileOptions options;
  options.is_record = [](const Texts& keys) { return keys == Texts{"messages"}; };
  BOOST_TEST(
      rows_of("{\"messages\": [{\"role\": 1}]}", "d.json", options)[0].json["messages"].size() ==
      1u);
  options.rows_field = "test";
  const std::string both = "{\"train\": [{\"a\":1}], \"test\": [{\"a\":2}]}";
  BOOST_CHECK(texts_of(both, "d.json", options) == Texts{R"({"a":2})"});
  check_error([&] { rows_of(both, "d.json"); },
              {"several lists of records: train, test", "--fields rows="});
  options.rows_field = "rows";
  check_error([&] { rows_of(both, "d.json", options); }, {"no such list", "train, test"});
  options.rows_field = "";
  const std::string deeper = "{\"data\": {\"train\": [{\"a\":1}], \"ids\": [1]}, \"n\": 1}";
  BOOST_TEST(rows_of(deeper, "d.json")[0].place == "d.json, record 1 of the field \"data.train\"");
  options.rows_field = "data.train";
  BOOST_CHECK(texts_of(deeper, "d.json", options) == Texts{R"({"a":1})"});
  // A list of turns holds no records.
  const std::string turns = R"({"dialog":[{"content":"Q","role":"user"}],"id":1})";
  BOOST_CHECK(texts_of(turns, "d.json") == Texts{turns});
  BOOST_CHECK(texts_of(R"({"dialog":[{"from":"human","value":"Q"}]})", "d.json").size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_bad_record_does_not_hide_the_others) {
  Texts rows =
      texts_of("{\"a\": NaN}\n{'a': 1}\n{\"a\": 1}\n{\"a\": None}\n{\"a\": 1,}", "d.jsonl");
  BOOST_REQUIRE(rows.size() == 5u);
  BOOST_TEST(rows[0].find("d.jsonl, line 1, column 7: not valid JSON: NaN, which Python") == 0u);
  BOOST_TEST(rows[1].find("d.jsonl, line 2, column 2: not valid JSON: a single quote") == 0u);
  BOOST_TEST(rows[2] == R"({"a":1})");
  BOOST_TEST(rows[3].find("None is not part of JSON") != std::string::npos);
  BOOST_TEST(rows[4].find("a comma before a closing bracket") != std::string::npos);
  rows = texts_of("prompt,completion\nQ,A\n", "d.jsonl");
  BOOST_TEST(
      rows[0] ==
      "d.jsonl, line 1: expected a record in braces, {...}, found the text "
      "\"prompt,completion\". A table has to have a name that ends in .csv or .tsv, a text one "
      "in .txt");
  rows = texts_of("{\"a\": 1},\n{\"a\": 2}\n", "d.jsonl");
  BOOST_TEST(rows[0].find("d.jsonl, line 1: a comma after the record") == 0u);
  BOOST_TEST(rows[1] == R"({"a":2})");
  rows = texts_of("[{\"a\": 1},\n{\"a\": -Infinity},\n{\"a\": 3}]", "d.json");
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(rows[1].find("d.json, line 2, column 7: not valid JSON: -Infinity") == 0u);
  BOOST_TEST(rows[2] == R"({"a":3})");
  rows = texts_of("{\"a\": \"cut\n{\"a\": 2}\n{\"a\": \"\xE9\"}", "d.jsonl");
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(rows[0].find("d.jsonl, line 1") == 0u);
  BOOST_TEST(rows[1] == R"({"a":2})");
  BOOST_TEST(rows[2].find("d.jsonl, line 3: not UTF-8: byte 0xE9") == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_file_is_said) {
  check_error([] { rows_of("[{\"a\": 1},\n{\"a\": 2", "d.json"); },
              {"d.json", "line 2", "does not end"});
  check_error([] { rows_of("{\n\"a\": 1,\n\"b\": 2", "d.json"); }, {"line 1", "does not end"});
  check_error([] { rows_of("[{\"a\": 1}\n{\"a\": 2}]", "d.json"); },
              {"line 2", "expected , or ]", "record 1"});
  check_error([] { rows_of("[{\"a\": 1},]", "d.json"); }, {"a comma after the last record"});
  check_error([] { rows_of("[{\"role\": 1}]\n[{\"role\": 1}]", "d.jsonl"); },
              {"line 2", "{\"messages\": [...]}"});
  check_error([] { rows_of("{\"a\": {\"0\": 1}, \"b\": {\"0\": 2}}", "d.json"); },
              {"orient='records'"});
  // The same where the fields are those of a record, and in one line as pandas writes them.
  FileOptions known;
  known.is_record = [](const std::vector<std::string>&) { return true; };
  for (const char* columns :
       {"{\"a\": {\"0\": 1}, \"b\": {\"0\": 2}}", "{\"a\": [1, 2], \"b\": [3, 4]}"})
    check_error([&] { rows_of(columns, "d.json", known); }, {"orient='records'"});
  check_error([] { rows_of("hello\n", "d.md"); }, {"d.md", "what kind of file", ".csv"});
  check_error([] { rows_of("<!DOCTYPE html>", "d.jsonl"); }, {"d.jsonl", "a web page"});
  check_error([] { rows_of("version https://git-lfs.github.com/spec/v1\n", "d.jsonl"); },
              {"Git LFS pointer", "git lfs pull"});
}

BOOST_AUTO_TEST_SUITE_END()
