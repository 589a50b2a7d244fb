// The answers that are most likely about the same thing: those whose questions and bodies have most
// words in common with one's own.
#pragma once
#include <utility>
#include <vector>

#include "data/checks/corpus.h"
#include "data/checks/stem_index.h"

namespace afina {

// Nearest neighbours by the mean of two cosines of weighted word stems (stem_index.h), of the
// questions and of the bodies; exact in an index of at most 4000 answers, which are drawn evenly
// from the file. Not to be used by two threads at a time.
class LikeAnswers {
 public:
  explicit LikeAnswers(const Corpus& corpus);

  // The likeness, from `least` to 1, and the number of up to `most` answers of other records; the
  // most like ones first.
  void nearest(uint32_t answer, double least, size_t most,
               std::vector<std::pair<double, uint32_t>>& out);

 private:
  const Corpus& corpus_;
  std::vector<uint32_t> answers_;  // of the index
  StemIndex asked_, said_;
  std::vector<double> sums_, likes_;
};

}  // namespace afina
