// The charsmap of SentencePiece: what it makes of text, and what is none.
#include "data/tokenizer/precompiled.h"

#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// The rules of the stored cases (test/reference/tokenizer_kinds.py).
std::string rules(size_t which) {
  const Json all = parse_json_file(AFINA_SOURCE_DIR "/test/stored/tokenizers/kinds.json");
  for (auto& one : all.at("cases")) {
    const Json& normalizer = one.at("normalizer");
    if (!normalizer.is_object() || normalizer.at("type") != "Precompiled") continue;
    if (one.at("name").text().starts_with("normalizer") && which-- == 0)
      return normalizer.at("precompiled_charsmap");
  }
  fail("no stored rules");
}

std::string applied(const Precompiled& map, const std::string& text) {
  TextStore store(text.size());
  const TracedText out = map.apply(TracedText{text}, store);
  for (size_t i = 0; i < out.bytes.size(); ++i) BOOST_REQUIRE(out.at(i) <= out.at(i + 1));
  return std::string(out.bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(precompiled)

BOOST_AUTO_TEST_CASE(clusters_become_what_their_shortest_beginning_becomes) {
  const Precompiled map(rules(0), "test");
  BOOST_TEST(applied(map, "\ufb01x\u00a0\u3000") == "fix  ");
  // As a cluster: "e\u0301" is a rule. "Aa" is none, but A is.
  BOOST_TEST(applied(map, "e\u0301Aa") == "Eaa");
  BOOST_TEST(applied(map, "A\u0301") == "a");
  // Five bytes and more are looked up character by character.
  BOOST_TEST(applied(map, "A\u0301\u0301\u0301") == "a\u0301\u0301\u0301");
  BOOST_TEST(applied(map, "a\u200bb") == "ab");
  const std::string same = "nothing to do";
  TextStore store(same.size());
  BOOST_TEST(map.apply(TracedText{same}, store).bytes.data() == same.data());
}

BOOST_AUTO_TEST_CASE(what_is_no_charsmap_is_refused) {
  auto refused = [](const std::string& text, std::initializer_list<std::string> words) {
    check_error([&] { Precompiled(text, "t.json: normalizer"); }, words);
  };
  refused("A", {"t.json: normalizer", "base64"});
  refused("AA*=", {"base64", "character 2"});
  refused("AB==", {"base64"});
  refused("", {"expected a trie", "0 bytes"});
  refused("AAQAAAAA", {"1024 bytes", "2 follow"});
  refused("AAAAAP8=", {"UTF-8"});
  // A key whose text lies outside.
  BOOST_TEST(applied(Precompiled("AAAAAHgA", "test"), "x") == "x");
}

BOOST_AUTO_TEST_SUITE_END()
