// How operands of each dtype become 32-bit units and how units are multiplied: f32, bf16 in pairs
// (VDPBF16PS), and bf16 widened to f32.
#pragma once
#include "engine/cpu/gemm_vector.h"

namespace afina::AFINA_ISA {

#if defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
using Wide = Avx16;
using Narrow = Avx8;
constexpr int wide_vectors =
    4;  // vectors in a full panel of B: 6 rows x 4 vectors of C use 24 of the 32 registers
#elif defined(AFINA_ISA_avx2)
using Wide = Avx8;
using Narrow = Avx8;
constexpr int wide_vectors = 2;  // 6 x 2 of 16 registers
#else
using Wide = Plain8;
using Narrow = Plain8;
constexpr int wide_vectors = 1;
#endif
constexpr int panel_width = wide_vectors * Wide::width;

// Units of k processed while a tile stays in registers, if A is read without packing. A panel of B
// then fits in the L2 cache.
constexpr int64_t block_units = 768;

// Shared by all kinds except those of gemm_blocks.h and gemm_amx.h: each sum is one chain over k,
// which may be interrupted anywhere.
struct OneChain {
  static constexpr bool in_blocks = false;
  static constexpr int together = 4;  // units processed together, for speed only
  static constexpr int64_t at_a_time = block_units;
};

// A unit is one f32.
struct UnitF32 : OneChain {
  using Product = UnitF32;  // the kind whose tiles multiply units of this one
  using Wide_ = Wide;
  using Narrow_ = Narrow;
  static constexpr int bytes = 4;   // of an element in memory
  static constexpr int memory = 4;  // bytes in memory that become a unit
  static constexpr bool as_stored =
      true;  // rows of A with k running along them can be read as they lie
  AFINA_INLINE static int64_t units(int64_t k) { return k; }
  template <class V>
  AFINA_INLINE static typename V::F multiply(typename V::F a, typename V::F b, typename V::F c) {
    return V::fma(a, b, c);
  }
  template <class V>
  AFINA_INLINE static typename V::F multiply_at(const void* a, typename V::F b, typename V::F c) {
    return V::fma_at(a, b, c);
  }
  // Units from u on of one row along k; zeros past k.
  AFINA_INLINE static Wide::F along(const char* row, int64_t u, int64_t k) {
    int64_t left = k - u;
    return left >= Wide::width ? Wide::load(row + 4 * u)
                               : Wide::load_part(row + 4 * u, left < 0 ? 0 : int(left));
  }
  // Unit u of n columns, from a matrix whose rows (`ld` bytes apart) are indexed by k.
  AFINA_INLINE static Wide::F across(const char* columns, int64_t ld, int64_t u, int n, int64_t) {
    return n >= Wide::width ? Wide::load(columns + u * ld) : Wide::load_part(columns + u * ld, n);
  }
};

// A unit is one bf16 widened to f32, with the two of a pair swapped: the f32 chain over units then
// equals the chain over bf16 pairs.
struct UnitWidened : OneChain {
  using Product = UnitF32;  // once units, they are multiplied alike: the tiles are compiled once
  using Wide_ = Wide;
  using Narrow_ = Narrow;
  static constexpr int bytes = 2;
  static constexpr int memory = 2;
  static constexpr bool as_stored = false;
  AFINA_INLINE static int64_t units(int64_t k) { return (k + 1) / 2 * 2; }
  template <class V>
  AFINA_INLINE static typename V::F multiply(typename V::F a, typename V::F b, typename V::F c) {
    return V::fma(a, b, c);
  }
  AFINA_INLINE static Wide::F along(const char* row, int64_t u, int64_t k) {
    int64_t left = k - u;
    return Wide::swap_pairs(Wide::widen(row + 2 * u, left >= Wide::width ? Wide::width
                                                     : left < 0          ? 0
                                                                         : int(left)));
  }
  AFINA_INLINE static Wide::F across(const char* columns, int64_t ld, int64_t u, int n, int64_t k) {
    u ^= 1;
    return u < k ? Wide::widen(columns + u * ld, n < Wide::width ? n : Wide::width) : Wide::zero();
  }
};

#if defined(AFINA_ISA_avx512bf16)
// A unit is a pair of bf16, the lower k in the lower half.
struct UnitPairs : OneChain {
  using Product = UnitPairs;
  using Wide_ = Avx16;
  using Narrow_ = Avx8Pairs;
  static constexpr int bytes = 2;
  static constexpr int memory = 4;
  static constexpr bool as_stored = true;  // if k is even
  AFINA_INLINE static int64_t units(int64_t k) { return (k + 1) / 2; }
  template <class V>
  AFINA_INLINE static typename V::F multiply(typename V::F a, typename V::F b, typename V::F c) {
    return V::dot(a, b, c);
  }
  template <class V>
  AFINA_INLINE static typename V::F multiply_at(const void* a, typename V::F b, typename V::F c) {
    return V::dot_at(a, b, c);
  }
  AFINA_INLINE static Wide::F along(const char* row, int64_t u, int64_t k) {
    int64_t left = k - 2 * u;
    return Wide::pairs(row + 4 * u, left >= 32 ? 32 : left < 0 ? 0 : int(left));
  }
  AFINA_INLINE static Wide::F across(const char* columns, int64_t ld, int64_t u, int n, int64_t k) {
    return Wide::interleave(columns + 2 * u * ld,
                            2 * u + 1 < k ? columns + (2 * u + 1) * ld : nullptr, n);
  }
  // Of two vectors of columns, where k has both of the unit.
  AFINA_INLINE static void across_two(const char* columns, int64_t ld, int64_t u,
                                      Wide::F (&to)[2]) {
    Wide::interleave(columns + 2 * u * ld, columns + (2 * u + 1) * ld, to);
  }
};
using UnitBf16 = UnitPairs;
#else
using UnitBf16 = UnitWidened;
#endif

}  // namespace afina::AFINA_ISA
