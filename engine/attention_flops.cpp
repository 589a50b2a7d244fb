// Attention's share of the counted FLOPs.
#include "engine/attention_flops.h"

namespace afina {

namespace {

std::map<int64_t, FlopCount> attention_count;  // by window

FlopCount since(const FlopCount& then, const FlopCount& now) {
  FlopCount d;
  for (int p = 0; p < phase_count; ++p) d.of[p] = now.of[p] - then.of[p];
  d.recomputed = now.recomputed - then.recomputed;
  return d;
}

}  // namespace

void count_attention_flops(int64_t n, int64_t window) {
  int64_t before = flops().recomputed;
  count_flops(n);
  FlopCount& count = attention_count[window];
  count.of[int(PhaseScope::current())] += n;
  count.recomputed += flops().recomputed - before;
}
FlopCount attention_flops() {
  FlopCount sum;
  for (auto& [window, count] : attention_count) {
    for (int p = 0; p < phase_count; ++p) sum.of[p] += count.of[p];
    sum.recomputed += count.recomputed;
  }
  return sum;
}
const std::map<int64_t, FlopCount>& attention_flops_detail::by_window() { return attention_count; }

StepFlops::StepFlops() : all_(flops()), attention_(attention_count) {}
void StepFlops::done(const AttentionPairs& pairs) {
  all_ = since(all_, flops());
  for (auto& [window, count] : attention_count)
    attention_[window] = since(attention_[window], count);
  pairs_ = pairs;
}
void StepFlops::count_again(const AttentionPairs& pairs) const {
  auto number = [](const AttentionPairs& of, int64_t window) {
    auto found = of.find(window);
    return found == of.end() ? int64_t(0) : found->second;
  };
  // Counts what does not belong to attention, then each window's share.
  auto count = [&](int64_t all, auto part) {
    for (auto& [window, counted] : attention_) all -= part(counted);
    count_flops(all);
    for (auto& [window, counted] : attention_)
      if (int64_t then = number(pairs_, window))
        count_attention_flops(part(counted) / then * number(pairs, window), window);
  };
  for (int p = 0; p < phase_count; ++p) {
    PhaseScope phase{Phase(p)};
    bool back = Phase(p) == Phase::backward;  // all recomputed FLOPs are the backward phase's
    if (back) {
      Recomputing recomputing;
      count(all_.recomputed, [](const FlopCount& c) { return c.recomputed; });
    }
    count(all_.of[p] - (back ? all_.recomputed : 0),
          [&](const FlopCount& c) { return c.of[p] - (back ? c.recomputed : 0); });
  }
}

}  // namespace afina
