// One matrix multiplication, C = A B: which of the three ways through it goes.
//
//   streamed, up to 48 rows of A (gemm_stream.h). Each thread takes panels of B, and for each:
//       pack 64 units of k into the first cache -> multiply all rows by them -> the next 64
//   by_rows, little of B and many rows (gemm_chunks.h). Each thread takes a share of the rows:
//       pack all of B into the second cache -> multiply its rows, as they lie, by every panel
//   in_chunks, all else (gemm_chunks.h). All threads together, chunk by chunk of B:
//       pack the chunk, and of A what must be rearranged -> wait -> multiply parts of it -> wait
//
//            k -->                   n: panels of up to 4 vectors
//         +---------+            +----+----+----+            +----+----+----+
//   rows  | A       |        k   | B  | one panel is         | C  | one part: rows of
//   m     | strips  |        |   |    | packed as     |      |    | one panel, in tiles
//         | or rows |        v   |    | k x columns   |      |    | held in registers |
//         +---------+            +----+----+----+            +----+----+----+
//
// A is read as it lies where its rows are units already (f32, bf16 pairs; gemm_kind.h); else rows
// are packed as rows of units, and a transposed A as strips of `strip` rows with k running across
// them. B is read as it lies where its rows are panels (f32 in lines of the cache), is taken from
// Gemm::packed_b where it was packed beforehand, and is packed as panels otherwise. All of it is
// done when the chunk is packed, never while tiles run. k is parted between chunks and blocks, but
// the sums go on in C (or, for a C of bf16, in f32 sums beside it): every element stays one chain.
#pragma once
#include "engine/cpu/gemm_chunks.h"
#include "engine/cpu/gemm_stream.h"

namespace afina::AFINA_ISA {
namespace {

template <class Kind>
void multiply_upright(const Gemm& g) {
  if (g.m <= stream_rows && !g.packed_b) return Streamed<Kind>(g).streamed();
  const InChunks<Kind> all(g);
  if (all.little_b()) all.by_rows();
  else all.in_chunks();
}

}  // namespace
}  // namespace afina::AFINA_ISA
