// Attention's share of the counted FLOPs.
#include "engine/attention_flops.h"

namespace afina {

namespace {

FlopCount attention_count;

FlopCount since(const FlopCount& then, const FlopCount& now) {
  FlopCount d;
  for (int p = 0; p < phase_count; ++p) d.of[p] = now.of[p] - then.of[p];
  d.recomputed = now.recomputed - then.recomputed;
  return d;
}

}  // namespace

void count_attention_flops(int64_t n) {
  int64_t before = flops().recomputed;
  count_flops(n);
  attention_count.of[int(PhaseScope::current())] += n;
  attention_count.recomputed += flops().recomputed - before;
}
const FlopCount& attention_flops() { return attention_count; }

StepFlops::StepFlops() : all_(flops()), attention_(attention_count) {}
void StepFlops::done(int64_t pairs) {
  all_ = since(all_, flops());
  attention_ = since(attention_, attention_count);
  pairs_ = pairs;
}
void StepFlops::count_again(int64_t pairs) const {
  auto count = [&](int64_t all, int64_t attention) {
    count_flops(all - attention);
    count_attention_flops(pairs_ ? attention / pairs_ * pairs : 0);
  };
  for (int p = 0; p < phase_count; ++p) {
    PhaseScope phase{Phase(p)};
    bool back = Phase(p) == Phase::backward;  // all recomputed FLOPs are the backward phase's
    if (back) {
      Recomputing recomputing;
      count(all_.recomputed, attention_.recomputed);
    }
    count(all_.of[p] - (back ? all_.recomputed : 0),
          attention_.of[p] - (back ? attention_.recomputed : 0));
  }
}

}  // namespace afina
