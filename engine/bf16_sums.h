// The order in which products of bf16 are summed: part of an experiment, as its bits follow from
// it. Each of the two is what some processors do by themselves, and every instruction set gives the
// bits of both (docs/numerics.md).
#pragma once
#include <cstdint>

namespace afina {

enum class Bf16Sums : uint8_t {
  pairs,  // pair after pair into one sum, as VDPBF16PS
  tiles,  // 32 products in two sums that are then added to the third, as TDPBF16PS of AMX
};

// The order that the CPU's matmul uses in the calling thread: pairs, unless a SumsScope is alive.
// The workers of a parallel loop use that of the thread which started it (engine/loop_settings.h).
Bf16Sums bf16_sums();

// While alive, the calling thread sums in this order. Whoever runs a training or an evaluation
// holds one, so that several with different orders can share a process.
class SumsScope {
 public:
  explicit SumsScope(Bf16Sums sums);
  ~SumsScope();
  SumsScope(const SumsScope&) = delete;

 private:
  Bf16Sums outer_;
};

// Rows of activations that a weight's gradient sums as one: where a sequence begins at a multiple
// of them, micro-batches accumulate the bits of one batch.
inline int64_t rows_summed_as_one() { return bf16_sums() == Bf16Sums::tiles ? 32 : 2; }

// Does this processor sum tiles by itself (AMX), and does the system let this process use them?
// AFINA_AMX=off says no.
bool has_tiles();
// Are tiles summed so, by the instruction set in use too?
bool sums_by_amx();
// Disables AMX for tests; true enables it again.
void use_tiles(bool on);

}  // namespace afina
