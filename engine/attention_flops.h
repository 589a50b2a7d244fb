// FLOPs of attention, counted apart as well: they alone follow from where documents begin, so that
// a step which is replayed for other documents can be counted without being gone through.
#pragma once
#include "engine/meter.h"

namespace afina {

// Counts them (engine/meter.h) and remembers that they were attention's.
void count_attention_flops(int64_t n);
// Of all phases so far, attention's share.
const FlopCount& attention_flops();

// What a step counted, to be counted again when it is replayed with `pairs` of queries and keys
// instead of as many as then.
class StepFlops {
 public:
  StepFlops();  // from here on
  void done(int64_t pairs);
  void count_again(int64_t pairs) const;

 private:
  FlopCount all_, attention_;
  int64_t pairs_ = 0;
};

}  // namespace afina
