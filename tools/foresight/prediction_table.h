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
// A column for each method, the next ones beneath where they do not fit into `width`; long labels
// are shortened, and explained below. whole: all figures; else the key ones alone.
std::string prediction_table(const std::vector<Predicted>& all, bool whole, int width = 80);

}  // namespace afina
