// How much each sentence of a file surprises a model that has been warmed up on the file's other
// half.
#pragma once
#include <unordered_map>

#include "tools/checks/two_fold.h"

namespace afina {

// A sentence of a last answer that was read.
struct ReadSentence {
  size_t answer = 0;                                  // index of Reader::records()
  uint32_t record = 0, turn = 0, begin = 0, end = 0;  // bytes of the turn
  double loss = 0;                                    // mean of its tokens, in nats
  std::vector<uint64_t> stems;   // of its content words without values, negations and names' marks,
                                 // sorted, each once
  std::vector<uint64_t> values;  // of its numbers, times, days, in their order
  bool negated = false;          // by an odd number of negations
  bool known = false;            // no identifier, address or long number in it
  bool whole = false;            // the same, three words or more, ends as a sentence
};

class Surprise {
 public:
  Surprise(const Corpus& corpus, const Reader& reader, const FoldReadings& readings);

  const std::vector<ReadSentence>& sentences() const { return sentences_; }
  // Sentences of one answer: [first, second) of sentences().
  std::pair<size_t, size_t> of(size_t answer) const { return ranges_[answer]; }
  // How far a loss is above that of the file's middle sentence, in steps of the distance from the
  // middle to the upper quartile: 0 the middle, 1 the quartile. The scale is the file's and the
  // model's own, so that a bar holds for large and small models.
  double above(double loss) const { return (loss - middle_) / spread_; }
  double middle() const { return middle_; }
  double spread() const { return spread_; }
  // In how many records a stem occurs, questions and answers, and what it weighs: log of all
  // records over those.
  uint32_t uses(uint64_t stem) const;
  double weight(uint64_t stem) const;
  // The stems of a record's questions.
  size_t records() const { return records_; }
  const std::vector<uint64_t>& asked(size_t answer) const { return asked_[answer]; }
  // Has the sentence a stem in common with this sorted list that at most `most` records have?
  bool shares_rare(const ReadSentence& sentence, const std::vector<uint64_t>& with,
                   uint32_t most) const;

 private:
  void read(std::string_view text, ReadSentence& into) const;
  std::vector<ReadSentence> sentences_;
  std::vector<std::pair<size_t, size_t>> ranges_;
  std::vector<std::vector<uint64_t>> asked_;
  std::unordered_map<uint64_t, uint32_t> uses_;
  size_t records_ = 1;
  double middle_ = 0, spread_ = 1;
};

// Of the sentences that surprise the model: pairs in unlike records that are about a thing of which
// hardly any other record speaks, one of them negated and the other not, or with another value.
// Each sentence is in one pair at most; the likest come first.
struct FactPair {
  size_t one, other;  // of Surprise::sentences(); one < other
  double alike;       // weight of common stems over that of the lighter sentence, 0 to 1
  bool opposite;      // one is negated, the other not
  bool values;        // their values differ
};
std::vector<FactPair> fact_pairs(const Surprise& surprise);

// Sentences that surprise the model most (Surprise::above) and have no word of their own topic:
// neither with their question, nor with another sentence of their answer, nor with a surprising one
// elsewhere.
inline constexpr double surprising_alone = 6.3;
std::vector<size_t> lone_sentences(const Surprise& surprise);

}  // namespace afina
