// Plain text files as documents.
#pragma once
#include <string>
#include <vector>

#include "data/examples.h"

namespace afina {

// One document per article where the text has wiki headings of the first level (" = Title = "), one
// per section parted by a line of only "<|endoftext|>" where there are such lines, else the whole
// text as one document.
std::vector<Example> documents_of(const std::string& text, const std::string& name);

}  // namespace afina
