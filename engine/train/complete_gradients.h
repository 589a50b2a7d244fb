// Which gradients are whole while the backward pass still runs, so that their weights can be moved
// at once.
#pragma once
#include <vector>

#include "engine/train/parameter.h"

namespace afina {

// A gradient is whole when it was added to and no recorded step holds it any more: a step that will
// add to it holds it (Gradient::holders).
class WholeGradients {
 public:
  // To be made before the forward pass, when nothing is recorded.
  explicit WholeGradients(const std::vector<Parameter*>& trained);
  // Positions in `trained` of those that have become whole since the last call. Error if one that
  // was whole has been added to again: a weight used by two checkpointed blocks, which hold nothing
  // before they run.
  std::vector<size_t> take();
  // Those that never came, when the backward pass is over.
  std::vector<size_t> missing() const;

 private:
  const std::vector<Parameter*>& trained_;
  std::vector<long> before_;  // holders of each gradient when nothing is recorded
  std::vector<bool> taken_;
};

}  // namespace afina
