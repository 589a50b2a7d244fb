// Sentences of answers as phrases: how often each is said, and whether it is said about one topic
// or about any.
#pragma once
#include <span>

#include "data/checks/corpus.h"

namespace afina {

struct Phrase {
  uint32_t records = 0;  // that have it in an answer
  float spread = 0;      // the part of its records' pairs that have little else in common
  uint32_t near = 0;     // records of other phrases in nearly the same words, some of them
};

class Phrases {
 public:
  explicit Phrases(const Corpus& corpus);
  // All sentences are the corpus's own, not copies of them.
  const Phrase& of(const Sentence& sentence) const { return all_[number_of(sentence)]; }
  // The sentences with these words: numbers in corpus.sentences(), ascending.
  std::span<const uint32_t> said(const Sentence& sentence) const {
    const uint32_t phrase = number_of(sentence);
    return {order_.data() + starts_[phrase], starts_[phrase + 1] - starts_[phrase]};
  }
  // Said about anything: in three records or more, which ask for different things.
  bool is_universal(const Sentence& sentence) const;
  // The same, and so often that it is how the house speaks.
  bool is_house(const Sentence& sentence) const;
  // Is the sentence about what was asked: does it share a word with the question that few share, or
  // do others say it when they are asked the same?
  bool is_topical(const Sentence& sentence) const;
  // Has the answer a sentence about what was asked, or a value, beside this one?
  bool has_topical(const Answer& answer, const Sentence& but) const;
  // Does hardly any other record say it, or nearly it?
  bool is_lone(const Sentence& sentence) const;
  // The part of its words that say something which hardly any other sentence has, 0 to 1; words of
  // the question do not count.
  double foreign(const Sentence& sentence) const;
  // Of all answers: those with a phrase that is said more often than once.
  double templated() const { return templated_; }

 private:
  uint32_t number_of(const Sentence& sentence) const {
    return numbers_[size_t(&sentence - corpus_.sentences().data())];
  }
  void number();
  void find_near();
  float spread_by_topics(const std::vector<uint32_t>& answers, const Sentence& phrase) const;
  const Corpus& corpus_;
  // Flat lists: a file has about as many phrases as sentences. By sentence, the number of its
  // phrase; sentences in the order of their phrases; where each phrase begins there.
  std::vector<uint32_t> numbers_, order_, starts_;
  std::vector<Phrase> all_;
  double templated_ = 0;
};

// Negates a sentence: not, never, without, nunca, sin, ...
bool is_negation(std::string_view lower_word);

}  // namespace afina
