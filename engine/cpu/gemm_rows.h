// A few rows times a matrix stored (n, k), as in generation: the weights pass through registers
// once, directly from memory.
#pragma once
#include "engine/cpu/gemm_pack.h"

namespace afina::AFINA_ISA {

constexpr int most_rows = 4;

// Adds the products over one stretch of k to acc (R rows, as many columns as a vector has). a: rows
// of units; b: its first n rows are used.
template <class Kind, int R>
AFINA_INLINE static void add_rows(Wide::F (&acc)[R], const char* a, int64_t row_bytes,
                                  const char* b, int64_t ld, int n, int64_t k) {
  constexpr int w = Wide::width;
  const int64_t units = Kind::units(k);
  for (int64_t u = 0; u < units; u += w) {
    Wide::F r[w];
    if (n == w) {
      // Prefetch the same position of the following rows: the hardware prefetches only within a
      // page, and these rows are short.
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i) __builtin_prefetch(b + (w + i) * ld + u * Kind::memory);
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i) r[i] = Kind::along(b + i * ld, u, k);
    } else {
      for (int i = 0; i < w; ++i) r[i] = i < n ? Kind::along(b + i * ld, u, k) : Wide::zero();
    }
    Wide::transpose(r);
    if (u + w <= units) {
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i)
#pragma GCC unroll 4
        for (int q = 0; q < R; ++q)
          acc[q] = Kind::template multiply<Wide>(Wide::broadcast(a + q * row_bytes + (u + i) * 4),
                                                 r[i], acc[q]);
    } else {
      alignas(64) char rest[w * w * 4];
      for (int i = 0; i < w; ++i) Wide::store(rest + i * w * 4, r[i]);
      for (int i = 0; i < units - u; ++i)
        for (int q = 0; q < R; ++q)
          acc[q] = Kind::template multiply<Wide>(Wide::broadcast(a + q * row_bytes + (u + i) * 4),
                                                 Wide::load(rest + i * w * 4), acc[q]);
    }
  }
}

}  // namespace afina::AFINA_ISA
