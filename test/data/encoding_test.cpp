// Encodings: what is read, and what is named.
#include "data/encoding.h"

#include "data/examples.h"
#include "test/scratch.h"

using namespace afina;

namespace {
// UTF-16 of a text in ASCII, with more units behind it.
std::string utf16(const std::string& ascii, bool big, const std::u16string& more = {}) {
  std::string bytes;
  auto put = [&](uint16_t unit) {
    bytes += char(big ? unit >> 8 : unit);
    bytes += char(big ? unit : unit >> 8);
  };
  for (char c : ascii) put(uint8_t(c));
  for (char16_t c : more) put(c);
  return bytes;
}
}  // namespace

BOOST_AUTO_TEST_SUITE(encoding)

BOOST_AUTO_TEST_CASE(utf16_with_a_mark_is_read) {
  const std::string row = R"({"prompt": "Q", "completion": "A"})";
  for (const bool big : {false, true}) {
    const std::string mark = big ? "\xFE\xFF" : "\xFF\xFE";
    BOOST_TEST(parse_examples(mark + utf16(row + "\n" + row, big), "d.jsonl").size() == 2u);
    BOOST_TEST(to_utf8(mark + utf16("a", big, u"\u00e9\u20ac\U0001F33F"), TextEncoding::automatic,
                       "d") == "a\u00e9\u20ac\U0001F33F");
    check_error([&] { parse_examples(utf16(row, big), "d.jsonl"); },
                {"d.jsonl", "UTF-16", "no byte order mark",
                 big ? "--encoding utf-16be" : "--encoding utf-16le"});
    ExampleOptions options;
    options.encoding = big ? TextEncoding::utf16be : TextEncoding::utf16le;
    BOOST_TEST(parse_examples(utf16(row, big), "d.jsonl", options).size() == 1u);
    check_error([&] { to_utf8(mark + utf16("a", big, u"\xD83C"), TextEncoding::automatic, "d"); },
                {"d: byte 2", "surrogate"});
  }
  check_error(
      [] {
        to_utf8(
            "\xFF\xFE"
            "abc",
            TextEncoding::automatic, "d");
      },
      {"d:", "odd number"});
  check_error([] { to_utf8(std::string("\xFF\xFE\0\0", 4), TextEncoding::automatic, "d"); },
              {"UTF-32", "iconv"});
  BOOST_TEST(to_utf8("\xEF\xBB\xBF"
                     "a",
                     TextEncoding::automatic, "d") == "a");
}

BOOST_AUTO_TEST_CASE(latin_1_and_windows_1252_are_named) {
  check_error([] { parse_examples("un caf\xE9 noir", "d.txt"); },
              {"d.txt, line 1: not UTF-8: byte 0xE9, in \"caf\u00e9\" if the file is Latin-1",
               "--encoding latin-1"});
  check_error([] { parse_examples("\n\n a \x80 5", "d.txt"); },
              {"d.txt, line 3", "byte 0x80", "\u20ac", "--encoding windows-1252"});
  check_error([] { parse_examples("a \x81 \xE9", "d.txt"); }, {"byte 0x81", "iconv"});
  ExampleOptions options;
  options.encoding = TextEncoding::latin1;
  BOOST_TEST(parse_examples("caf\xE9", "d.txt", options)[0].text == "caf\u00e9");
  options.encoding = TextEncoding::windows1252;
  BOOST_TEST(parse_examples("\x80 5", "d.txt", options)[0].text == "\u20ac 5");
  check_error([&] { parse_examples("\x81", "d.txt", options); }, {"d.txt: byte 0", "Windows-1252"});
  BOOST_TEST(utf8_fault("caf\u00e9 \U0001F33F").empty());
}

BOOST_AUTO_TEST_SUITE_END()
