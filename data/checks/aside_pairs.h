// Two sentences of unlike records that tell something beside what was asked, about one thing.
#pragma once
#include <array>
#include <functional>

#include "data/checks/corpus.h"

namespace afina {

// Of a pair; shares are of the weight of the words.
inline constexpr std::array<std::string_view, 9> pair_features{
    "alike", "covered", "shared",      "weight",      "two_alone",
    "three", "denied",  "same_values", "other_values"};
using PairFeatures = std::array<float, pair_features.size()>;

// Takes pairs of the sentences that are wanted, those that have a rare word in common.
void each_pair(const Corpus& corpus, const std::function<bool(uint32_t)>& wanted,
               const std::function<void(uint32_t one, uint32_t other, const PairFeatures&)>& take);

struct AsidePair {
  uint32_t one, other;  // sentences, one < other
  double chance;        // that they contradict each other
};
// The likeliest first; each answer is in one of them at most.
std::vector<AsidePair> aside_pairs(const Corpus& corpus);

}  // namespace afina
