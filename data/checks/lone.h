// Sentences that hardly any other record says, and what they look like beside the rest of the file.
#pragma once
#include <span>

#include "data/checks/corpus.h"

namespace afina {

struct Lone {
  uint32_t sentence;    // number in corpus.sentences()
  uint32_t first_stem;  // LoneSentences::stems() has them
  uint16_t stems;
  uint16_t rare, usual;  // stems that hardly any answer has, and that many have
  bool untied;           // has nothing to do with the question
  bool negated;
  bool told;  // has a word that the file says to one kind of question
  // Marks, function words or short forms ("don't") that the house's answers hardly have.
  bool other_register;
  bool orders;  // tells the reader to do something: begins with a verb, as far as it shows
};

// In their order, as Corpus::lone() keeps them.
class LoneSentences {
 public:
  explicit LoneSentences(const Corpus& corpus);
  size_t size() const { return all_.size(); }
  const Lone& operator[](size_t i) const { return all_[i]; }
  // content_stems() of the sentence.
  std::span<const uint64_t> stems(size_t i) const {
    return {stems_.data() + all_[i].first_stem, all_[i].stems};
  }
  // The numbers of lone sentences of other records, in other words, that have a rare stem in common
  // with it: two statements about one thing. Ascending.
  std::span<const uint32_t> partners(size_t i) const {
    return {partners_.data() + first_partner_[i], first_partner_[i + 1] - first_partner_[i]};
  }

 private:
  void read(const Corpus& corpus);
  void pair(const Corpus& corpus);
  // Lists of all of them, one behind the other: a big file has hundreds of thousands.
  std::vector<Lone> all_;
  std::vector<uint64_t> stems_;
  std::vector<uint32_t> partners_, first_partner_;
};

}  // namespace afina
