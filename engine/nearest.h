// The known word nearest to an unknown one, as a suggestion in error messages.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// By edit distance, where a swap of neighbours counts as one edit; empty if no word is near enough
// to be the intended one.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

// " (did you mean 'x'?)" or an empty string, to follow the word in a message.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace afina
