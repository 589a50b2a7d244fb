// Reads every sentence twice: first to see which places are met again.
#include "data/checks/term_places.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace afina {

namespace {

constexpr uint32_t most_sentences = 30000;  // different ones that are looked at
constexpr uint64_t around_seed = 59, whole_seed = 61;

// Words that tie two nouns to one term.
bool ties(uint64_t word) {
  static const std::set<uint64_t> all{text_hash("of"), text_hash("for"), text_hash("de"),
                                      text_hash("del"), text_hash("para")};
  return all.count(word) > 0;
}

// use: a sentence and how many records have it.
template <class Take>
void each_place(const Corpus& corpus, std::pair<uint32_t, uint32_t> use, Take&& take) {
  thread_local Reading reading;
  thread_local std::vector<uint64_t> ids;
  skeleton_of(corpus, use.first, reading, ids);
  const size_t n = ids.size();
  if (n < 3 || n > 60) return;
  // Of the words before each one and from each one on, so that a place takes two of them.
  thread_local std::vector<uint64_t> before, behind;
  thread_local std::vector<uint32_t> meanings;
  before.assign(n + 1, whole_seed);
  behind.assign(n + 1, whole_seed);
  meanings.assign(n + 1, 0);
  for (size_t i = 0; i < n; ++i) {
    before[i + 1] = hash_with(before[i], ids[i]);
    behind[n - 1 - i] = hash_with(behind[n - i], ids[n - 1 - i]);
    meanings[i + 1] = meanings[i] + (ids[i] > 3 && !is_function_word(ids[i]));
  }
  auto at = [&](int64_t i) { return i < 0 || i >= int64_t(n) ? 0 : ids[size_t(i)]; };
  for (size_t begin = 0; begin < n; ++begin)
    for (size_t length = 1; length <= 3 && begin + length <= n; ++length) {
      bool plain = true, content = false;
      uint64_t span = 53;
      for (size_t i = begin; i < begin + length; ++i) {
        plain &= ids[i] > 3;
        content |= !is_function_word(ids[i]);
        span = hash_with(span, ids[i]);
      }
      if (!plain) break;
      // A term begins and ends with a word that means something.
      if (!content || is_function_word(ids[begin + length - 1]) || is_function_word(ids[begin]))
        continue;
      const int64_t b = int64_t(begin), e = int64_t(begin + length);
      const uint64_t around[] = {at(b - 2), at(b - 1), at(e), at(e + 1)};
      // Three of the four words around it must be there, one of them with a meaning.
      int there = 0, meaning = 0;
      for (uint64_t word : around) {
        there += word != 0;
        meaning += word > 3 && !is_function_word(word);
      }
      Filler filler{0,         span,       uint32_t(ids[begin]), uint32_t(ids[begin + length - 1]),
                    use.first, use.second, uint16_t(begin),      uint8_t(length),
                    false};
      if (there >= 3 && meaning >= 1) {
        filler.place = around_seed;
        for (uint64_t word : around) filler.place = hash_with(filler.place, word);
        take(filler);
      }
      if (n < length + 4 || (length == 3 && !ties(ids[begin + 1]))) continue;
      // The words before and behind it, and how many of these have a meaning.
      const uint32_t within = meanings[begin + length] - meanings[begin];
      if (meanings[n] == within) continue;
      filler.whole = true;
      filler.place = hash_with(hash_with(before[begin], behind[begin + length]), whole_seed);
      take(filler);
    }
}

}  // namespace

void skeleton_of(const Corpus& corpus, uint32_t sentence, Reading& reading,
                 std::vector<uint64_t>& ids) {
  Corpus::read(corpus.text(corpus.sentences()[sentence]), reading);
  corpus.skeleton(reading, 0, uint32_t(reading.words.size()), ids);
}

std::vector<Filler> fillers_of(const Corpus& corpus) {
  std::vector<Filler> fillers;
  std::unordered_map<uint64_t, std::pair<uint32_t, uint32_t>> known;  // key -> first, records
  const auto& all = corpus.sentences();
  const size_t step = 1 + all.size() / (8 * most_sentences);
  for (uint32_t s = 0; s < all.size(); s += uint32_t(step)) {
    auto found = known.find(all[s].key);
    if (found != known.end()) ++found->second.second;
    else if (known.size() < most_sentences) known[all[s].key] = {s, 1};
  }
  // Most places are met once, with one filler, and tell nothing: bits by a hash of them say which
  // are met again, so that the others need no room.
  std::vector<bool> met(1 << 24), again(1 << 24);
  for (auto& [key, use] : known)
    each_place(corpus, use, [&](const Filler& one) {
      const size_t bit = one.place % met.size();
      if (met[bit]) again[bit] = true;
      met[bit] = true;
    });
  for (auto& [key, use] : known)
    each_place(corpus, use, [&](const Filler& one) {
      if (again[one.place % again.size()]) fillers.push_back(one);
    });
  std::sort(fillers.begin(), fillers.end());
  return fillers;
}

}  // namespace afina
