// Names of methods where there is little room, and in sentences.
#pragma once
#include <string>
#include <vector>

#include "tools/results/results.h"

namespace afina {

// The labels, shortened to about `most` columns where they are longer: "LoRA r 8" of "LoRA r 8,
// alpha 16, dropout 0.05". Where that would make two equal, with the part that tells them apart, or
// a number. No two are equal if the labels are not.
std::vector<std::string> short_names(const std::vector<std::string>& labels, size_t most = 18);

// What short names stand for, "LoRA r 8 (2): LoRA r 8, alpha 16, ...", a line each for those that
// differ from their labels; empty where none does.
std::string names_explained(const std::vector<std::string>& shorts,
                            const std::vector<std::string>& labels);

// As sentences name them: "full fine-tuning" for what tables call "full", and of other labels what
// stands before the first comma and what tells them apart, "LoRA r 8" of "LoRA r 8, alpha 16".
std::vector<std::string> spoken_names(const std::vector<MethodResult>& methods);

// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& words);

}  // namespace afina
