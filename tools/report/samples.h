// Prompts and their answers before and after training, as page and terminal show them.
#pragma once
#include "tools/results/results.h"

namespace afina {

struct Answers {  // to one prompt
  std::string prompt, reference, before;
  std::vector<std::string> after;  // one a method; those that made none are missing
  std::vector<size_t> methods;     // which
};
// Of each prompt that the first method with answers was given. Empty when none was generated.
std::vector<Answers> answers_of(const Comparison& comparison);

}  // namespace afina
