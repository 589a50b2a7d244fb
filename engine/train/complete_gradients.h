// Finds gradients that are complete while the backward pass still runs, so that their weights can
// be updated early.
#pragma once
#include <vector>

#include "engine/train/parameter.h"

namespace afina {

// A gradient is complete once something was added to it and no recorded step holds it any more:
// every step that will add to a gradient holds it (Gradient::holders).
class CompleteGradients {
 public:
  // To be constructed before the forward pass, while nothing is recorded.
  explicit CompleteGradients(const std::vector<Parameter*>& trained);
  // Positions in `trained` of the gradients that became complete since the last call. Throws an
  // Error if a gradient returned earlier has been added to again: its weight is used by two
  // checkpointed blocks, which hold nothing before they run.
  std::vector<size_t> take();
  // Positions of those that take() never returned, for after the backward pass.
  std::vector<size_t> missing() const;

 private:
  const std::vector<Parameter*>& trained_;
  std::vector<long> idle_holders_;  // of each gradient, when nothing is recorded
  std::vector<bool> taken_;
};

}  // namespace afina
