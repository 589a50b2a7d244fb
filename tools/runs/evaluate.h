// Losses over rows that are not trained on.
#pragma once
#include "data/batches.h"
#include "model/model.h"

namespace afina {

struct Evaluation {
  double mean = 0;  // loss per target token over all of them
  int64_t targets = 0;
  std::vector<double> losses;   // per sample, mean over its targets
  std::vector<int64_t> tokens;  // per sample, its targets
};
// Every sample once, nothing recorded. `batch` rows at a time of at most `length` tokens.
Evaluation evaluate(Model& model, const Samples& samples, int64_t batch, int64_t length);

}  // namespace afina
