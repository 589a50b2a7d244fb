// A sample as the model sees it: every token with its id, and whether it is learnt.
#pragma once
#include <string>
#include <vector>

#include "data/batches.h"

namespace afina {

struct ShowOptions {
  bool colour = true;         // ANSI; without it what is learnt stands in [brackets]
  bool ids = false;           // one line a token, with position, id and whether it is learnt
  std::vector<float> losses;  // of each token, where known; shown with ids
};

// Control characters are escaped; a line break in the text is shown and made.
std::string show_sample(const Sample& sample, const Tokenizer& tokenizer,
                        const ShowOptions& options = {});

}  // namespace afina
