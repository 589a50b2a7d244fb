// The inner kernel of the matmul for Bf16Sums::tiles: every 32 products of k go into two sums, one
// for even and one for odd k, each a chain from +0; the two are added, and the result is added to
// C. Uses f32 vectors, so that every processor gives the bits of AMX.
#pragma once
#include "engine/cpu/gemm_tile.h"

namespace afina::AFINA_ISA {

// A unit is one bf16 widened to f32, in order of k; a block of 32 is padded with zeros.
struct UnitApart {
  static constexpr int bytes = 2;
  static constexpr int memory = 2;
  static constexpr bool as_stored = false;
  static constexpr bool in_blocks = true;
  static constexpr int together = 32;  // units per block
  static constexpr int64_t at_a_time = block_units;
  AFINA_INLINE static int64_t units(int64_t k) { return (k + 31) / 32 * 32; }
  AFINA_INLINE static Wide::F along(const char* row, int64_t u, int64_t k) {
    int64_t left = k - u;
    return Wide::widen(row + 2 * u, left >= Wide::width ? Wide::width : left < 0 ? 0 : int(left));
  }
  AFINA_INLINE static Wide::F across(const char* columns, int64_t ld, int64_t u, int n, int64_t k) {
    return u < k ? Wide::widen(columns + u * ld, n < Wide::width ? n : Wide::width) : Wide::zero();
  }
};

// One of a block's two chains: R rows x NV vectors, over the sixteen units of one parity starting
// at a and b; result in `out`. A separate function, because compilers then keep the sums in
// registers.
template <int R, int NV>
[[gnu::noinline]] static void one_chain(char* out, const char* from, int64_t row_bytes,
                                        const char* b, int64_t step_b) {
  using V = Wide;
  constexpr int groups = (R + 2) / 3;  // x86 can address base + {0, 1, 2} * stride in one operand
  const char* a[groups];
  for (int g = 0; g < groups; ++g) a[g] = from + 3 * g * row_bytes;
  V::F acc[R][NV];
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) acc[i][j] = V::zero();
#pragma GCC unroll 1
  for (int p = 0; p < 16; ++p) {
    V::F bv[NV];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) bv[j] = V::load(b + j * V::width * 4);
    b += 2 * step_b;
    asm("" : "+r"(b));
#pragma GCC unroll 6
    for (int i = 0; i < R; ++i) {
      V::F av = V::broadcast(a[i / 3] + (i % 3) * row_bytes);
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) acc[i][j] = V::fma(av, bv[j], acc[i][j]);
    }
#pragma GCC unroll 2
    for (int g = 0; g < groups; ++g) a[g] += 8;
  }
#pragma GCC unroll 6
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) V::store(out + (i * NV + j) * V::width * 4, acc[i][j]);
}

// Adds the blocks of a stretch to the sums at c, R rows x NV vectors.
template <int R, int NV>
static void add_blocks(const Stretch& s, int64_t row, float* c, int64_t ldc, const int* n,
                       bool load) {
  using V = Wide;
  const char *a = s.a + row * s.row_bytes, *b = s.b;
  alignas(64) char even[R * NV * V::width * 4], odd[sizeof even];
  for (int64_t u = 0; u < s.units; u += 32, a += 128, b += 32 * s.step_b) {
    one_chain<R, NV>(even, a, s.row_bytes, b, s.step_b);
    one_chain<R, NV>(odd, a + 4, s.row_bytes, b + s.step_b, s.step_b);
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < NV; ++j) {
        const int at = (i * NV + j) * V::width * 4;
        float* to = c + i * ldc + j * V::width;
        V::F sum = V::add(load || u > 0 ? load_columns<V>(to, n[j]) : V::zero(),
                          V::add(V::load(even + at), V::load(odd + at)));
        store_columns<V>(to, sum, n[j]);
      }
  }
}

// Final step for the sums at c, R rows and n columns: adds the bias and rounds to bf16 if C is
// bf16.
static inline void finish_sums(const Tile& t, int64_t row, int64_t rows, int64_t column, int n,
                               const float* sums, int64_t ld) {
  using V = Wide;
  for (int64_t i = 0; i < rows; ++i)
    for (int j = 0; j < n; j += V::width) {
      const int left = n - j;
      V::F sum = load_columns<V>(sums + i * ld + j, left);
      if (t.bias) sum = V::add(sum, load_columns<V>(t.bias + column + j, left));
      if (t.out)
        V::store_bf16(t.out + (row + i) * t.ldo + column + j, sum,
                      left < V::width ? left : V::width);
      else store_columns<V>(t.c + (row + i) * t.ldc + column + j, sum, left);
    }
}

template <int R, int NV>
static void apart(const Tile& t, int64_t row) {
  int n[NV];
  for (int j = 0; j < NV; ++j) n[j] = t.columns - j * Wide::width;
  float* c = t.c + row * t.ldc;
  if (!t.load && !t.first.units && !t.second.units)
    for (int i = 0; i < R; ++i)
      for (int j = 0; j < NV; ++j)
        store_columns<Wide>(c + i * t.ldc + j * Wide::width, Wide::zero(), n[j]);
  add_blocks<R, NV>(t.first, row, c, t.ldc, n, t.load);
  add_blocks<R, NV>(t.second, row, c, t.ldc, n, t.load || t.first.units);
  if (t.out || t.bias) finish_sums(t, row, R, 0, t.columns, c, t.ldc);
}

template <int NV>
static void all_rows_apart(const Tile& t, int64_t rows) {
  constexpr int most = wide_vectors == 1 ? 2 : 6;
  int64_t i = 0;
  for (; i + most <= rows; i += most) apart<most, NV>(t, i);
  for (; i < rows; ++i) apart<1, NV>(t, i);
}

// All rows of a panel's columns.
static inline void run_blocks(UnitApart, const Tile& t, int64_t rows) {
  const int vectors = (t.columns + Wide::width - 1) / Wide::width;
  if constexpr (wide_vectors >= 4) {
    if (vectors == 4) return all_rows_apart<4>(t, rows);
    if (vectors == 3) return all_rows_apart<3>(t, rows);
  }
  if constexpr (wide_vectors >= 2)
    if (vectors == 2) return all_rows_apart<2>(t, rows);
  all_rows_apart<1>(t, rows);
}

}  // namespace afina::AFINA_ISA
