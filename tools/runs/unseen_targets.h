// The guard for target tokens that pretraining never saw (model/unseen_rows.h): a method that
// leaves their rows alone can hardly learn to say them.
#pragma once
#include "tools/runs/workbench.h"

namespace afina {

// Those of the training targets whose rows in the head, or in an embedding of its own, look as if
// pretraining never saw them, most frequent first. Reads the two tables once.
std::vector<UnseenTarget> unseen_targets(const Model& model, const Samples& samples);
// The same of weights that no model holds: names and shapes of the two tables are `model`'s, built
// on the device without bytes under a method that adds nothing; their values are read from `source`
// in bf16. Empty where a table is larger than 2 GiB then.
std::vector<UnseenTarget> unseen_targets(WeightSource& source, const Model& model,
                                         const Samples& samples);
// What a reader must know when the model's method leaves these rows as they are, with the tokens,
// their numbers and what to do; empty where it trains them, or where there are none. label: of the
// method. targets: how many there are in all.
std::string unseen_note(const Model& model, const std::string& label,
                        const std::vector<UnseenTarget>& unseen, int64_t targets,
                        const Tokenizer& tokenizer);

}  // namespace afina
