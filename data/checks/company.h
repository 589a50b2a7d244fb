// What a sentence has to do with its surroundings: how much of it is said where nearly the same is
// asked, and where the rest of the answer is nearly the same.
#pragma once
#include "data/checks/corpus.h"
#include "data/checks/stem_index.h"

namespace afina {

// A sentence beside the answers that are nearest to its own. Deviations are in standard deviations
// of what chance would have; shares are of the neighbours, 0 to 1.
struct Company {
  double asked = 0, rest = 0;  // of its most telling word, in answers to like questions
                               // and in answers that are otherwise alike
  double asked_phrase = 0;     // of the whole sentence, in the same two
  double rest_phrase = 0;
  double asked_share = 0, rest_share = 0;  // of its words, rare ones counting more
  double direct = 0;                       // log of how rare the rarest word is that the question
                                           // has as well; 0: it has none
};

// Nearest neighbours by the cosine of weighted word stems (stem_index.h), exact in an
// index of at most 4000 answers, which are drawn evenly from the file.
class Neighbourhood {
 public:
  explicit Neighbourhood(const Corpus& corpus);

  // An answer and what is nearest to its question. Not to be used by two threads at a time.
  void look_at(uint32_t answer);
  // How like the nearest question is, 0 to 1.
  double nearest_question() const { return by_question_.empty() ? 0 : by_question_[0].first; }
  // The k-th sentence of the answer that is looked at.
  Company of(uint32_t k);
  // Finds what is nearest to the rest of the answer, as of() does, and measures nothing.
  void find_nearest(uint32_t k);
  // The answers that are nearest to the question and to the rest of the answer, for the sentence
  // that was last looked at.
  void nearest_answers(std::vector<uint32_t>& out) const;
  // Its content stems.
  std::span<const uint64_t> stems(uint32_t k) const { return stems_[k]; }
  // Of all answers: how many have the stem, as far as the index tells.
  double answers_with(uint64_t stem) const;
  // Is a word of a question also in so few others that it tells what is asked?
  const std::vector<uint64_t>& asked() const { return asked_; }

 private:
  using Near = std::vector<std::pair<double, uint32_t>>;  // cosine, number in the index
  void nearest(std::span<const uint64_t> stems, bool asked, Near& out);
  void measure(uint32_t k, const Near& near, double& word, double& phrase, double& share) const;

  const Corpus& corpus_;
  uint32_t step_ = 1;
  std::vector<uint32_t> answers_;  // of the index
  StemIndex asking_, saying_;      // by questions and by bodies
  std::vector<double> sums_;
  // Of the answer that is looked at.
  uint32_t answer_ = 0;
  std::vector<uint64_t> asked_, others_;
  std::vector<std::vector<uint64_t>> stems_;
  std::vector<bool> universal_;  // its sentences
  Near by_question_, by_rest_;
};

}  // namespace afina
