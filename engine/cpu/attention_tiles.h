// Attention without packing, for instruction sets with vectors: scores are held transposed, keys by
// rows and queries by columns, so that every product finds its operands as its tiles read them. The
// bits are those of attention.cpp and attention_backward.cpp, which other instruction sets, dtypes
// and forms use.
#pragma once
#include "engine/bf16_sums.h"
#include "engine/cpu/attention_heads.h"
#include "engine/cpu/gemm_tile.h"

#if defined(AFINA_ISA_avx2) || defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
#define AFINA_ATTENTION_TILES 1

namespace afina::AFINA_ISA {

// Queries side by side, and keys processed together: multiples of a tile's 6 rows and of 16
// columns.
constexpr int64_t across = 96, key_block = 96;

// How elements become f32 units. Pairs of bf16 are widened and swapped, so that the chain over
// units is the chain over pairs (UnitWidened); rows that run as k are swapped in the same way: row
// or column i of a buffer is element i ^ swapped.
template <class T>
struct Unit {
  using Kind = UnitF32;
  static constexpr int64_t swapped = 0;
};
template <>
struct Unit<bf16> {
  using Kind = UnitWidened;
  static constexpr int64_t swapped = 1;
};

// Whether this path takes a call. Short rows, as in generation, are not worth it.
template <class T>
AFINA_INLINE bool takes_tiles(const Heads<T>& x) {
  if constexpr (std::is_same_v<T, double>) return false;
  else if constexpr (std::is_same_v<T, bf16> && !std::is_same_v<UnitBf16, UnitWidened>)
    return false;  // the pairs have an instruction of their own, twice as fast
  else
    return !x.window && x.dim % 16 == 0 && x.T_ >= 16 && x.group <= across &&
           (std::is_same_v<T, float> || bf16_sums() == Bf16Sums::pairs);
}

AFINA_INLINE static int64_t up_to(int64_t n, int64_t whole) {
  return (n + whole - 1) / whole * whole;
}
AFINA_INLINE static int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

// Rows r of `to`, dim apart: row r ^ swapped of from (ld elements apart), its columns swapped
// likewise; zeros from `rows` to `padded`.
template <class T>
static void to_units(float* to, const T* from, int64_t ld, int64_t rows, int64_t padded,
                     int64_t dim) {
  using U = Unit<T>;
  for (int64_t r = 0; r < padded; ++r, to += dim) {
    const int64_t source = r ^ U::swapped;
    const char* row = (const char*)(from + source * ld);
    for (int64_t u = 0; u < dim; u += Wide::width)
      Wide::store(to + u, source < rows ? U::Kind::along(row, u, dim) : Wide::zero());
  }
}
// Back, one row.
template <class T>
AFINA_INLINE void from_units(T* to, const float* from, int64_t dim) {
  for (int64_t u = 0; u < dim; u += Wide::width) {
    Wide::F v = Wide::load(from + u);
    if constexpr (Unit<T>::swapped) Wide::store_bf16(to + u, Wide::swap_pairs(v), Wide::width);
    else Wide::store(to + u, v);
  }
}
// Whether every document begins at an even position: pairs of bf16 are counted from there, and the
// keys of a whole sequence become units at once.
template <class T>
AFINA_INLINE bool begin_evenly(const Heads<T>& x, int64_t sequences) {
  for (int64_t i = 0; Unit<T>::swapped && i < sequences * x.T_; ++i)
    if (x.starts[i] % 2) return false;
  return true;
}

// to (dim, across) = transpose of from (across, dim).
static inline void turn_units(float* to, const float* from, int64_t dim) {
  constexpr int w = Wide::width;
  for (int64_t c = 0; c < across; c += w)
    for (int64_t u = 0; u < dim; u += w) {
      Wide::F r[w];
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i) r[i] = Wide::load(from + (c + i) * dim + u);
      Wide::transpose(r);
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i) Wide::store(to + (u + i) * across + c, r[i]);
    }
}

template <class T>
AFINA_INLINE bool by_tiles(const Heads<T>& x, int64_t sequences) {
  return takes_tiles(x) && begin_evenly(x, sequences);
}

// Fetches a row of `dim` floats that is needed soon.
AFINA_INLINE static void fetch(const float* row, int64_t dim) {
  for (int64_t u = 0; u < dim; u += 16) __builtin_prefetch(row + u);
}

// C (rows, columns) [+]= A B, `units` of k, leading dimensions in elements; columns: a multiple of
// 16. Step 1: rows of A run along k. Step `across`: memory rows of A are k, lda is not read, and
// rows are a multiple of 6.
struct TileProduct {
  const float *a, *b;
  float* c;
  int64_t lda, ldb, ldc, units;
  bool load;
};
// A function of its own, because in a longer one the compiler moves sums between registers.
template <int R, int NV, int Step>
[[gnu::noinline]] static void tiles_below(const Tile& t, int64_t times) {
  tile<UnitF32, Wide, R, NV, Step>(t, times);
}
template <int Step, int NV>
AFINA_INLINE void tiles_of(const TileProduct& p, int64_t j, int64_t rows) {
  Tile t;
  t.first = {(const char*)p.a, (const char*)(p.b + j), Step == 1 ? p.lda * 4 : 0, p.ldb * 4,
             p.units};
  t.c = p.c + j;
  t.ldc = p.ldc;
  t.load = p.load;
  t.columns = NV * Wide::width;
  t.step_first = Step == 1 ? 6 * p.lda * 4 : 6 * 4;
  tiles_below<6, NV, Step>(t, rows / 6);
  if constexpr (Step == 1) {
    int64_t i = rows / 6 * 6;
    auto rest = [&]() {
      t.first.a = (const char*)(p.a + i * p.lda);
      t.c = p.c + i * p.ldc + j;
    };
    if (rows - i >= 4) {
      rest();
      tiles_below<4, NV, 1>(t, 1);
      i += 4;
    }
    if (rows - i >= 2) {
      rest();
      tiles_below<2, NV, 1>(t, 1);
      i += 2;
    }
    if (rows > i) {
      rest();
      tiles_below<1, NV, 1>(t, 1);
    }
  }
}
template <int Step>
static void multiply_tiles(const TileProduct& p, int64_t rows, int64_t columns) {
  constexpr int w = Wide::width;
  for (int64_t j = 0; j < columns;) {
    if constexpr (wide_vectors == 4) {
      if (columns - j >= 4 * w) {
        tiles_of<Step, 4>(p, j, rows);
        j += 4 * w;
      } else if (columns - j >= 2 * w) {
        tiles_of<Step, 2>(p, j, rows);
        j += 2 * w;
      } else {
        tiles_of<Step, 1>(p, j, rows);
        j += w;
      }
    } else {
      tiles_of<Step, 2>(p, j, rows);
      j += 2 * w;
    }
  }
}

// Scores of n keys (rows of `keys`, dim apart) by the queries turned in `queries`. seen(r): columns
// before this one do not see key row r or any later one; they are left as they are.
template <class Seen>
AFINA_INLINE void score_tiles(float* scores, const float* keys, const float* queries, int64_t n,
                              int64_t columns, int64_t dim, bool diagonal, Seen seen) {
  TileProduct p{keys, queries, scores, dim, across, across, dim, false};
  if (!diagonal) return multiply_tiles<1>(p, n, columns);
  for (int64_t r = 0; r < n; r += 6) {
    const int64_t from = seen(r) / 16 * 16;
    if (from >= columns) return;
    p.a = keys + r * dim;
    p.b = queries + from;
    p.c = scores + r * across + from;
    multiply_tiles<1>(p, least_of(6, n - r), columns - from);
  }
}

}  // namespace afina::AFINA_ISA
#endif
