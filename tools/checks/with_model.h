// The checks that need a model, and the losses that findings are shown with.
#pragma once
#include "tools/checks/findings.h"

namespace afina {

// Losses of each record's last answer in nats per token, each over the same tokens.
struct AnswerLosses {
  double asked = 0;      // below its own question
  double alone = 0;      // below "?" in place of all turns before it
  double elsewhere = 0;  // below the questions of other records, mean of two
  int64_t tokens = 0;    // 0: not measured
};
// Reads every record four times with the untouched model. Records longer than 256 tokens, or than
// the model's context, are cut there as training would with --on-too-long cut. examples: those of
// the corpus's training records, in their order.
//
// Adds to `findings` what these checks find, sorted anew, and fills `losses`:
// fits-any-question: the answer is hardly less likely below others' questions than below its own
// (elsewhere - asked; compare the instruction-following difficulty of Li et al. 2024, which is
// asked / alone), where the model tells most answers of the file apart by their questions.
// unexpected: its loss is far above the others'. unseen-tokens: targets that
// pretraining never saw (model/unseen_rows.h).
void run_with_model(const Corpus& corpus, const std::vector<Example>& examples,
                    const std::string& model, const std::vector<const Check*>& chosen,
                    std::vector<Finding>& findings, RecordLosses& losses);

}  // namespace afina
