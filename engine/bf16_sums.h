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

// What the CPU's matmul does from now on; pairs unless set. Matrices packed under one of them
// (--pack-frozen) are not to be used under the other.
Bf16Sums bf16_sums();
void set_bf16_sums(Bf16Sums sums);

// Rows of activations that a weight's gradient sums as one: where a sequence begins at a multiple
// of them, micro-batches gather the bits of one batch.
inline int64_t rows_summed_as_one() { return bf16_sums() == Bf16Sums::tiles ? 32 : 2; }

// Does this processor sum tiles by itself (AMX), and does the system let this process use them?
// AFINA_AMX=off says no.
bool has_tiles();
// Are tiles summed so, by the instruction set in use too?
bool sums_by_amx();
// Not to use them although they are there: for tests.
void use_tiles(bool on);

}  // namespace afina
