// The checks that need a model, and the losses that findings are shown with.
#pragma once
#include <functional>

#include "tools/checks/findings.h"
#include "tools/checks/two_fold.h"

namespace afina {

struct WithModelOptions {
  std::string model;   // Hugging Face folder or .gguf file
  std::string run;     // a finished run, whose model reads each record too; empty: none
  bool warmed = true;  // warm the model up on the file; false: read with the untouched one alone
  // Say the cosines of gradients and hidden states of each pair that is found, after one more
  // warm-up on the whole file (pair_measures.h).
  bool conflict = false;
  WarmUpOptions warm_up;  // an empty method and 0 epochs: as the model's size asks for
};

// What checks with a model have done beside what they found.
struct WithModelReport {
  WarmUpOptions warm_up;                    // as it was done; an empty method: none
  std::map<std::string, int64_t> expected;  // by check: findings left out, as the model expects
                                            // what stands there
};

// Adds to `findings` what these checks find, takes out those of other checks that the warmed-up
// model contradicts, sorts anew, and fills `losses`. examples: those of the corpus's training
// records, in their order. Records longer than 256 tokens, or than the model's context, are cut
// there as training would with --on-too-long cut.
//
// By the untouched model, which reads every record four times:
// fits-any-question: the answer is hardly less likely below others' questions than below its own
// (compare the instruction-following difficulty of Li et al. 2024), where the model tells most
// answers of the file apart by their questions. unexpected: its loss is far above the others'.
// unseen-tokens: targets that pretraining never saw (model/unseen_rows.h).
//
// By models warmed up on half of the file each, which read the other half (two_fold.h,
// surprise.h): out-of-place, contradiction. A finding of a check without a
// model is left out where the model finds what stands there natural (`doubts` in with_model.cpp).
//
// work: called with what is done and its share of all; may be empty.
WithModelReport run_with_model(
    const Corpus& corpus, const std::vector<Example>& examples, const WithModelOptions& options,
    const std::vector<const Check*>& chosen, std::vector<Finding>& findings, RecordLosses& losses,
    const std::function<void(const std::string& what, double share)>& work);

}  // namespace afina
