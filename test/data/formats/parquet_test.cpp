// Parquet against files of pyarrow's (test/reference/data_forms.py).
#include "data/examples.h"
#include "data/formats/parquet_values.h"
#include "engine/files/atomic_file.h"
#include "test/data/formats/file_rows.h"

using namespace afina;

namespace {
std::string stored(const std::string& name) {
  return read_text_file(AFINA_SOURCE_DIR "/test/stored/data/" + name);
}
}  // namespace

BOOST_AUTO_TEST_SUITE(parquet)

BOOST_AUTO_TEST_CASE(compressions_and_encodings_give_the_rows_that_were_written) {
  const std::vector<std::string> rows = texts_of(stored("rows.jsonl"), "rows.jsonl");
  BOOST_REQUIRE(rows.size() == 20u);
  for (const char* name : {"none", "snappy", "gzip", "zstd", "checksums", "delta", "split"}) {
    const std::string file = std::string(name) + ".parquet";
    const std::vector<std::string> read = texts_of(stored(file), file);
    BOOST_CHECK_EQUAL_COLLECTIONS(read.begin(), read.end(), rows.begin(), rows.end());
  }
  BOOST_TEST(rows_of(stored("zstd.parquet"), "z.parquet")[19].place == "z.parquet, row 20");
  // It is known by its content.
  BOOST_TEST(rows_of(stored("snappy.parquet"), "data").size() == 20u);
}

BOOST_AUTO_TEST_CASE(lists_of_turns_are_put_together) {
  const std::vector<std::string> rows = texts_of(stored("messages.jsonl"), "m.jsonl");
  for (const char* name : {"messages.parquet", "messages_old_lists.parquet"}) {
    const std::vector<std::string> read = texts_of(stored(name), name);
    BOOST_CHECK_EQUAL_COLLECTIONS(read.begin(), read.end(), rows.begin(), rows.end());
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_read_is_named) {
  check_error([] { rows_of(stored("brotli.parquet"), "b.parquet"); },
              {"b.parquet, column \"prompt\"", "Brotli", "zstd"});
  std::map<std::string, std::string> unread;
  const std::string dated = stored("dated.parquet");
  read_rows(dated, "d.parquet", "d.parquet", {}, [&](Row&& row) {
    unread = *row.unread;
    return row.json.dump() == R"({"completion":"A","prompt":"Q"})";
  });
  BOOST_TEST(unread.size() == 3u);
  BOOST_TEST(unread["when"] == "a time");
  BOOST_TEST(unread["raw"] == "binary data");
  BOOST_TEST(unread["price"] == "a decimal number");
  // A field that needs such a column says what it is.
  ExampleOptions options;
  options.fields = {{"prompt", "prompt"}, {"completion", "when"}};
  check_error([&] { read_examples(AFINA_SOURCE_DIR "/test/stored/data/dated.parquet", options); },
              {"row 1", "\"when\"", "found a time, which is not read: write the column as text"});
}

BOOST_AUTO_TEST_CASE(damage_is_an_error) {
  const std::string file = stored("checksums.parquet");
  check_error([&] { rows_of(file.substr(0, file.size() - 9), "c.parquet"); },
              {"c.parquet", "incomplete"});
  std::string changed = file;
  changed[60] ^= 1;
  check_error([&] { rows_of(changed, "c.parquet"); }, {"c.parquet, column", "checksum"});
}

BOOST_AUTO_TEST_CASE(packed_numbers) {
  const std::string where = "page";
  // 3 in a run of five, then 0 to 7 in three bits each, as the format's own example has them.
  const std::string bytes("\x0A\x03\x03\x88\xC6\xFA", 6);
  const std::vector<uint32_t> expected{3, 3, 3, 3, 3, 0, 1, 2, 3, 4, 5, 6, 7};
  BOOST_TEST(ParquetBytes(bytes, where).runs(13, 3) == expected);
  check_error([&] { ParquetBytes(bytes, where).runs(14, 3); }, {"page", "damaged"});
}

BOOST_AUTO_TEST_SUITE_END()
