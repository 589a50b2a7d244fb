// Byte-pair encoding: all its ways (cache, few symbols, windows, cuts) against the definition.
#include "data/tokenizer/bpe.h"

#include <map>
#include <optional>
#include <set>
#include <thread>

#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/utf8.h"
#include "engine/random.h"
#include "test/scratch.h"

using namespace afina;

namespace {

struct Dice {
  Random random;
  uint64_t at = 0;
  explicit Dice(uint64_t seed) : random(seed, "bpe", 0) {}
  size_t below(size_t end) { return size_t(random.below(at++, uint32_t(end))); }
};

// A vocabulary of random merges over an alphabet of single characters.
struct Made {
  TokenTable vocabulary;
  std::vector<Bpe::Merge> merges;
  std::vector<std::string> alphabet;
};

std::string as_written(std::string_view bytes) {
  std::string text;
  for (char c : bytes) append_utf8(text, character_of_byte(uint8_t(c)));
  return text;
}

// splits: how a token can be cut into two tokens is a merge each, as in files of SentencePiece;
// else the merge that made it.
Made made(Dice& dice, std::vector<std::string> alphabet, size_t count, bool splits, bool fallback) {
  Made m;
  m.alphabet = std::move(alphabet);
  int32_t id = 0;
  std::vector<std::string> tokens;
  auto add = [&](const std::string& text) {
    if (!m.vocabulary.emplace(text, id)) return false;
    ++id;
    return true;
  };
  for (int b = 0; fallback && b < 256; ++b) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", b);
    add(name);
  }
  for (auto& one : m.alphabet)
    if (add(one)) tokens.push_back(one);
  for (size_t tries = 0; tries < 20 * count && tokens.size() < count; ++tries) {
    // Mostly short ones, so that there are many ways to the same text.
    const std::string left = tokens[dice.below(tries % 3 ? tokens.size() : m.alphabet.size())],
                      right = tokens[dice.below(tries % 2 ? tokens.size() : m.alphabet.size())];
    if (left.size() + right.size() > 60 || !add(left + right)) continue;
    tokens.push_back(left + right);
    if (!splits) m.merges.push_back({m.vocabulary.id_of(left), m.vocabulary.id_of(right), id - 1});
  }
  for (auto& token : tokens)
    for (size_t i = 1; splits && i < token.size(); ++i) {
      const int32_t left = m.vocabulary.id_of(token.substr(0, i)),
                    right = m.vocabulary.id_of(token.substr(i));
      if (left >= 0 && right >= 0) m.merges.push_back({left, right, m.vocabulary.id_of(token)});
    }
  return m;
}

// The pair of lowest rank, leftmost first, again and again: nothing else.
std::vector<BpeToken> simply(const Made& m, std::vector<BpeToken> symbols) {
  std::map<std::pair<int32_t, int32_t>, std::pair<size_t, int32_t>> rules;
  for (size_t i = 0; i < m.merges.size(); ++i)
    rules[{m.merges[i].left, m.merges[i].right}] = {i, m.merges[i].merged};
  while (true) {
    size_t best = symbols.size(), rank = rules.size() + m.merges.size();
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      auto found = rules.find({symbols[i].id, symbols[i + 1].id});
      if (found == rules.end() || found->second.first >= rank) continue;
      rank = found->second.first;
      best = i;
    }
    if (best == symbols.size()) return symbols;
    symbols[best + 1].id = rules.at({symbols[best].id, symbols[best + 1].id}).second;
    symbols.erase(symbols.begin() + int64_t(best));
  }
}

std::string word_of(Dice& dice, const std::vector<std::string>& alphabet, size_t symbols) {
  std::string word;
  // Now and then one character again and again: what depends on where the word begins.
  const bool monotone = dice.below(4) == 0;
  std::string last = alphabet[dice.below(alphabet.size())];
  for (size_t i = 0; i < symbols; ++i) {
    if (!monotone || dice.below(40) == 0) last = alphabet[dice.below(alphabet.size())];
    word += last;
  }
  return word;
}

void check(const Bpe& bpe, Dice& dice, const std::vector<std::string>& alphabet, size_t words,
           size_t longest) {
  Bpe::Words fast(bpe);
  std::vector<std::string> seen;
  for (size_t i = 0; i < words; ++i) {
    std::string word = word_of(dice, alphabet, 1 + dice.below(longest));
    if (dice.below(3) == 0 && !seen.empty()) word = seen[dice.below(seen.size())];
    seen.push_back(word);
    std::vector<BpeToken> expected, found;
    bpe.encode_by_definition(word, expected);
    fast.encode(word, found);
    BOOST_REQUIRE_MESSAGE(found == expected, "word " << i << ": " << word);
  }
}

const std::vector<std::string> letters = {"a", "b", "c", "d", "e", "f", "g", "h"};
const std::vector<std::string> few_letters = {"a", "b"};
const std::vector<std::string> wide = {"a", "b", "\u2581", "é", "ß", "中", "国", "\U0001f642"};

std::vector<std::string> all_bytes() {
  std::vector<std::string> all;
  for (int b = 0; b < 256; ++b) all.push_back(as_written(std::string(1, char(b))));
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bpe)

BOOST_AUTO_TEST_CASE(the_definition_is_the_lowest_rank_again_and_again) {
  Dice dice(1);
  for (size_t round = 0; round < 30; ++round) {
    const Made m = made(dice, round % 2 ? letters : few_letters, 60, round % 3 == 0, false);
    const Bpe bpe(m.vocabulary, m.merges, {Bpe::Symbols::characters, "", false, false, false}, "t");
    for (size_t i = 0; i < 40; ++i) {
      const std::string word = word_of(dice, m.alphabet, 1 + dice.below(60));
      std::vector<BpeToken> symbols, found;
      for (size_t k = 0; k < word.size(); ++k)
        symbols.push_back({m.vocabulary.id_of(word.substr(k, 1)), uint32_t(k + 1)});
      bpe.encode_by_definition(word, found);
      BOOST_REQUIRE(found == simply(m, symbols));
    }
  }
}

BOOST_AUTO_TEST_CASE(byte_level) {
  Dice dice(2);
  for (size_t round = 0; round < 40; ++round) {
    Made m = made(dice, all_bytes(), 256, false, false);
    // Merges of letters alone, so that they happen.
    std::vector<std::string> tokens = round % 2 ? letters : few_letters;
    const size_t alphabet = tokens.size();
    for (size_t i = 0; i < 200; ++i) {
      const std::string left = tokens[dice.below(tokens.size())],
                        right = tokens[dice.below(i % 2 ? tokens.size() : alphabet)];
      const int32_t id = int32_t(m.vocabulary.size());
      if (left.size() + right.size() > 90 || !m.vocabulary.emplace(left + right, id)) continue;
      tokens.push_back(left + right);
      m.merges.push_back({m.vocabulary.id_of(left), m.vocabulary.id_of(right), id});
    }
    Bpe::Options options;
    options.ignore_merges = round % 4 == 0;
    const Bpe bpe(m.vocabulary, m.merges, options, "t");
    check(bpe, dice, {tokens.begin(), tokens.begin() + int64_t(alphabet)}, 150, 40);
    check(bpe, dice, {tokens.begin(), tokens.begin() + int64_t(alphabet)}, 30, 600);
    check(bpe, dice, {"a", "b", "é", "中", "\n", "\u0100"}, 60, 100);
  }
}

// Characters of several bytes: whole ones first, with some merges of parts across characters, and
// with merges that are used before they are made.
BOOST_AUTO_TEST_CASE(byte_level_characters) {
  Dice dice(7);
  const std::vector<std::string> characters = {"a",  " ",  "é",  "è",         "中",
                                               "国", "丸", "の", "\U0001f642"};
  for (size_t round = 0; round < 120; ++round) {
    Made m = made(dice, all_bytes(), 256, false, false);
    std::set<std::pair<std::string, std::string>> pairs;
    auto add = [&](const std::string& left, const std::string& right) {
      const std::string l = as_written(left), r = as_written(right);
      if (m.vocabulary.id_of(l) < 0 || m.vocabulary.id_of(r) < 0 || !pairs.emplace(l, r).second)
        return false;
      m.vocabulary.emplace(l + r, int32_t(m.vocabulary.size()));
      m.merges.push_back({m.vocabulary.id_of(l), m.vocabulary.id_of(r), m.vocabulary.id_of(l + r)});
      return true;
    };
    std::vector<std::string> tokens = characters;
    // Before they are whole: the last bytes of one with the first of another.
    for (size_t i = 0; round % 6 == 1 && i < 6; ++i) {
      const std::string a = characters[dice.below(characters.size())],
                        b = characters[dice.below(characters.size())];
      add(a.substr(a.size() - 1), b.substr(0, 1));
      if (b.size() > 2) add(b.substr(0, 1), b.substr(1, 1));
      if (b.size() > 2) add(a.substr(a.size() - 1), b.substr(0, 2));
    }
    for (auto& one : characters) {
      if (round % 4 == 3 && dice.below(3) == 0) continue;  // stays bytes
      for (size_t i = 1; i < one.size(); ++i)
        if (dice.below(8)) add(one.substr(0, i), one.substr(i, 1));
        else add(one.substr(i - 1, 1), one.substr(i, 1));
    }
    for (size_t i = 0; i < 60; ++i) {
      std::string both = tokens[dice.below(tokens.size())] + tokens[dice.below(tokens.size())];
      if (both.size() < 2 || both.size() > 30) continue;
      // Mostly at a border between characters.
      size_t cut = dice.below(both.size() - 1) + 1;
      while (round % 3 && cut < both.size() && (uint8_t(both[cut]) & 0xC0) == 0x80) ++cut;
      if (cut < both.size() && add(both.substr(0, cut), both.substr(cut))) tokens.push_back(both);
    }
    for (size_t i = 0; round % 5 == 4 && i < 20; ++i)
      std::swap(m.merges[dice.below(m.merges.size())], m.merges[dice.below(m.merges.size())]);
    Bpe::Options options;
    options.ignore_merges = round % 2 == 0;
    const Bpe bpe(m.vocabulary, m.merges, options, "t");
    check(bpe, dice, characters, 100, 12);
    check(bpe, dice, characters, 20, 300);
  }
}

BOOST_AUTO_TEST_CASE(characters_with_byte_fallback_are_cut_and_in_windows) {
  Dice dice(3);
  for (size_t round = 0; round < 40; ++round) {
    const Made m = made(dice, round % 2 ? wide : letters, 120, round % 3 != 0, true);
    Bpe::Options options{Bpe::Symbols::characters, "", round % 2 == 0, true, round % 5 == 0};
    const Bpe bpe(m.vocabulary, m.merges, options, "t");
    std::vector<std::string> alphabet = m.alphabet;
    check(bpe, dice, alphabet, 100, 40);
    check(bpe, dice, alphabet, 20, 800);
    alphabet.insert(alphabet.end(), {"x", "ü", "語", "\U0001f600"});  // fall back to bytes
    check(bpe, dice, alphabet, 60, 200);
  }
}

BOOST_AUTO_TEST_CASE(unknown_symbols) {
  Dice dice(4);
  for (size_t round = 0; round < 40; ++round) {
    Made m = made(dice, wide, 80, round % 3 == 0, false);
    m.vocabulary.emplace("<unk>", int32_t(m.vocabulary.size()));
    Bpe::Options options{Bpe::Symbols::characters, round % 4 ? "<unk>" : "", round % 2 == 0, false,
                         false};
    const Bpe bpe(m.vocabulary, m.merges, options, "t");
    std::vector<std::string> alphabet = m.alphabet;
    alphabet.insert(alphabet.end(), {"x", "語"});
    check(bpe, dice, alphabet, 60, 40);
    check(bpe, dice, alphabet, 30, 300);
  }
}

// Merges may have byte tokens: then nothing is cut where they could join.
BOOST_AUTO_TEST_CASE(merges_of_byte_tokens) {
  Dice dice(5);
  Made m = made(dice, wide, 80, false, true);
  m.vocabulary.emplace("<0x78><0x79>", int32_t(m.vocabulary.size()));
  m.merges.insert(m.merges.begin(), {m.vocabulary.id_of("<0x78>"), m.vocabulary.id_of("<0x79>"),
                                     m.vocabulary.id_of("<0x78><0x79>")});
  const Bpe bpe(m.vocabulary, m.merges, {Bpe::Symbols::characters, "", false, true, false}, "t");
  std::vector<BpeToken> tokens;
  bpe.encode(std::string(20, 'x') + std::string(20, 'y'), tokens);
  BOOST_TEST(tokens.size() == 39u);
  check(bpe, dice, {"x", "y", "a", "\u2581"}, 200, 120);
}

BOOST_AUTO_TEST_CASE(what_is_added_to_the_vocabulary_later_is_not_a_word) {
  TokenTable vocabulary;
  for (auto& one : all_bytes()) vocabulary.emplace(one, int32_t(vocabulary.size()));
  Bpe::Options options;
  options.ignore_merges = true;
  std::optional<Bpe> bpe;
  vocabulary.emplace("ab", 256);
  bpe.emplace(vocabulary, std::vector<Bpe::Merge>{}, options, "t");
  vocabulary.emplace("abc", 257);
  std::vector<BpeToken> tokens;
  bpe->encode("ab", tokens);
  bpe->encode("abc", tokens);
  BOOST_TEST(tokens.size() == 4u);
  BOOST_TEST(tokens[0].id == 256);
}

BOOST_AUTO_TEST_CASE(threads_have_caches_of_their_own) {
  Dice dice(6);
  const Made m = made(dice, wide, 120, true, true);
  const Bpe bpe(m.vocabulary, m.merges, {Bpe::Symbols::characters, "", false, true, false}, "t");
  std::vector<std::string> words;
  std::vector<std::vector<BpeToken>> expected;
  for (size_t i = 0; i < 300; ++i) {
    words.push_back(word_of(dice, m.alphabet, 1 + dice.below(100)));
    bpe.encode_by_definition(words.back(), expected.emplace_back());
  }
  std::vector<int> right(4);
  std::vector<std::thread> all;
  for (size_t t = 0; t < right.size(); ++t)
    all.emplace_back([&, t] {
      for (size_t i = 0; i < words.size(); ++i) {
        std::vector<BpeToken> found;
        const size_t word = (i + 77 * t) % words.size();
        bpe.encode(words[word], found);
        right[t] += found == expected[word];
      }
    });
  for (auto& one : all) one.join();
  for (int count : right) BOOST_TEST(count == 300);
}

BOOST_AUTO_TEST_SUITE_END()
