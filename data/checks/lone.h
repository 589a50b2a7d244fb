// Sentences that hardly any other record says, and what they look like beside the rest of the file.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

struct Lone {
  uint32_t sentence;            // number in corpus.sentences()
  std::vector<uint64_t> stems;  // content_stems()
  bool untied;                  // has nothing to do with the question
  bool negated;
  bool told;             // has a word that the file says to one kind of question
  uint32_t rare, usual;  // stems that hardly any answer has, and that many have
  // Marks, function words or short forms ("don't") that the house's answers hardly have.
  bool other_register;
  bool orders;  // tells the reader to do something: begins with a verb, as far as it shows
};
// In their order.
std::vector<Lone> lone_sentences(const Corpus& corpus);

// For each of these the number of lone sentences of other records, in other words, that have a rare
// stem in common with it: two statements about one thing.
std::vector<std::vector<uint32_t>> lone_partners(const Corpus& corpus,
                                                 const std::vector<Lone>& all);

// Both, as Corpus::lone() keeps them.
struct LoneSentences {
  std::vector<Lone> all;
  std::vector<std::vector<uint32_t>> partners;
};

}  // namespace afina
