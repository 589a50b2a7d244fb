// Do two sentences pull a model apart, and does it hold them for being about one thing?
#pragma once
#include "tools/checks/surprise.h"

namespace afina {

struct PairMeasures {
  double conflict = 0;  // cosine of the gradients of the sentences' losses (gradient_conflict.h);
                        // below 0 where learning the one unlearns the other
  double hidden = 0;    // cosine of their mean final hidden states
};
// Of each pair, each sentence below its own question and what stands before it in its answer.
// model: warmed up on the file, both of the pair among its rows. done: called with the pairs done;
// may be empty.
std::vector<PairMeasures> measure_pairs(const Reader& reader, Model& model,
                                        const Surprise& surprise, const FoldReadings& readings,
                                        const std::vector<FactPair>& pairs,
                                        const std::function<void(int64_t)>& done);

}  // namespace afina
