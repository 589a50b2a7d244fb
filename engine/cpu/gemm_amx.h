// The inner kernel of the matmul with AMX, which sums tiles of bf16 in hardware. Computes 32 x 32
// of C in four tiles, from two tiles of A and two of B.
#pragma once
#include "engine/cpu/gemm_blocks.h"

#if defined(AFINA_ISA_avx512bf16)
namespace afina::AFINA_ISA {

// A unit is a pair of bf16, the lower k in the lower half. A row of an A tile holds 16 units of a
// row; a row of a B tile holds 16 columns of a unit.
struct UnitTiles : UnitPairs {
  static constexpr bool in_blocks = true;
  static constexpr int together = 16;  // units per block
  static constexpr int64_t at_a_time =
      128;  // a panel of B and 32 rows of A then fit in the L1 cache
  AFINA_INLINE static int64_t units(int64_t k) { return (k + 31) / 32 * 16; }
  AFINA_INLINE static Wide::F across(const char* columns, int64_t ld, int64_t u, int n, int64_t k) {
    return 2 * u < k ? UnitPairs::across(columns, ld, u, n, k) : Wide::zero();
  }
};

// Tile configuration. Tile registers: C 0 to 3 (rows 0 and 16, columns 0 and 16), A 4 and 5, B 6
// and 7.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, none[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {};
  TileShapes(int upper, int lower) {
    const uint8_t u = uint8_t(upper), l = uint8_t(lower > 0 ? lower : 1);
    const uint8_t all[8] = {u, u, l, l, u, l, 16, 16};
    for (int i = 0; i < 8; ++i) rows[i] = all[i];
  }
};

// Inline assembly, so that files of this instruction set need not be compiled for AMX; only
// machines with AMX run this code.
#define AFINA_TILE_LOAD(tile, p, step) \
  asm volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(p), "r"(int64_t(step)) : "memory")
#define AFINA_TILE_STORE(tile, p, step) \
  asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(p), "r"(int64_t(step)) : "memory")
#define AFINA_TILE_ZERO(tile) asm volatile("tilezero %%tmm" #tile ::)
#define AFINA_TILE_ADD(c, a, b) asm volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c ::)

template <bool lower, bool right>
AFINA_INLINE static void add_tiles(const Stretch& s, int64_t row, int64_t column) {
  const int64_t row_bytes = s.row_bytes, step_b = s.step_b;
  const char *a = s.a + row * row_bytes, *b = s.b + column * 4, *below = a + 16 * row_bytes;
  for (int64_t u = s.units; u > 0; u -= 16, a += 64, below += 64, b += 16 * step_b) {
    AFINA_TILE_LOAD(6, b, step_b);
    AFINA_TILE_LOAD(4, a, row_bytes);
    AFINA_TILE_ADD(0, 4, 6);
    if (right) {
      AFINA_TILE_LOAD(7, b + 64, step_b);
      AFINA_TILE_ADD(1, 4, 7);
    }
    if (lower) {
      AFINA_TILE_LOAD(5, below, row_bytes);
      AFINA_TILE_ADD(2, 5, 6);
      if (right) AFINA_TILE_ADD(3, 5, 7);
    }
  }
}

// Computes up to 32 rows from `row` and 32 columns from `column`.
template <bool lower, bool right>
static void four_tiles(const Tile& t, int64_t row, int64_t rows, int64_t column) {
  const int n = t.columns - int(column) < 32 ? t.columns - int(column) : 32;
  float* c = t.c + row * t.ldc + column;
  int64_t step = t.ldc * 4;
  alignas(64) float sums[32 * 32];  // for where C has no space for complete tiles, or is not f32
  const bool apart = t.out || t.bias || n % 16 != 0;
  if (t.load) {
    if (n % 16 != 0) {
      for (int64_t i = 0; i < rows; ++i)
        for (int j = 0; j < 32; j += 16)
          Wide::store(sums + i * 32 + j,
                      Wide::load_part(c + i * t.ldc + j, n > j ? (n - j < 16 ? n - j : 16) : 0));
      c = sums;
      step = 128;
    }
    AFINA_TILE_LOAD(0, c, step);
    if (right) AFINA_TILE_LOAD(1, c + 16, step);
    if (lower) AFINA_TILE_LOAD(2, (char*)c + 16 * step, step);
    if (lower && right) AFINA_TILE_LOAD(3, (char*)c + 16 * step + 64, step);
  } else {
    AFINA_TILE_ZERO(0);
    if (right) AFINA_TILE_ZERO(1);
    if (lower) AFINA_TILE_ZERO(2);
    if (lower && right) AFINA_TILE_ZERO(3);
  }
  add_tiles<lower, right>(t.first, row, column);
  if (t.second.units) add_tiles<lower, right>(t.second, row, column);
  if (apart) {
    c = sums;
    step = 128;
  }
  AFINA_TILE_STORE(0, c, step);
  if (right) AFINA_TILE_STORE(1, c + 16, step);
  if (lower) AFINA_TILE_STORE(2, (char*)c + 16 * step, step);
  if (lower && right) AFINA_TILE_STORE(3, (char*)c + 16 * step + 64, step);
  if (apart) finish_sums(t, row, rows, column, n, sums, 32);
}

static inline void rows_of_tiles(const Tile& t, int64_t row, int64_t rows, int64_t column) {
  const bool right = t.columns - column > 16;
  if (rows > 16)
    right ? four_tiles<true, true>(t, row, rows, column)
          : four_tiles<true, false>(t, row, rows, column);
  else
    right ? four_tiles<false, true>(t, row, rows, column)
          : four_tiles<false, false>(t, row, rows, column);
}

static inline void run_blocks(UnitTiles, const Tile& t, int64_t rows) {
  const int64_t whole = rows / 32 * 32, rest = rows - whole;
  if (whole) {
    const TileShapes shapes(16, 16);
    asm volatile("ldtilecfg %0" ::"m"(shapes));
    for (int64_t i = 0; i < whole;
         i += 32)  // 32 rows of A stay in the L1 cache for the whole panel
      for (int64_t j = 0; j < t.columns; j += 32) rows_of_tiles(t, i, 32, j);
  }
  if (rest) {
    const TileShapes shapes(rest < 16 ? int(rest) : 16, int(rest) - 16);
    asm volatile("ldtilecfg %0" ::"m"(shapes));
    for (int64_t j = 0; j < t.columns; j += 32) rows_of_tiles(t, whole, rest, j);
  }
  asm volatile("tilerelease" ::: "memory");
}

#undef AFINA_TILE_LOAD
#undef AFINA_TILE_STORE
#undef AFINA_TILE_ZERO
#undef AFINA_TILE_ADD

}  // namespace afina::AFINA_ISA
#endif
