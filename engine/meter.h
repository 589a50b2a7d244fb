// Counters of executed work: FLOPs by phase and seconds by kernel slot. Counted where the work is
// done, so the figures tell what ran, not what should have run.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "engine/tensor.h"

namespace afina {

enum class Phase : uint8_t { forward, backward, optimizer, evaluation };
inline constexpr int phase_count = 4;
const char* name(Phase phase);

// The phase that the calling thread's work counts under while this is alive. Recomputation of
// checkpointed blocks counts as backward.
class PhaseScope {
 public:
  explicit PhaseScope(Phase phase) : outer_(current_) { current_ = phase; }
  ~PhaseScope() { current_ = outer_; }
  PhaseScope(const PhaseScope&) = delete;
  static Phase current() { return current_; }

 private:
  Phase outer_;
  static inline thread_local Phase current_ = Phase::forward;
};

// FLOPs: two for each multiply-add of a matrix product. A product (m, k)·(k, n) counts 2 m n k,
// padded rows of a chunk included; attention counts 4 dim for every key that a query of a head
// sees, and 10 dim backward (scores again, dP, dQ, dK, dV). Masked keys and element-wise work do
// not count, so the figures follow from shapes and masks alone.
struct FlopCount {
  int64_t of[phase_count] = {0, 0, 0, 0};
  int64_t recomputed = 0;  // those of the backward phase that repeat forward work
};
// Of the calling thread.
const FlopCount& flops();
void count_flops(int64_t n);
void reset_flops();

// While alive (until done()), FLOPs count as recomputed: a checkpointed block runs a second time.
class Recomputing {
 public:
  Recomputing();
  ~Recomputing() { done(); }
  void done();

 private:
  bool on_ = true;
};

// Does the calling thread's work count as recomputed?
bool recomputing();

// Seconds on a steady clock, from an arbitrary origin.
double seconds_now();

// Seconds and calls by kernel slot, while switched on (make bench). profile(true) clears them and
// starts counting.
struct SlotTime {
  double seconds = 0;
  int64_t calls = 0;
};
void profile(bool on);
bool profiling();
void profile_add(const char* slot, double seconds);
const std::map<std::string, SlotTime>& profile_times();

// Position of the first element that is NaN or infinite; -1 if there is none, as in every i32
// tensor.
int64_t first_not_finite(const Tensor& t);

}  // namespace afina
