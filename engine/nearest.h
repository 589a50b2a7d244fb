// The known word nearest to one that is not known: what an error message suggests.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// By edit distance (a swap of neighbours counts as one); empty if none is near enough to be meant.
std::string nearest_word(std::string_view word, const std::vector<std::string>& known);

// " (did you mean 'x'?)" or nothing: to be put behind the word in a message.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace afina
