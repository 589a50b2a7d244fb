// Splits plain text files into documents.
#pragma once
#include <string>
#include <vector>

#include "data/examples.h"

namespace afina {

// Splits at first-level wiki headings (" = Title = ") and at lines that consist of "<|endoftext|>".
// Without either the whole text is one document. Throws if there is no text.
std::vector<Example> split_documents(const std::string& text, const std::string& name);

}  // namespace afina
