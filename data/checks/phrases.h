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
  const Phrase& of(const Sentence& sentence) const { return all_[numbers_[index_of(sentence)]]; }
  // Takes the sentences with these words: numbers in corpus.sentences(), ascending.
  template <class Take>
  void each_said(const Sentence& sentence, Take&& take) const {
    const auto all = list_of(sentence);
    for (uint32_t s : all) take(s);
    if (all.empty()) take(index_of(sentence));
  }
  // Is it the first sentence with these words?
  bool is_first(const Sentence& sentence) const {
    const auto all = list_of(sentence);
    return all.empty() || all.front() == index_of(sentence);
  }
  // Does the answer have a sentence with these words?
  bool is_said_in(const Sentence& sentence, const Answer& answer) const;
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
  uint32_t index_of(const Sentence& sentence) const {
    return uint32_t(&sentence - corpus_.sentences().data());
  }
  // Empty: it stands in the file once.
  std::span<const uint32_t> list_of(const Sentence& sentence) const {
    const uint32_t phrase = numbers_[index_of(sentence)];
    return {order_.data() + starts_[phrase], starts_[phrase + 1] - starts_[phrase]};
  }
  Phrase& own_phrase(uint32_t sentence);
  void number();
  void find_near();
  float spread_by_topics(const std::vector<uint32_t>& answers, const Sentence& phrase) const;
  const Corpus& corpus_;
  // Flat lists. By sentence, the number of its phrase; 0 stands for all that are said once, which
  // most are. The sentences of the others in the order of these, and where each begins there.
  std::vector<uint32_t> numbers_, order_, starts_;
  std::vector<Phrase> all_;
  double templated_ = 0;
};

// Negates a sentence: not, never, without, nunca, sin, ...
bool is_negation(std::string_view lower_word);

}  // namespace afina
