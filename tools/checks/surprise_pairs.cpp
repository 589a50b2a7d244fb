// Which of the surprising sentences belong together, and which belong nowhere.
#include <algorithm>
#include <map>
#include <set>

#include "tools/checks/surprise.h"

namespace afina {

namespace {

// A common topic's words are in at most so many records.
uint32_t records_of_topic(const Surprise& surprise, double share) {
  return std::max<uint32_t>(6, uint32_t(double(surprise.records()) * share));
}

std::vector<uint64_t> common_stems(const ReadSentence& a, const ReadSentence& b) {
  std::vector<uint64_t> common;
  std::set_intersection(a.stems.begin(), a.stems.end(), b.stems.begin(), b.stems.end(),
                        std::back_inserter(common));
  return common;
}

FactPair paired(const Surprise& surprise, size_t a, size_t b, const std::vector<uint64_t>& common) {
  const ReadSentence &one = surprise.sentences()[a], &other = surprise.sentences()[b];
  auto weight = [&](const std::vector<uint64_t>& stems) {
    double sum = 0;
    for (uint64_t stem : stems) sum += surprise.weight(stem);
    return sum;
  };
  const double lighter = std::min(weight(one.stems), weight(other.stems));
  return {a, b, lighter > 0 ? weight(common) / lighter : 0, one.negated != other.negated,
          one.values != other.values};
}

// Has it a word of its own topic: with its question, or with the rest of its answer?
bool belongs(const Surprise& surprise, size_t k, uint32_t to_question, uint32_t to_answer) {
  const ReadSentence& one = surprise.sentences()[k];
  if (surprise.shares_rare(one, surprise.asked(one.answer), to_question)) return true;
  const auto [first, last] = surprise.of(one.answer);
  for (size_t o = first; o < last; ++o)
    if (o != k && surprise.shares_rare(one, surprise.sentences()[o].stems, to_answer)) return true;
  return false;
}

// Pairs in unlike records that share a stem of at most `most` records.
template <class Take>
void rare_pairs(const Surprise& surprise, const std::vector<size_t>& which, uint32_t most,
                Take&& take) {
  std::map<uint64_t, std::vector<size_t>> with;
  for (size_t k : which)
    for (uint64_t stem : surprise.sentences()[k].stems)
      if (surprise.uses(stem) <= most) with[stem].push_back(k);
  std::set<std::pair<size_t, size_t>> seen;
  for (auto& [stem, places] : with)
    for (size_t j = 1; j < places.size(); ++j)
      for (size_t i = 0; i < j; ++i) {
        const size_t a = places[i], b = places[j];
        const ReadSentence &one = surprise.sentences()[a], &other = surprise.sentences()[b];
        if (one.answer == other.answer || !seen.insert({a, b}).second) continue;
        take(paired(surprise, a, b, common_stems(one, other)));
      }
}

// Have their questions a word in common that few have?
bool asked_alike(const Surprise& surprise, const ReadSentence& one, const ReadSentence& other) {
  const uint32_t few = records_of_topic(surprise, 0.06);
  const auto& asked = surprise.asked(other.answer);
  for (uint64_t stem : surprise.asked(one.answer))
    if (surprise.uses(stem) <= few && std::binary_search(asked.begin(), asked.end(), stem))
      return true;
  return false;
}

}  // namespace

std::vector<FactPair> fact_pairs(const Surprise& surprise) {
  constexpr double bar = 2, least_alike = 0.4;
  constexpr uint32_t most = 3;  // records that speak of it
  const uint32_t of_question = records_of_topic(surprise, 0.015);
  const auto& all = surprise.sentences();
  std::vector<size_t> which;
  for (size_t k = 0; k < all.size(); ++k)
    if (all[k].whole && surprise.above(all[k].loss) >= bar &&
        !belongs(surprise, k, of_question, most))
      which.push_back(k);
  std::vector<FactPair> pairs;
  rare_pairs(surprise, which, most, [&](const FactPair& pair) {
    const ReadSentence &one = all[pair.one], &other = all[pair.other];
    if (pair.alike < least_alike) return;
    // One of them must deny what the other says, or have another value. What says another thing in
    // the same words is as often the same thing in other words.
    if (!pair.opposite && !pair.values) return;
    // The same sentence but for its values, to those who asked alike: there neighbours vote
    // (value-conflict).
    if (!pair.opposite && one.stems == other.stems && asked_alike(surprise, one, other)) return;
    pairs.push_back(pair);
  });
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const FactPair& a, const FactPair& b) { return a.alike > b.alike; });
  std::map<size_t, int> partners;
  for (const FactPair& pair : pairs) {
    ++partners[pair.one];
    ++partners[pair.other];
  }
  std::erase_if(pairs,
                [&](const FactPair& p) { return partners[p.one] > 1 || partners[p.other] > 1; });
  return pairs;
}

std::vector<size_t> lone_sentences(const Surprise& surprise) {
  constexpr double bar = surprising_alone, partner_bar = 2;
  const uint32_t of_topic = records_of_topic(surprise, 0.015);
  const auto& all = surprise.sentences();
  std::vector<size_t> high, which;
  for (size_t k = 0; k < all.size(); ++k)
    if (surprise.above(all[k].loss) >= partner_bar) high.push_back(k);
  std::set<size_t> with_partner;
  rare_pairs(surprise, high, 6, [&](const FactPair& pair) {
    const ReadSentence &one = all[pair.one], &other = all[pair.other];
    if (pair.alike < 0.3 || (one.stems == other.stems && one.values == other.values)) return;
    with_partner.insert({pair.one, pair.other});
  });
  for (size_t k : high)
    if (all[k].known && surprise.above(all[k].loss) >= bar && !with_partner.count(k) &&
        !belongs(surprise, k, of_topic, of_topic))
      which.push_back(k);
  return which;
}

}  // namespace afina
