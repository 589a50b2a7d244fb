// Pairs rare sentences by their rarest words, and judges them by a logistic regression.
#include "data/checks/aside_pairs.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/checks/clash.h"
#include "data/checks/neighbours.h"
#include "data/checks/personal_patterns.h"
#include "data/checks/phrases.h"
#include "data/checks/stray.h"
#include "data/checks/stray_nets.h"
#include "data/checks/topics.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr uint32_t most_said = 2;    // records that say the sentence
constexpr uint32_t most_shared = 8;  // records with the word that two have in common
constexpr size_t most_paired = 12;   // sentences with it
constexpr double least_aside = 0.01, least_chance = 0.3, unanswered = 0.3;

}  // namespace

void each_pair(const Corpus& corpus, const std::function<bool(uint32_t)>& wanted,
               const std::function<void(uint32_t, uint32_t, const PairFeatures&)>& take) {
  const Topics& topics = corpus.topics();
  const auto& sentences = corpus.sentences();
  auto weight = [&](uint64_t stem) { return topics.rarity(stem); };
  std::vector<uint32_t> numbers;
  std::vector<Saying> said;
  std::map<uint64_t, std::vector<uint32_t>> with;  // stem -> places in the two lists
  for (uint32_t s = 0; s < sentences.size(); ++s) {
    if (corpus.phrases().of(sentences[s]).records > most_said || !wanted(s)) continue;
    said.emplace_back();
    read_saying(corpus, sentences[s], said.back());
    for (uint64_t stem : said.back().stems)
      if (topics.said(stem) <= most_shared) with[stem].push_back(uint32_t(numbers.size()));
    numbers.push_back(s);
  }
  std::set<std::pair<uint32_t, uint32_t>> pairs;
  for (auto& [stem, places] : with)
    for (size_t i = 0; i < places.size() && places.size() <= most_paired; ++i)
      for (size_t j = i + 1; j < places.size(); ++j) pairs.emplace(places[i], places[j]);
  for (auto [a, b] : pairs) {
    const Sentence &one = sentences[numbers[a]], &other = sentences[numbers[b]];
    if (corpus.answers()[one.answer].record == corpus.answers()[other.answer].record ||
        corpus.text(one) == corpus.text(other))
      continue;
    double first = 0, second = 0, shared = 0;
    uint32_t count = 0, rarest = most_shared;
    for (uint64_t stem : said[b].stems) second += weight(stem);
    for (uint64_t stem : said[a].stems) {
      first += weight(stem);
      if (!std::binary_search(said[b].stems.begin(), said[b].stems.end(), stem)) continue;
      shared += weight(stem);
      ++count;
      rarest = std::min(rarest, topics.said(stem));
    }
    const bool valued = !said[a].values.empty() && !said[b].values.empty();
    const bool same = valued && jaccard(said[a].values, said[b].values) > 0;
    take(numbers[a], numbers[b],
         {float(shared / (first + second - shared)), float(shared / std::min(first, second)),
          float(std::min(count, 5u)), float(shared / 5), float(rarest <= 2), float(rarest <= 3),
          float(said[a].denies != said[b].denies), float(same), float(valued && !same)});
  }
}

std::vector<AsidePair> aside_pairs(const Corpus& corpus) {
  const Stray& stray = corpus.stray();
  std::vector<PersonalPiece> pieces;
  auto wanted = [&](uint32_t s) {
    if (stray.aside(s) < least_aside || 3 * stray.aside(s) < stray.otherwise(s)) return false;
    const Sentence& sentence = corpus.sentences()[s];
    find_personal(corpus.text(sentence), pieces);
    return pieces.empty() && stray.unanswered(sentence.answer) < unanswered;
  };
  std::vector<AsidePair> all;
  each_pair(corpus, wanted, [&](uint32_t one, uint32_t other, const PairFeatures& features) {
    const double a = stray.aside(one), b = stray.aside(other);
    double sum = double(pair_weights[features.size() + 2]);
    for (size_t i = 0; i < features.size(); ++i)
      sum += double(features[i]) * double(pair_weights[i]);
    sum += math::log(std::min(a, b)) * double(pair_weights[features.size()]);
    sum += math::log(std::max(a, b)) * double(pair_weights[features.size() + 1]);
    const double chance = 1 / (1 + math::exp(-std::clamp(sum, -30., 30.)));
    if (chance >= least_chance) all.push_back({one, other, chance});
  });
  std::stable_sort(all.begin(), all.end(),
                   [](const AsidePair& x, const AsidePair& y) { return x.chance > y.chance; });
  std::set<uint32_t> told;
  std::erase_if(all, [&](const AsidePair& pair) {
    const uint32_t one = corpus.sentences()[pair.one].answer,
                   other = corpus.sentences()[pair.other].answer;
    if (told.count(one) || told.count(other)) return true;
    told.insert(one);
    told.insert(other);
    return false;
  });
  return all;
}

}  // namespace afina
