// Predictions as people read them: in `afina plan`, and before a run begins.
#pragma once
#include <string>
#include <vector>

#include "tools/results/results.h"

namespace afina {

struct Predicted {
  std::string label;  // of the method
  Prediction prediction;
};
// A column for each method. whole: all figures; else the key ones alone.
std::string prediction_table(const std::vector<Predicted>& all, bool whole);

}  // namespace afina
