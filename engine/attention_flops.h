// Attention's FLOPs, counted separately: only they depend on document boundaries, so a replayed
// step can be counted without running its host code.
#pragma once
#include "engine/meter.h"

namespace afina {

// Adds n to the FLOPs of the current phase (engine/meter.h) and to attention's share of them.
void count_attention_flops(int64_t n);
// Attention's share of flops(), by phase.
const FlopCount& attention_flops();

// The FLOPs that a step counted, to be counted again at each replay.
class StepFlops {
 public:
  StepFlops();  // starts counting
  // Ends the counting. pairs: the (query, key) pairs that attention computed in the step.
  void done(int64_t pairs);
  // Counts the step again, attention's share in proportion to its own number of pairs.
  void count_again(int64_t pairs) const;

 private:
  FlopCount all_, attention_;
  int64_t pairs_ = 0;
};

}  // namespace afina
