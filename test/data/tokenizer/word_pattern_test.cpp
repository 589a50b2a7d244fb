// Expressions that are read by hand against the same as regular expressions.
#include "data/tokenizer/word_pattern.h"

#include <cstdlib>

#include "data/tokenizer/utf8.h"
#include "engine/random.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::string gpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string contractions = R"((?i:'s|'t|'re|'ve|'m|'ll|'d))";
const std::string rest = R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string upper = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])",
                  lower = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])", before = R"([^\r\n\p{L}\p{N}]?)";

const std::vector<std::string> patterns = {
    gpt2,
    contractions + R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})" + rest,
    contractions + R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" + rest,
    contractions + R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N})" + rest,
    before + upper + "*" + lower + "+" + contractions + "?|" + before + upper + "+" + lower + "*" +
        contractions + R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    before + upper + "*" + lower + "+|" + before + upper + "+" + lower +
        R"(*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"(\p{N})",
    R"(\p{N}+)",
    R"(\p{N}{1,3})",
    R"(\s+)",
    R"(\s+(?!\S)|\p{L}+|'s)",
    R"(\s*[\r\n]+| ?\p{L}+)",
    R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*| ?\p{N}+)",
};

// Characters of every kind that the patterns tell apart, and pieces in which they matter.
const std::vector<std::string> pieces = {"a",          "B",
                                         "z",          "é",
                                         "É",          "ß",
                                         "ǅ",          "ʰ",
                                         "ª",          "中",
                                         "の",         "ب",
                                         "़",           "\u0301",
                                         "\u0903",     "1",
                                         "٣",          "½",
                                         "Ⅷ",          "²",
                                         "\U0001d7d8", " ",
                                         " ",          "  ",
                                         "\t",         "\n",
                                         "\r",         "\r\n",
                                         "\u00a0",     "\u0085",
                                         "\u2028",     "\u3000",
                                         "\v",         "\f",
                                         "'",          "'s",
                                         "'S",         "'\u017f",
                                         "'ll",        "'LL",
                                         "'l",         "'re",
                                         "'rE",        "'ve",
                                         "'D",         "'m",
                                         "'t",         ".",
                                         ",",          "/",
                                         "//",         "!",
                                         "_",          "-",
                                         "€",          "。",
                                         "\U0001f642", "\u200d",
                                         "\ufe0f",     "\u200b",
                                         "\ufeff",     std::string(1, '\0'),
                                         "\x7f",       "\u0378",
                                         "\u1c89",     "\U0002ebf0",
                                         "\uffff",     "\U0010ffff",
                                         "\ue000",     "k",
                                         "\u212a",     "s",
                                         "\u017f"};

using Matches = std::vector<std::pair<size_t, size_t>>;
template <class Pattern>
Matches matches(const Pattern& pattern, const std::string& text) {
  Matches all;
  pattern.each_match(text, [&](size_t begin, size_t end) { all.emplace_back(begin, end); });
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(word_pattern)

// AFINA_STRINGS: how many strings a pattern is tried on.
BOOST_AUTO_TEST_CASE(matches_are_those_of_the_regular_expression) {
  const char* asked = std::getenv("AFINA_STRINGS");
  const uint64_t strings = asked ? std::strtoull(asked, nullptr, 10) : 20'000;
  const Random random(1, "word pattern", 0);
  uint64_t at = 0;
  auto below = [&](size_t end) { return size_t(random.below(at++, uint32_t(end))); };
  for (const std::string& pattern : patterns) {
    const auto scanner = WordScanner::of(pattern);
    BOOST_REQUIRE_MESSAGE(scanner, pattern);
    const Regex regex(pattern, "t");
    for (uint64_t i = 0; i < strings; ++i) {
      std::string text;
      const size_t length = 1 + below(12);
      for (size_t k = 0; k < length; ++k) {
        if (below(16)) {
          text += pieces[below(pieces.size())];
        } else if (uint32_t code = uint32_t(below(0x110000)); code < 0xD800 || code > 0xDFFF) {
          append_utf8(text, code);
        }
      }
      BOOST_REQUIRE_MESSAGE(matches(*scanner, text) == matches(regex, text),
                            pattern << " in " << Json(text).dump(-1, ' ', true));
    }
  }
}

BOOST_AUTO_TEST_CASE(every_character_alone_and_between_others) {
  for (const std::string& pattern : patterns) {
    const auto scanner = WordScanner::of(pattern);
    const Regex regex(pattern, "t");
    std::string text;
    for (uint32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 7) {
      if (code >= 0xD800 && code < 0xE000) continue;
      append_utf8(text, code);
      text += code % 3 ? "a" : code % 5 ? "\n" : " ";
    }
    BOOST_TEST((matches(*scanner, text) == matches(regex, text)), pattern);
  }
}

BOOST_AUTO_TEST_CASE(other_patterns_are_regular_expressions) {
  for (const char* other : {"", "\\w+", "\\p{L}+|", "(?:\\p{L}+|x)", "\\p{N}{1,4}", "'S",
                            " ?\\p{L}*", "[a-z]+", "\\s+(?=\\S)|\\s+", "(?i:'s|'t)", "\\p{L}++"}) {
    BOOST_TEST(!WordScanner::of(other), other);
  }
  const WordPattern words("[a-z]+", "t");
  BOOST_TEST((matches(words, "ab 1 c") == Matches{{0, 2}, {5, 6}}));
  check_error([] { WordPattern("(", "t.json"); }, {"t.json", "regular expression"});
}

BOOST_AUTO_TEST_SUITE_END()
