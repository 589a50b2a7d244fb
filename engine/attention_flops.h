// Attention's FLOPs, counted separately: only they depend on document boundaries, so a replayed
// step can be counted without running its host code.
#pragma once
#include <map>

#include "engine/meter.h"

namespace afina {

// For each window of attention (0: none) a number of (query, key) pairs.
using AttentionPairs = std::map<int64_t, int64_t>;

// Adds n to the FLOPs of the current phase (engine/meter.h) and to attention's share of them.
// window: how many keys a query sees at most; 0: all.
void count_attention_flops(int64_t n, int64_t window = 0);
// Attention's share of flops(), by phase.
FlopCount attention_flops();
// Calls visit(window) for each window that was counted so far, and for 0.
template <class Visit>
void each_attention_window(Visit visit);

// The FLOPs that a step counted, to be counted again at each replay.
class StepFlops {
 public:
  StepFlops();  // starts counting
  // Ends the counting. pairs: those that attention computed in the step, per layer and head.
  void done(const AttentionPairs& pairs);
  // Counts the step again, attention's share in proportion to its own numbers of pairs.
  void count_again(const AttentionPairs& pairs) const;

 private:
  FlopCount all_;
  std::map<int64_t, FlopCount> attention_;  // by window
  AttentionPairs pairs_;
};

namespace attention_flops_detail {
const std::map<int64_t, FlopCount>& by_window();
}
template <class Visit>
void each_attention_window(Visit visit) {
  visit(int64_t(0));
  for (auto& [window, count] : attention_flops_detail::by_window())
    if (window != 0) visit(window);
}

}  // namespace afina
