// What answers are about: which of their words go with which words of questions, over the whole
// file, and which sentences are said by others in nearly the same words.
#pragma once
#include <unordered_map>

#include "data/checks/corpus.h"

namespace afina {

// Stems of the words of a text that mean something: no function words, values, names of persons or
// identifiers. Sorted, without repeats.
void content_stems(const Corpus& corpus, std::string_view text, std::vector<uint64_t>& out);

class Topics {
 public:
  explicit Topics(const Corpus& corpus);

  // Stems of all questions before the answer.
  std::vector<uint64_t> asked(const Answer& answer) const;
  // Does this word of questions decide what is answered: do half of the answers to it have a word
  // that others have far less often? Most do not: "please", "short".
  bool is_telling(uint64_t stem) const;
  // Is this word of answers said to questions of one kind?
  bool is_told(uint64_t stem) const;
  // How much more often than by chance the answers to questions with the one stem have the other,
  // in standard deviations; records other than `record` alone.
  double tie(uint64_t asked, uint64_t said, uint32_t record) const;
  // The strongest tie between what was asked and a sentence's stems; a stem that both have counts
  // as `shared`.
  double tie(const std::vector<uint64_t>& asked, const std::vector<uint64_t>& said, uint32_t record,
             double shared = 100) const;
  // Do the two ask for nearly the same: most of what they ask with, rare words counting more?
  bool asked_alike(const std::vector<uint64_t>& one, const Answer& other) const;
  // In how many records answers, or questions, have the stem.
  uint32_t said(uint64_t stem) const;
  uint32_t asked(uint64_t stem) const;
  // The part of the questions, and of the answers, that have the stem.
  double share_asked(uint64_t stem) const { return asked(stem) / (counted_ > 0 ? counted_ : 1.); }
  double share_said(uint64_t stem) const { return said(stem) / (counted_ > 0 ? counted_ : 1.); }
  // The logarithm of how rare the stem is in answers; above 0.
  double rarity(uint64_t stem) const;

 private:
  struct Use {
    uint32_t asked = 0, said = 0;
    float telling = 0, told = 0;  // the strongest tie, as a word of questions and of answers
  };
  bool sampled(uint32_t record) const { return record % step_ == 0; }
  uint32_t together(uint64_t asked, uint64_t said) const;
  void count(uint64_t place);
  uint32_t counted(uint64_t place) const;
  void read(const Answer& answer, std::vector<uint64_t>& asked, std::vector<uint64_t>& said) const;

  const Corpus& corpus_;
  uint32_t step_ = 1;   // every step-th record is counted
  double counted_ = 0;  // answers
  uint64_t mask_ = 0;   // of a row's places
  // Two rows of counters (Cormode and Muthukrishnan 2005). Few are above 254: 255 says that the
  // number is in `many_`, by place.
  std::vector<uint8_t> pairs_;
  std::unordered_map<uint32_t, uint16_t> many_;
  std::unordered_map<uint64_t, Use> uses_;
};

}  // namespace afina
