// Sentences of two answers about a thing of which no third answer speaks, and in which they differ.
#pragma once
#include "data/checks/corpus.h"
#include "data/checks/lone.h"

namespace afina {

struct OneThing {
  uint32_t one, other;  // numbers of lone sentences, one < other
  double alike;         // the weight of the words of the one with fewer that the other has, 0 to 1
  const char* what;     // how they differ
  bool named;           // by a name
};

// In their order.
std::vector<OneThing> differing_pairs(const Corpus& corpus, const LoneSentences& lone);

}  // namespace afina
