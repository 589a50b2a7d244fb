// Packing for the matmul: rearranges operands so that the inner kernel reads units consecutively.
#pragma once
#include "engine/cpu/gemm_kind.h"

namespace afina::AFINA_ISA {

// An operand indexed by its outer index x (rows of A, columns of B). along: memory rows are x and
// run along k; otherwise memory rows are k.
struct Operand {
  const char* data = nullptr;
  int64_t ld = 0;  // bytes
  int64_t k = 0;
  bool along = false;
  template <class Kind>
  const char* at(int64_t x) const {
    return data + (along ? x * ld : x * Kind::bytes);
  }
};

// One vector of complete rows, units u0..u1: four units of four rows per 128-bit lane.
static inline void pack_lanes(char* out, int wide, const char* rows, int64_t ld, int64_t u0,
                              int64_t u1) {
  for (int64_t u = u0; u < u1; u += 4) {
    Wide::F r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) r[i] = Wide::lanes(rows + i * ld + u * 4, 4 * ld);
    Wide::turn_lanes(r);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) Wide::store(out + (u - u0 + i) * wide * 4, r[i]);
  }
}

template <class Kind>
static void pack_along(char* out, int wide, const char* rows, int64_t ld, int64_t n, int64_t k,
                       int64_t u0, int64_t u1) {
  constexpr int w = Wide::width;
  const bool few = Kind::as_stored && Kind::memory == 4 && u1 - u0 <= 8 && (u1 - u0) % 4 == 0 &&
                   u1 * 4 <= k * Kind::bytes;
  // One vector of rows at a time: as many streams as the hardware prefetcher can follow.
  for (int x = 0; x < wide; x += w) {
    if (few && x + w <= n && x + w <= wide) {
      pack_lanes(out + x * 4, wide, rows + x * ld, ld, u0, u1);
      continue;
    }
    for (int64_t u = u0; u < u1; u += w) {
      Wide::F r[w];
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i)
        r[i] = x + i < n ? Kind::along(rows + (x + i) * ld, u, k) : Wide::zero();
      Wide::transpose(r);
      char* to = out + ((u - u0) * wide + x) * 4;
      if (u + w <= u1 && x + w <= wide) {
#pragma GCC unroll 16
        for (int i = 0; i < w; ++i) Wide::store(to + i * wide * 4, r[i]);
      } else {
        for (int i = 0; i < w && u + i < u1; ++i)
          Wide::store_part(to + i * wide * 4, r[i], wide - x < w ? wide - x : w);
      }
    }
  }
}

template <class Kind>
static void pack_across(char* out, int wide, const char* columns, int64_t ld, int64_t n, int64_t k,
                        int64_t u0, int64_t u1) {
  constexpr int w = Wide::width;
  for (int64_t u = u0; u < u1; ++u, out += wide * 4) {
    int x = 0;
    if constexpr (requires { Kind::across_two; }) {
      if (2 * u + 1 < k)
        for (; x + 2 * w <= wide && x + 2 * w <= n; x += 2 * w) {
          Wide::F r[2];
          Kind::across_two(columns + x * Kind::bytes, ld, u, r);
          Wide::store(out + x * 4, r[0]);
          Wide::store(out + (x + w) * 4, r[1]);
        }
    }
    for (; x + w <= wide && x + w <= n; x += w)
      Wide::store(out + x * 4, Kind::across(columns + x * Kind::bytes, ld, u, w, k));
    for (; x < wide; x += w) {
      int left = n > x ? int(n - x) : 0;
      Wide::F v = left ? Kind::across(columns + x * Kind::bytes, ld, u, left < w ? left : w, k)
                       : Wide::zero();
      if (x + w <= wide) Wide::store(out + x * 4, v);
      else Wide::store_part(out + x * 4, v, wide - x);
    }
  }
}

// Packs units u0..u1 of x0 .. x0 + n: unit u of x goes to ((u - u0) * wide + x - x0). Zeros from n
// to wide.
template <class Kind>
static void pack_panel(char* out, int wide, const Operand& from, int64_t x0, int64_t n, int64_t u0,
                       int64_t u1) {
  const char* data = from.at<Kind>(x0);
  if (from.along) pack_along<Kind>(out, wide, data, from.ld, n, from.k, u0, u1);
  else pack_across<Kind>(out, wide, data, from.ld, n, from.k, u0, u1);
}

// Rows along k as units: row x at (x - x0) * row_bytes. row_bytes must have space for u1 - u0
// rounded up to complete vectors.
template <class Kind>
static void pack_rows(char* out, int64_t row_bytes, const Operand& from, int64_t x0, int64_t x1,
                      int64_t u0, int64_t u1) {
  for (int64_t x = x0; x < x1; ++x, out += row_bytes) {
    const char* row = from.at<Kind>(x);
    for (int64_t u = u0; u < u1; u += Wide::width)
      Wide::store(out + (u - u0) * 4, Kind::along(row, u, from.k));
  }
}

// The same for an operand whose memory rows are k; transposes while packing.
template <class Kind>
static void turn_rows(char* out, int64_t row_bytes, const Operand& from, int64_t x0, int64_t x1,
                      int64_t u0, int64_t u1) {
  constexpr int w = Wide::width;
  for (int64_t u = u0; u < u1; u += w)
    for (int64_t x = x0; x < x1; x += w) {
      const int n = int(x1 - x < w ? x1 - x : w);
      const char* columns = from.at<Kind>(x);
      Wide::F r[w];
#pragma GCC unroll 16
      for (int i = 0; i < w; ++i) r[i] = Kind::across(columns, from.ld, u + i, n, from.k);
      Wide::transpose(r);
      char* to = out + (x - x0) * row_bytes + (u - u0) * 4;
      if (n == w) {
#pragma GCC unroll 16
        for (int i = 0; i < w; ++i) Wide::store(to + i * row_bytes, r[i]);
      } else {
        for (int i = 0; i < n; ++i) Wide::store(to + i * row_bytes, r[i]);
      }
    }
}

}  // namespace afina::AFINA_ISA
