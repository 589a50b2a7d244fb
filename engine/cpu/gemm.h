// Matrix multiplication on raw memory, in one namespace per instruction set. Used by the matmul
// slot, linear layers, attention and the head.
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
struct Blocks;
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  int64_t lda = 0, ldb = 0, ldc = 0;
  bool ta = false, tb = false;
  Dtype in = Dtype::f32, out = Dtype::f32;
  bool accumulate = false;
  const void* bias = nullptr;  // (n); f64 if in == f64, else f32
  int64_t k2 = 0;              // length of the second product; 0: none
  const void* a2 = nullptr;
  const void* b2 = nullptr;
  int64_t lda2 = 0, ldb2 = 0;
  // B packed in advance by gemm_pack_b; then b and ldb are not read.
  const void* packed_b = nullptr;
  // B is a matrix in blocks, (n, k) with tb and (k, n) without, that is unpacked to `in` (f32 or
  // bf16) panel by panel; then b and ldb are not read.
  const Blocks* blocks = nullptr;
  // Use only the calling thread, because the caller is already inside a parallel loop.
  bool one_thread = false;
};

#ifdef AFINA_ISA
namespace AFINA_ISA {
// Other code calls these through gemm_table (engine/gemm_table.h). Denormals are flushed to zero
// while they run, whatever the calling thread's setting.
void gemm(const Gemm& g);
// Bytes of B (k, n) after packing, for operands of dtype `in`. Instruction sets without bf16 pack
// bf16 as f32.
size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);
// Packs B of g to `out` in the form that Gemm::packed_b of this instruction set expects. Reads n,
// k, in, b, ldb and tb; k2 is not packed.
void gemm_pack_b(void* out, const Gemm& g);
}  // namespace AFINA_ISA
#endif

}  // namespace afina
