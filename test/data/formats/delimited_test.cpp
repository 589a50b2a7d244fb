// CSV and TSV: RFC 4180, and what people write beside it.
#include "test/data/formats/file_rows.h"

using namespace afina;
using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(delimited)

BOOST_AUTO_TEST_CASE(quotes_line_ends_and_empty_fields) {
  const std::string csv =
      "prompt,completion,\"odd \"\"name\"\"\"\r\n"
      "\"When, and\nwhere?\",\"She said \"\"nine\"\".\",\r\n"
      "\n"
      "plain 5\" pipe, kept as it is ,x\n"
      ",,\"\"";
  const std::vector<Row> rows = rows_of(csv, "d.csv");
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(
      rows[0].json.dump() ==
      R"({"completion":"She said \"nine\".","odd \"name\"":null,"prompt":"When, and\nwhere?"})");
  BOOST_TEST(rows[1].json["prompt"].text() == "plain 5\" pipe");
  BOOST_TEST(rows[1].json["completion"].text() == " kept as it is ");
  BOOST_TEST(rows[2].json.dump() == R"({"completion":null,"odd \"name\"":null,"prompt":null})");
  BOOST_TEST(rows[0].place == "d.csv, line 2");
  BOOST_TEST(rows[1].place == "d.csv, line 5");
  BOOST_TEST(rows[2].place == "d.csv, line 6");
  BOOST_CHECK(texts_of("a\tb\n1\t2,3\n", "d.tsv") == Texts{R"({"a":"1","b":"2,3"})"});
  BOOST_CHECK(texts_of("\xEF\xBB\xBF a ,b\n1,2\r3,4", "d.CSV") ==
              (Texts{R"({"a":"1","b":"2"})", R"({"a":"3","b":"4"})"}));
  BOOST_CHECK(texts_of("sep=;\r\na;b\r\n1;2,3\r\n", "d.csv") == Texts{R"({"a":"1","b":"2,3"})"});
  BOOST_CHECK(texts_of("a,b\n1,", "d.csv") == Texts{R"({"a":"1","b":null})"});
}

BOOST_AUTO_TEST_CASE(bad_rows_are_problems_and_bad_files_errors) {
  const Texts rows = texts_of("a,b\n1,2,3\n1\n\"x\"y,2\n\xE9t\xE9,2\n1,2\n", "d.csv");
  BOOST_REQUIRE(rows.size() == 5u);
  BOOST_TEST(rows[0].find("d.csv, line 2: expected 2 fields") == 0u);
  BOOST_TEST(rows[0].find("found 3") != std::string::npos);
  BOOST_TEST(rows[1].find("d.csv, line 3: expected 2 fields") == 0u);
  BOOST_TEST(rows[2].find("d.csv, line 4: text follows the quote") == 0u);
  BOOST_TEST(rows[3].find("d.csv, line 5: not UTF-8: byte 0xE9, in \"été\"") == 0u);
  BOOST_TEST(rows[3].find("--encoding latin-1") != std::string::npos);
  BOOST_TEST(rows[4] == R"({"a":"1","b":"2"})");
  check_error([] { rows_of("a,b\n1,\"2\n3,4\n", "d.csv"); }, {"d.csv, line 2", "a quote"});
  check_error([] { rows_of("a;b\n1;2\n", "d.csv"); },
              {"d.csv, line 1", "\"a;b\"", "expected ','", "--delimiter ';'"});
  check_error([] { rows_of("a\tb\n", "d.csv"); }, {"--delimiter tab"});
  check_error([] { rows_of("a,b,a\n", "d.csv"); }, {"two fields are called \"a\""});
  FileOptions semicolons;
  semicolons.delimiter = ';';
  BOOST_CHECK(texts_of("a;b\n1,5;2\n", "d.csv", semicolons) == Texts{R"({"a":"1,5","b":"2"})"});
}

BOOST_AUTO_TEST_SUITE_END()
