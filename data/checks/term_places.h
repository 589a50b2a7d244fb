// Where words stand that may be terms: between the same words, or in a sentence that is otherwise
// the same.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

// One to three words that fill a place: the place is what stands around them.
struct Filler {
  uint64_t place, span;
  uint32_t first, last;        // of its words, a half of their numbers
  uint32_t sentence, records;  // of how many records the sentence is
  uint16_t begin;              // words without marks
  uint8_t length;
  bool whole;  // the place is the rest of the sentence
  bool operator<(const Filler& o) const {
    return place != o.place ? place < o.place
           : span != o.span ? span < o.span
                            : sentence < o.sentence;
  }
};

// Those of sentences of answers whose place takes other words as well, by place and words.
std::vector<Filler> fillers_of(const Corpus& corpus);

// The sentence's words without marks, values and names as one word each.
void skeleton_of(const Corpus& corpus, uint32_t sentence, Reading& reading,
                 std::vector<uint64_t>& ids);

}  // namespace afina
