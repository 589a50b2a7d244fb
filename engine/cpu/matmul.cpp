// The matmul slots, on top of this instruction set's gemm.
#include "engine/cpu/gemm.h"
#include "engine/cpu/loops.h"
#include "engine/packed.h"
#include "engine/primitives.h"

namespace afina::AFINA_ISA {

static Gemm product(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb) {
  Gemm g;
  g.m = c.rows();
  g.n = c.columns();
  g.k = ta ? a.rows() : a.columns();
  g.a = a.data<void>();
  g.b = b.data<void>();
  g.c = c.data<void>();
  g.lda = a.columns();
  g.ldb = b.columns();
  g.ldc = c.columns();
  g.ta = ta;
  g.tb = tb;
  g.in = a.dtype();
  g.out = c.dtype();
  g.blocks = b.blocks();
  g.packed_b = packed_constant(b, g, packed_b_bytes(g.n, g.k, g.in), gemm_pack_b);
  return g;
}

static void matmul(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
                   const Tensor& bias) {
  Gemm g = product(c, a, b, ta, tb);
  g.accumulate = accumulate;
  if (bias) g.bias = bias.data<void>();
  gemm(g);
}

static void matmul2(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                    bool tb, const Tensor& bias) {
  Gemm g = product(c, a, b, false, tb);
  g.k2 = a2.columns();
  g.a2 = a2.data<void>();
  g.b2 = b2.data<void>();
  g.lda2 = a2.columns();
  g.ldb2 = b2.columns();
  if (bias) g.bias = bias.data<void>();
  gemm(g);
}

REGISTER_CPU(matmul, matmul);
REGISTER_CPU(matmul2, matmul2);

}  // namespace afina::AFINA_ISA
