// Decoders: what they make of tokens, and what they refuse.
#include "data/tokenizer/decoder.h"

#include "data/tokenizer/tokenizer.h"
#include "test/scratch.h"

using namespace afina;

namespace {

std::string decoded(const Json& json, const std::vector<std::string>& tokens) {
  return Decoder(json, "t.json").decode(tokens);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decoder)

BOOST_AUTO_TEST_CASE(tokens_become_text) {
  BOOST_TEST(decoded(Json(), {"a", "b"}) == "a b");
  BOOST_TEST(decoded({{"type", "Fuse"}}, {"a", "b"}) == "ab");
  BOOST_TEST(decoded({{"type", "ByteFallback"}}, {"<0xE4>", "<0xbd>", "<0xA0>", "<0xE4>", "x"}) ==
             "\ufffd\ufffd\ufffd\ufffdx");
  BOOST_TEST(decoded({{"type", "ByteFallback"}}, {"<0xE4>", "<0xbd>", "<0xA0>", "x"}) == "\u4f60x");
  BOOST_TEST(decoded({{"type", "Metaspace"}}, {"\u2581a\u2581", "\u2581b"}) == "a b");
  BOOST_TEST(decoded({{"type", "Metaspace"}, {"prepend_scheme", "never"}},
                     {"\u2581a", "\u2581b"}) == " a b");
  BOOST_TEST(decoded({{"type", "WordPiece"}}, {"it", "'", "s", "##n", "."}) == "it ' sn.");
  BOOST_TEST(decoded({{"type", "BPEDecoder"}, {"suffix", "</w>"}}, {"a</w>", "b</w>"}) == "a b");
  BOOST_TEST(decoded({{"type", "Strip"}, {"content", "x"}, {"start", 1}, {"stop", 2}},
                     {"xxaxxx", "b"}) == "xaxb");
  BOOST_TEST(decoded({{"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", "-"}},
                     {"baab", "a"}) == "b-b-");
  BOOST_TEST(decoded({{"type", "ByteLevel"}}, {"\u0120a", "\u00c3", "\u00a9"}) == " a\u00e9");
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_refused) {
  check_error([] { decoded({{"type", "CTC"}}, {}); }, {"t.json", "CTC", "speech"});
  check_error(
      [] {
        decoded({{"type", "Strip"}, {"content", "ab"}, {"start", 1}, {"stop", 0}}, {});
      },
      {"t.json", "one character", "ab"});
  check_error([] { decoded({{"type", "Metaspace"}, {"prepend_scheme", "once"}}, {}); }, {"once"});
}

BOOST_AUTO_TEST_CASE(long_texts_are_streamed_as_they_are_decoded) {
  std::string vocabulary = R"(["<unk>",0],["▁a",-1],["b",-1],["▁",-2])";
  for (int b = 0; b < 256; ++b) {
    char name[16];
    std::snprintf(name, sizeof name, ",[\"<0x%02X>\",-9]", b);
    vocabulary += name;
  }
  const Tokenizer tokenizer = Tokenizer::from_json(
      R"({"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[)" + vocabulary +
          R"(]},"pre_tokenizer":{"type":"Metaspace"},"decoder":{"type":"Sequence","decoders":[)"
          R"({"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},)"
          R"({"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}})",
      "t.json");
  std::string text, streamed;
  for (int i = 0; i < 60; ++i) text += "ab\u4e2d\u00e9 a \U0001f469bb ";
  const std::vector<int32_t> ids = tokenizer.encode(text);
  BOOST_TEST(tokenizer.decode(ids) == text);
  TextStream stream(tokenizer);
  for (int32_t id : ids) streamed += stream.push(id);
  BOOST_TEST(streamed + stream.finish() == text);
}

BOOST_AUTO_TEST_SUITE_END()
