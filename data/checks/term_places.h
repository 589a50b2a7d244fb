// Where words stand that may be terms: between the same words, or in a sentence that is otherwise
// the same.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

// One to three words at a place.
struct TermPlace {
  uint64_t place, span;
  uint32_t first, last;        // of its words, a half of their numbers
  uint32_t sentence, records;  // of how many records the sentence is
  uint16_t begin;              // words without marks
  uint8_t length;
  bool whole;  // the place is the rest of the sentence
  bool operator<(const TermPlace& o) const {
    return place != o.place ? place < o.place
           : span != o.span ? span < o.span
                            : sentence < o.sentence;
  }
};

// Those of sentences of answers that are met with another word as well, by place and words.
std::vector<TermPlace> term_places(const Corpus& corpus);

// The sentence's words without marks, values and names as one word each.
void skeleton_of(const Corpus& corpus, uint32_t sentence, Reading& reading,
                 std::vector<uint64_t>& ids);

}  // namespace afina
