// Steps of several methods side by side: which operation of one stands beside which of another.
#pragma once
#include "tools/look/seen.h"

namespace afina {

// Each row has an index of an operation for each step, -1 where a step has none there. Every
// operation is in one row, and in each column they ascend.
std::vector<std::vector<int64_t>> aligned(const std::vector<SeenStep>& steps);

}  // namespace afina
