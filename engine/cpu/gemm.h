// Matrix multiplication on raw memory, one namespace per instruction set: what the matmul slot,
// linear layers, attention and the head share.
#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/dtype.h"

namespace afina {

// C (m, n) = [C +] A (m, k) · B (k, n) [+ A2 (m, k2) · B2 (k2, n)] [+ bias (n)], row-major, with
// leading dimensions in elements. in: dtype of A, B, A2, B2 (f32, bf16 or f64). out: dtype of C;
// f64 for f64, else f32 or bf16. accumulate needs out == f32 or f64. ta: A is stored (k, m). tb: B
// is stored (n, k), as the weight of a linear layer is. A2 and B2 are stored in the same forms as A
// and B.
//
// The bits (docs/numerics.md): every element is one chain over k ascending that starts at C
// (accumulate) or +0, goes on over k2, and ends with + bias. f32 and f64: acc = fma(a, b, acc).
// bf16: per pair acc = fma(a[2i+1], b[2i+1], acc); acc = fma(a[2i], b[2i], acc), denormals as zero,
// an odd k padded with a zero. k is never split, whatever the threads, the tiles and the
// instruction set.
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  int64_t lda = 0, ldb = 0, ldc = 0;
  bool ta = false, tb = false;
  Dtype in = Dtype::f32, out = Dtype::f32;
  bool accumulate = false;
  const void* bias = nullptr;  // (n), f32 (f64 when in == f64)
  int64_t k2 = 0;              // the second term, absent when 0
  const void* a2 = nullptr;
  const void* b2 = nullptr;
  int64_t lda2 = 0, ldb2 = 0;
  const void* packed_b =
      nullptr;  // B packed beforehand by gemm_pack_b; then b and ldb are not read
  bool one_thread =
      false;  // stay in the calling thread (the caller is itself inside a parallel loop)
};

#ifdef AFINA_ISA
namespace AFINA_ISA {
// Everything else reaches these by gemm_table (engine/gemm_table.h). Denormals are flushed while
// they run, whatever the caller's thread does.
void gemm(const Gemm& g);
// Bytes of B (k, n) packed for operands of dtype `in`; where the instruction set lacks bf16, packed
// bf16 is held as f32.
size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);
// Packs the B of g (n, k, in, b, ldb, tb are read; k2 is not packed) to `out`, for Gemm::packed_b
// of this instruction set.
void gemm_pack_b(void* out, const Gemm& g);
}  // namespace AFINA_ISA
#endif

}  // namespace afina
