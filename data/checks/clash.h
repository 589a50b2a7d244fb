// How a sentence stands against the others of its answer: the same words denied, other values.
#pragma once
#include <array>
#include <string_view>

#include "data/checks/corpus.h"

namespace afina {

// What a sentence says: its content words and values, sorted, and how.
struct Saying {
  std::vector<uint64_t> stems, values;
  bool denies = false, all_or_none = false;
};
void read_saying(const Corpus& corpus, const Sentence& sentence, Saying& out);

// Is the sentence a sum, "3 * 8 = 24", which states nothing that another could contradict?
inline bool is_sum(std::string_view text) { return text.find('=') != text.npos; }

// Shares are of the weight of its words, rare ones counting more.
inline constexpr std::array<std::string_view, 10> clash_features{
    "denied_words", "denied", "alike", "other_value",  "all_or_none_alike",
    "all_or_none",  "words",  "own",   "denies_alike", "rareness"};
using ClashFeatures = std::array<float, clash_features.size()>;

// Of the answer's sentences, in their order.
void clashes(const Corpus& corpus, const Answer& answer, std::vector<ClashFeatures>& out);

}  // namespace afina
