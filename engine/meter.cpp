// Counters of work and time.
#include "engine/meter.h"

#include <chrono>

#include "engine/device.h"

namespace afina {

namespace {
// Of the calling thread, so that two threads which train at the same time do not count each
// other's.
thread_local FlopCount counted;
thread_local int recomputing_scopes = 0;
bool profiling_on = false;
std::map<std::string, SlotTime> times;
}  // namespace

const char* name(Phase phase) {
  static constexpr const char* names[] = {"forward", "backward", "optimizer", "evaluation"};
  return names[int(phase)];
}
const FlopCount& flops() { return counted; }
void count_flops(int64_t n) {
  counted.of[int(PhaseScope::current())] += n;
  if (recomputing_scopes) counted.recomputed += n;
}
void reset_flops() { counted = {}; }
Recomputing::Recomputing() { ++recomputing_scopes; }
void Recomputing::done() {
  if (on_) --recomputing_scopes;
  on_ = false;
}

bool recomputing() { return recomputing_scopes > 0; }

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void profile(bool on) {
  if (on) times.clear();
  profiling_on = on;
}
bool profiling() { return profiling_on; }
void profile_add(const char* slot, double seconds) {
  if (memory_use(Device::cuda).total > 0) {  // the kernel was only submitted to the GPU
    double start = seconds_now();
    wait_for(Device::cuda);
    seconds += seconds_now() - start;
  }
  SlotTime& time = times[slot];
  time.seconds += seconds;
  ++time.calls;
}
const std::map<std::string, SlotTime>& profile_times() { return times; }

int64_t first_not_finite(const Tensor& t) {
  // Compares the bits of the exponent, so that no floating-point mode matters.
  auto search = [&](auto bits, auto exponent, const Tensor& host) -> int64_t {
    using Bits = decltype(bits);
    for (int64_t i = 0; i < host.size(); ++i)
      if ((host.data<Bits>()[i] & exponent) == exponent) return i;
    return -1;
  };
  // Blocks were looked at when they were made, and never change.
  if (t.dtype() == Dtype::i32 || t.dtype() == Dtype::blocks) return -1;
  Tensor host = t.device() == Device::cpu ? t.detached() : t.to(Device::cpu);
  switch (t.dtype()) {
    case Dtype::f64: return search(uint64_t{}, uint64_t(0x7ff0000000000000ull), host);
    case Dtype::bf16: return search(uint16_t{}, uint16_t(0x7f80u), host);
    case Dtype::f32: return search(uint32_t{}, uint32_t(0x7f800000u), host);
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype("first_not_finite", t.dtype());
}

}  // namespace afina
