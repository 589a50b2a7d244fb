// Shows a sample as the model sees it: every token with its id, and whether it is a target.
#pragma once
#include <string>
#include <vector>

#include "data/batches.h"

namespace afina {

struct ShowOptions {
  bool colour = true;         // ANSI colours; without them targets are shown in [brackets]
  bool ids = false;           // one line per token: position, id, whether it is a target
  std::vector<float> losses;  // loss per token, where known (nats); shown with ids
};

// The sample as text for a terminal. Control characters are escaped; a line break is shown as \n
// and also breaks the line.
std::string show_sample(const Sample& sample, const Tokenizer& tokenizer,
                        const ShowOptions& options = {});

}  // namespace afina
