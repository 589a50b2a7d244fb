// near-duplicate: records that differ in letter case, punctuation or a word or two that carry no
// fact. Where names, numbers or identifiers differ, records are two cases of one kind.
#include <algorithm>
#include <numeric>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"
#include "data/checks/record_words.h"

namespace afina {

namespace {

// Words of a record that tell it from others of its kind.
void facts_of(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out) {
  out.clear();
  Reading reading;
  for (const Turn& turn : corpus.turns(record)) {
    Corpus::read(corpus.text(turn), reading);
    for (const Word& word : reading.words)
      if (word.kind == WordKind::identifier ||
          (word.kind == WordKind::word && word.capital && corpus.is_name(word.id)))
        out.push_back(word.id);
    for (const Value& value : reading.values) out.push_back(value.id);
  }
  sort_unique(out);
}

// Is one of these words in two turns of the record? What question and answer both name is what
// they are about.
bool names_topic(const Corpus& corpus, uint32_t record, const std::vector<uint64_t>& some) {
  std::vector<Word> words;
  std::vector<uint32_t> turns(some.size(), 0);
  std::vector<uint32_t> last(some.size(), no_turn);
  uint32_t number = 0;
  for (const Turn& turn : corpus.turns(record)) {
    ++number;
    split_words(corpus.text(turn), words);
    for (const Word& word : words) {
      const auto found = std::lower_bound(some.begin(), some.end(), word.id);
      if (found == some.end() || *found != word.id) continue;
      const size_t i = size_t(found - some.begin());
      if (last[i] == number) continue;
      last[i] = number;
      if (++turns[i] > 1) return true;
    }
  }
  return false;
}

std::vector<uint64_t> without(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  std::vector<uint64_t> rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
  return rest;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  std::vector<uint64_t> words;
  const auto pairs = similar_pairs(corpus.records(),
                                   [&](uint32_t record, std::vector<uint64_t>& features) {
                                     record_words(corpus, record, words);
                                     if (words.size() >= 6) shingles(words, features);
                                   },
                                   {6, 5, 6});
  std::vector<uint64_t> a, b, facts_a, facts_b;
  std::vector<uint32_t> partner(corpus.records(), no_turn);
  std::vector<double> score(corpus.records(), 0);
  for (auto [one, other] : pairs) {
    record_words(corpus, one, a);
    record_words(corpus, other, b);
    const size_t length = std::max(a.size(), b.size());
    if (a.size() + 3 + length / 20 < b.size() || b.size() + 3 + length / 20 < a.size()) continue;
    sort_unique(a);
    sort_unique(b);
    const std::vector<uint64_t> only_a = without(a, b), only_b = without(b, a);
    const size_t differ = only_a.size() + only_b.size();
    const size_t allowed = length < 20 ? 1 : 2 + length / 40;
    if (differ > allowed) continue;
    facts_of(corpus, one, facts_a);
    facts_of(corpus, other, facts_b);
    if (facts_a != facts_b) continue;
    if (names_topic(corpus, one, only_a) || names_topic(corpus, other, only_b)) continue;
    if (record_text(corpus, one) == record_text(corpus, other)) continue;  // duplicate
    const double certain = 1. - 0.1 * double(differ);
    if (certain <= score[other]) continue;
    score[other] = certain;
    partner[other] = one;
  }
  for (uint32_t r = 0; r < corpus.records(); ++r)
    if (partner[r] != no_turn)
      out.push_back({nullptr, score[r], {{r}, {partner[r]}}, "nearly the same text", ""});
}

const RegisterCheck registered(
    {"near-duplicate", "duplicates", Severity::warning,
     "records that differ in punctuation or in a word that carries no fact",
     "Such records teach the same thing again, and weigh more than one record each.",
     "Keep the better of the two.", run});

}  // namespace

}  // namespace afina
