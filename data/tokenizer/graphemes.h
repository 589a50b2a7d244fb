// Extended grapheme clusters (UAX #29): what a reader takes for one character.
#pragma once
#include <cstddef>
#include <string_view>

namespace afina {

// Where the cluster that begins at byte offset `begin` (< text.size(), the beginning of one) of
// valid UTF-8 text ends. Clusters are those of Unicode 16.
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace afina
