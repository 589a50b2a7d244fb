// The inner kernel of the matmul: holds a tile of C in registers while k runs. Instantiated for
// each number of rows and vectors.
#pragma once
#include "engine/cpu/gemm_kind.h"

namespace afina::AFINA_ISA {

// Rows per packed panel of A: unit u of row r is at u * strip + r. A panel of B is as wide as its
// vectors.
constexpr int strip = wide_vectors == 2 ? 6 : 12;
constexpr int tile_rows = wide_vectors == 1 ? 4 : 6;  // rows of the tile used for most of C

// One stretch of k: A by rows (row_bytes apart, along k) or packed; B packed, or in place if its
// rows are units (step_b bytes apart).
struct Stretch {
  const char* a = nullptr;
  const char* b = nullptr;
  int64_t row_bytes = 0;
  int64_t step_b = 0;
  int64_t units = 0;
};

struct Tile {
  // The second one extends k (A2, B2); it is empty except in the last block of k.
  Stretch first, second;
  // f32 sums, ldc apart: the chain continues from them (`load`), and they are written unless `out`
  // is given.
  float* c = nullptr;
  int64_t ldc = 0;
  uint16_t* out = nullptr;  // bf16 result, or null
  int64_t ldo = 0;
  const float* bias = nullptr;
  bool load = false;
  int columns = 0;  // of C; the last vector may be partly used
  // Bytes of A from the rows of one full tile to the next.
  int64_t step_first = 0, step_second = 0;
};

#if defined(AFINA_ISA_avx2)
// One unit of k for 6 rows x 2 vectors: rows 0 to 2 at a, 3 to 5 at a3, `stride` apart; OfA and
// OfB: bytes to the unit. Written out, because the compiler moves sums between the 16 registers and
// keeps addresses in memory.
template <int OfA, int OfB>
AFINA_INLINE static void add_unit(__m256 (&c)[6][2], const char* a, const char* a3, int64_t stride,
                                  const char* b) {
#define AFINA_ROW(row, at, by)                       \
  "vbroadcastss " at ", %%ymm" by "\n"               \
  "vfmadd231ps %%ymm12, %%ymm" by ", %[c" row "0]\n" \
  "vfmadd231ps %%ymm13, %%ymm" by ", %[c" row "1]\n"
#define AFINA_SUM(i) [c##i##0] "+x"(c[i][0]), [c##i##1] "+x"(c[i][1])
  asm volatile(
      "vmovups %c[ofb](%[b]), %%ymm12\n"
      "vmovups 32+%c[ofb](%[b]), %%ymm13\n" AFINA_ROW("0", "%c[ofa](%[a])", "14")
          AFINA_ROW("1", "%c[ofa](%[a],%[s])", "15") AFINA_ROW("2", "%c[ofa](%[a],%[s],2)", "14")
              AFINA_ROW("3", "%c[ofa](%[a3])", "15") AFINA_ROW("4", "%c[ofa](%[a3],%[s])", "14")
                  AFINA_ROW("5", "%c[ofa](%[a3],%[s],2)", "15")
      : AFINA_SUM(0), AFINA_SUM(1), AFINA_SUM(2), AFINA_SUM(3), AFINA_SUM(4), AFINA_SUM(5)
      : [a] "r"(a), [a3] "r"(a3), [s] "r"(stride), [b] "r"(b), [ofa] "i"(OfA), [ofb] "i"(OfB)
      : "xmm12", "xmm13", "xmm14", "xmm15", "memory");
#undef AFINA_SUM
#undef AFINA_ROW
}
template <int Step, int StepB>
AFINA_INLINE static void add_units(__m256 (&c)[6][2], const Stretch& s) {
  const int64_t stride = Step == 1 ? s.row_bytes : 4;
  const char *a = s.a, *a3 = a + 3 * stride, *b = s.b;
  int64_t left = s.units;
  if constexpr (StepB > 0) {
    // Additions to addresses and counters take turns that multiply-adds could have.
    for (; left >= 8; left -= 8) {
      add_unit<0, 0>(c, a, a3, stride, b);
      add_unit<4 * Step, StepB>(c, a, a3, stride, b);
      add_unit<8 * Step, 2 * StepB>(c, a, a3, stride, b);
      add_unit<12 * Step, 3 * StepB>(c, a, a3, stride, b);
      add_unit<16 * Step, 4 * StepB>(c, a, a3, stride, b);
      add_unit<20 * Step, 5 * StepB>(c, a, a3, stride, b);
      add_unit<24 * Step, 6 * StepB>(c, a, a3, stride, b);
      add_unit<28 * Step, 7 * StepB>(c, a, a3, stride, b);
      a += 32 * Step;
      a3 += 32 * Step;
      b += 8 * StepB;
    }
  } else {
    const int64_t step_b = s.step_b;
    for (; left >= 4; left -= 4) {
      add_unit<0, 0>(c, a, a3, stride, b);
      b += step_b;
      add_unit<4 * Step, 0>(c, a, a3, stride, b);
      b += step_b;
      add_unit<8 * Step, 0>(c, a, a3, stride, b);
      b += step_b;
      add_unit<12 * Step, 0>(c, a, a3, stride, b);
      b += step_b;
      a += 16 * Step;
      a3 += 16 * Step;
    }
  }
  for (; left > 0; --left) {
    add_unit<0, 0>(c, a, a3, stride, b);
    a += 4 * Step;
    a3 += 4 * Step;
    b += s.step_b;
  }
}
#endif

// Adds the products of a stretch to R rows x NV vectors. Step: units between successive k of A (1:
// rows read in place).
template <class Kind, class V, int R, int NV, int Step>
AFINA_INLINE static void add_stretch(typename V::F (&acc)[R][NV], const Stretch& s) {
  constexpr bool few_registers = wide_vectors == 2;
  constexpr int groups = (R + 2) / 3;  // x86 can address base + {0, 1, 2} * stride in one operand
  const int64_t stride = Step == 1 ? s.row_bytes : 4;
  const char* a[groups];
  for (int g = 0; g < groups; ++g) a[g] = s.a + 3 * g * stride;
  const char* b = s.b;
  const int64_t step_b = s.step_b;
  auto step = [&](int u) __attribute__((always_inline)) {
    typename V::F bv[NV];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j)
      bv[j] = V::load(b + (few_registers ? 0 : u * step_b) + j * V::width * 4);
    if constexpr (few_registers) {
      b += step_b;
      asm(""
          : "+r"(b));  // keeps the compiler from holding several multiples of step_b, which would
                       // spill sums to memory
    }
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) {
      const char* ai = a[i / 3] + (i % 3) * stride + u * Step * 4;
      if constexpr (NV == 1) {
        acc[i][0] = Kind::template multiply_at<V>(ai, bv[0], acc[i][0]);
        continue;
      }
      typename V::F av = V::broadcast(ai);
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) acc[i][j] = Kind::template multiply<V>(av, bv[j], acc[i][j]);
    }
  };
  int64_t left = s.units;
  for (; left >= 4; left -= 4) {
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) step(u);
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) a[g] += 4 * Step * 4;
    if constexpr (!few_registers) b += 4 * step_b;
  }
  for (; left > 0; --left) {
    step(0);
#pragma GCC unroll 4
    for (int g = 0; g < groups; ++g) a[g] += Step * 4;
    if constexpr (!few_registers) b += step_b;
  }
}

// The first n columns of a vector, or all of it.
template <class V>
AFINA_INLINE static typename V::F load_columns(const float* p, int n) {
  return n >= V::width ? V::load(p) : V::load_part(p, n);
}
template <class V>
AFINA_INLINE static void store_columns(float* p, typename V::F v, int n) {
  if (n >= V::width) V::store(p, v);
  else V::store_part(p, v, n);
}

// Columns used in vector j of a tile. Whole: all columns of the last vector are used; known at
// compile time, so that no vector checks.
template <class V, int NV, bool Whole>
AFINA_INLINE static int columns_of(const Tile& t, int j) {
  const int left = t.columns - j * V::width;
  return Whole || j < NV - 1 || left > V::width ? V::width : left;
}

template <class V, int R, int NV>
AFINA_INLINE static void zero_sums(typename V::F (&acc)[R][NV]) {
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) acc[i][j] = V::zero();
}

template <class V, bool Whole, int R, int NV>
AFINA_INLINE static void load_sums(typename V::F (&acc)[R][NV], const Tile& t) {
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j)
      acc[i][j] = load_columns<V>(t.c + i * t.ldc + j * V::width, columns_of<V, NV, Whole>(t, j));
}

template <class V, bool Whole, int R, int NV>
AFINA_INLINE static void add_bias(typename V::F (&acc)[R][NV], const Tile& t) {
#pragma GCC unroll 4
  for (int j = 0; j < NV; ++j) {
    typename V::F bias = load_columns<V>(t.bias + j * V::width, columns_of<V, NV, Whole>(t, j));
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) acc[i][j] = V::add(acc[i][j], bias);
  }
}

// Loads and stores the tile from row `row` on.
template <class V, bool Whole, bool Rounded, int R, int NV>
AFINA_INLINE static void store_sums(typename V::F (&acc)[R][NV], const Tile& t, int64_t row = 0) {
#pragma GCC unroll 12
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) {
      const int n = columns_of<V, NV, Whole>(t, j);
      if constexpr (Rounded) V::store_bf16(t.out + (row + i) * t.ldo + j * V::width, acc[i][j], n);
      else store_columns<V>(t.c + (row + i) * t.ldc + j * V::width, acc[i][j], n);
    }
}

template <class Kind, class V, int R, int NV, int Step, bool Whole>
AFINA_INLINE static void one_tile(const Tile& t) {
  typename V::F acc[R][NV];
  if (t.load) load_sums<V, Whole>(acc, t);
  else zero_sums<V>(acc);
  if constexpr (wide_vectors == 2) {  // prefetch the sums of the next rows, which would otherwise
                                      // delay the first products
#pragma GCC unroll 12
    for (int i = 0; i < R; ++i) __builtin_prefetch(t.c + (R + i) * t.ldc);
  }
  // Whole or not, and each stretch for itself: where all share one loop, GCC sends sums through
  // memory, which costs 5 to 14 % (AVX-512).
#if defined(AFINA_ISA_avx2)
  if constexpr (R == 6 && NV == 2) {
    constexpr int of_panel = NV * V::width * 4;
    if (t.first.step_b == of_panel) add_units<Step, of_panel>(acc, t.first);
    else add_units<Step, 0>(acc, t.first);
    if (t.second.units) add_units<Step, 0>(acc, t.second);
  } else {
#endif
    add_stretch<Kind, V, R, NV, Step>(acc, t.first);
    if (t.second.units) add_stretch<Kind, V, R, NV, Step>(acc, t.second);
#if defined(AFINA_ISA_avx2)
  }
#endif
  if (t.bias) add_bias<V, Whole>(acc, t);
  if (t.out) store_sums<V, Whole, true>(acc, t);
  else store_sums<V, Whole, false>(acc, t);
}

// For k so short (LoRA's rank 8 in bf16) that the panel of B stays in registers instead of being
// reloaded for every few rows.
constexpr int short_units = 4, short_rows = 3;
template <class V, int NV>
AFINA_INLINE static bool is_short(const Tile& t) {
  return t.first.units == short_units && t.columns == NV * V::width && !t.second.units && !t.load &&
         !t.bias;
}
template <class Kind, class V, int NV, bool Rounded>
static void short_tiles(const Tile& t, int64_t rows) {
  typename V::F b[short_units][NV];
#pragma GCC unroll 4
  for (int u = 0; u < short_units; ++u)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j)
      b[u][j] = V::load(t.first.b + u * t.first.step_b + j * V::width * 4);
  for (int64_t row = 0; row < rows; row += short_rows) {
    typename V::F acc[short_rows][NV];
    zero_sums<V>(acc);
    const char* a = t.first.a + row * t.first.row_bytes;
#pragma GCC unroll 4
    for (int u = 0; u < short_units; ++u)
#pragma GCC unroll 3
      for (int i = 0; i < short_rows; ++i) {
        typename V::F av = V::broadcast(a + i * t.first.row_bytes + u * 4);
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[i][j] = Kind::template multiply<V>(av, b[u][j], acc[i][j]);
      }
    store_sums<V, true, Rounded>(acc, t, row);
  }
}

// `times` tiles of R rows, one below the other.
template <class Kind, class V, int R, int NV, int Step>
static void tile(const Tile& from, int64_t times) {
  if constexpr (wide_vectors == 4 && NV == 4 && Step == 1 && R % short_rows == 0)
    if (is_short<V, NV>(from))
      return from.out ? short_tiles<Kind, V, NV, true>(from, R * times)
                      : short_tiles<Kind, V, NV, false>(from, R * times);
  Tile t = from;
  const bool whole = t.columns == NV * V::width;
  for (; times > 0; --times) {
    if (whole) one_tile<Kind, V, R, NV, Step, true>(t);
    else one_tile<Kind, V, R, NV, Step, false>(t);
    t.c += R * t.ldc;
    t.first.a += t.step_first;
    t.second.a += t.step_second;
    if (t.out) t.out += R * t.ldo;
  }
}

// Runs tiles with the largest row count that has a kernel, at most `rows` rows in total; returns
// the number of rows done. R, Fewer: row counts with kernels, largest first.
template <class Kind, class V, int NV, int Step, int R, int... Fewer>
AFINA_INLINE static int run_most(const Tile& t, int64_t rows) {
  if constexpr (sizeof...(Fewer) > 0)
    if (rows < R) return run_most<Kind, V, NV, Step, Fewer...>(t, rows);
  constexpr bool full = wide_vectors >= 2 && R == tile_rows && (Step == 1 || Step == R);
  const int64_t times = full ? rows / R : 1;
  tile<Kind, V, R, NV, Step>(t, times);
  return int(R * times);
}

template <class Kind, class V, int NV, int Step>
AFINA_INLINE static int run_tile(const Tile& t, int64_t rows) {
  constexpr int registers = Wide::width == 16 ? 32 : 16;
  if constexpr (wide_vectors == 1) return run_most<Kind, V, NV, Step, 4, 2, 1>(t, rows);
  else if constexpr (NV * 13 < registers && (Step == 1 || Step >= 12))
    return run_most<Kind, V, NV, Step, 12, 8, 6, 4, 3, 2, 1>(t, rows);
  else return run_most<Kind, V, NV, Step, 6, 5, 4, 3, 2, 1>(t, rows);
}

// The panel's form: its columns, and from them whether it is narrow (half a vector) and how many
// units one k takes.
AFINA_INLINE static bool is_narrow(int columns) {
  return Narrow::width < Wide::width && columns <= Narrow::width;
}
AFINA_INLINE static int units_wide(int columns) {
  return is_narrow(columns) ? Narrow::width
                            : (columns + Wide::width - 1) / Wide::width * Wide::width;
}

template <class Kind>
AFINA_INLINE static int units_wide(int columns) {
  return Kind::in_blocks ? (columns + Wide::width - 1) / Wide::width * Wide::width
                         : units_wide(columns);
}

template <class Kind, int Step>
static int run_tile(const Tile& t, int64_t rows) {
  if constexpr (Narrow::width < Wide::width)
    if (is_narrow(t.columns)) return run_tile<Kind, typename Kind::Narrow_, 1, Step>(t, rows);
  if constexpr (wide_vectors >= 4) {
    if (t.columns > 3 * Wide::width) return run_tile<Kind, typename Kind::Wide_, 4, Step>(t, rows);
    if (t.columns > 2 * Wide::width) return run_tile<Kind, typename Kind::Wide_, 3, Step>(t, rows);
  }
  if constexpr (wide_vectors >= 2)
    if (t.columns > Wide::width) return run_tile<Kind, typename Kind::Wide_, 2, Step>(t, rows);
  return run_tile<Kind, typename Kind::Wide_, 1, Step>(t, rows);
}

}  // namespace afina::AFINA_ISA
