// Identifiers by the letters in front of them, whatever marks stand between their digits.
#pragma once
#include <string_view>

#include "data/checks/corpus.h"

namespace afina {

// Where these letters stand, with or without points, and behind them so many digits with a few
// marks between them: "FD(26) 61.380", "F.D./26/61380". npos: nowhere from `from` on. end: behind
// it.
size_t find_fronted(std::string_view text, std::string_view front, size_t digits, size_t from,
                    size_t& end);

}  // namespace afina
