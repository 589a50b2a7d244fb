// A matrix multiplication made ready: its operands, A as rows or strips, panels of B, and a block
// of C multiplied once both are there.
#pragma once
#include "engine/bf16_sums.h"
#include "engine/cpu/blocks.h"
#include "engine/cpu/gemm_amx.h"
#include "engine/cpu/gemm_parts.h"
#include "engine/cpu/gemm_rows.h"
#include "engine/scratch.h"
#include "engine/threads.h"

namespace afina::AFINA_ISA {
namespace {

template <int bytes>
struct OfBytes;
template <>
struct OfBytes<4> {
  using T = float;
};
template <>
struct OfBytes<2> {
  using T = bf16;
};

template <class Kind>
struct Prepared {
  const Gemm& g;
  const bool strips;   // is A packed in strips, or by rows?
  const bool b_ready;  // can panels of B be read as they lie?
  int threads = 1;
  Term<Kind> t1, t2;

  explicit Prepared(const Gemm& gemm)
      : g(gemm), strips(gemm.ta && !Kind::in_blocks), b_ready(lies_ready(gemm)) {
    threads = g.one_thread || g.m * g.n * (g.k + g.k2) <= little ? 1 : thread_count();
    t1 = term(g.k, g.a, g.lda, g.b, g.ldb);
    if (g.k2) t2 = term(g.k2, g.a2, g.lda2, g.b2, g.ldb2);
  }

  // Rows of f32 along n are panels already. They must begin with a cache's line, or be halves of
  // lines, and not lie apart by what puts too many of them in the same few sets of a cache.
  static bool lies_ready(const Gemm& g) {
    const bool in_lines = g.ldb % 16 == 0 || (g.ldb == Narrow::width && g.n == Narrow::width);
    return Kind::bytes == 4 && !Kind::in_blocks && !narrow_tiles && !g.tb && !g.packed_b &&
           !g.blocks && in_lines && g.ldb % 256 != 0 && (uintptr_t)g.b % 64 == 0;
  }

  Term<Kind> term(int64_t k, const void* a, int64_t lda, const void* b, int64_t ldb) const {
    Term<Kind> t;
    t.a = {(const char*)a, lda * Kind::bytes, k, !g.ta};
    t.b = {(const char*)b, ldb * Kind::bytes, k, g.tb};
    t.units = Kind::units(k);
    t.a_lies_ready = !g.ta && Kind::as_stored && t.units * 4 == k * Kind::bytes;
    return t;
  }

  template <class F>
  AFINA_INLINE void each(int64_t n, F&& f) const {
    if (threads == 1 || n <= 1) {
      for (int64_t i = 0; i < n; ++i) f(i);
    } else {
      parallel_for(n, 1, [&](int64_t i, int64_t end) {
        for (; i < end; ++i) f(i);
      });
    }
  }

  // C's rows i0..i1 of the chunk's columns j..j + w: all k of the chunk. sums: of (i0, j).
  void block(const Chunk& c, int64_t j, int w, Right b, const char* b2, int64_t i0, int64_t i1,
             float* sums, int64_t ld) const {
    const int64_t units = c.u1 - c.u0,
                  size = most(Kind::together,
                              up(up(units, most(1, up(units, Kind::at_a_time))), Kind::together) *
                                  Kind::together),
                  blocks = most(1, up(units, size));
    for (int64_t q = 0; q < blocks; ++q) {
      const int64_t u0 = q * size, u1 = least(units, u0 + size);
      const bool last = c.ends && q == blocks - 1;
      Tile t;
      t.columns = w;
      t.ldc = ld;
      t.ldo = g.ldc;
      t.load = g.accumulate || !c.begins || q > 0;
      t.first.b = b.data + u0 * b.step;
      t.first.step_b = b.step;
      t.first.units = u1 - u0;
      t.first.row_bytes = c.a.row_bytes;
      t.step_first = strips ? c.a.strip_bytes : tile_rows * c.a.row_bytes;
      t.step_second = strips ? c.a2.strip_bytes : tile_rows * c.a2.row_bytes;
      if (last && t2.units)
        t.second = {nullptr, b2, c.a2.row_bytes, units_wide<Kind>(w) * 4, t2.units};
      if (last && g.bias) t.bias = (const float*)g.bias + j;
      for (int64_t i = i0; i < i1;) {
        t.c = sums + (i - i0) * ld;
        if (last && g.out == Dtype::bf16) t.out = (uint16_t*)g.c + i * g.ldc + j;
        t.first.a = c.a.at(i - c.m0, u0);
        if (last && t2.units) t.second.a = c.a2.at(i - c.m0, 0);
        if constexpr (Kind::in_blocks) {
          run_blocks(Kind(), t, i1 - i);
          break;
        } else {
          const int64_t rows =
              strips && strip != tile_rows ? least(i1 - i, strip - (i - c.m0) % strip) : i1 - i;
          using Product = typename Kind::Product;
          i += strips ? run_tile<Product, strip>(t, rows) : run_tile<Product, 1>(t, rows);
        }
      }
    }
  }

  // The f32 sums of rows from i and columns from j on, and their leading dimension.
  float* sums_of(const Chunk& c, int64_t i, int64_t j, int64_t rows, int64_t* ld) const {
    if (g.out == Dtype::f32) {
      *ld = g.ldc;
      return (float*)g.c + i * g.ldc + j;
    }
    if (c.sums) {
      *ld = c.ld_sums;
      return c.sums + (i - c.m0) * c.ld_sums + j - c.n0;
    }
    *ld = panel_width;
    return (float*)scratch(own_sums, size_t(rows * panel_width) * 4);
  }

  static int64_t row_units(int64_t units) {
    return up(units, Wide::width) * Wide::width + 16;
  }  // + 16: rows apart in the cache's sets

  // Bytes that rows m of a term take when made ready.
  int64_t left_bytes(const Term<Kind>& t, int64_t m, int64_t units) const {
    if (!units || t.a_lies_ready) return 0;
    return strips ? up(m, strip) * strip * units * 4 : m * row_units(units) * 4;
  }
  Left left(const Term<Kind>& t, char* ready, int64_t m0, int64_t u0, int64_t units) const {
    if (!units) return {};
    if (t.a_lies_ready) return {t.a.template at<Kind>(m0) + u0 * 4, t.a.ld, 0};
    return strips ? Left{ready, 0, strip * units * 4} : Left{ready, row_units(units) * 4, 0};
  }
  // Makes units u0..u1 of rows i0..i1 ready (i0 - m0: whole strips). `to` begins at row m0 and unit
  // `first`.
  void pack_left(const Term<Kind>& t, const Left& to, int64_t m0, int64_t i0, int64_t i1,
                 int64_t first, int64_t u0, int64_t u1) const {
    if (u0 >= u1 || t.a_lies_ready) return;
    char* at = (char*)to.at(i0 - m0, u0 - first);
    if (!g.ta) return pack_rows<Kind>(at, to.row_bytes, t.a, i0, i1, u0, u1);
    if (!strips) return turn_rows<Kind>(at, to.row_bytes, t.a, i0, i1, u0, u1);
    for (int64_t u = u0; u < u1; u += rows_at_once)
      for (int64_t i = i0; i < i1; i += strip)
        pack_panel<Kind>((char*)to.at(i - m0, u - first), strip, t.a, i, least(strip, i1 - i), u,
                         least(u1, u + rows_at_once));
  }

  // How many panels of B can be read as they lie: all but a last one that a panel's form is wider
  // than.
  static int64_t whole_panels(int64_t columns) {
    const int64_t last = columns % panel_width;
    return columns / panel_width + (last && units_wide<Kind>(int(last)) == last);
  }
  // Units u0..u1 (from the chunk's first) of panels p0..p1; `to` begins with panel `first_panel`.
  void pack_panels(char* to, int64_t first_panel, int64_t panel_bytes, const Operand& b,
                   const Chunk& c, int64_t p0, int64_t p1, int64_t u0, int64_t u1) const {
    if (g.blocks && &b == &t1.b)
      return unpack_panels(to, first_panel, panel_bytes, c, p0, p1, u0, u1);
    const int64_t first = &b == &t1.b ? c.u0 : 0, step = b.along ? u1 - u0 : rows_at_once;
    for (int64_t u = u0; u < u1; u += step)
      for (int64_t p = p0; p < p1; ++p) {
        const int64_t j = c.n0 + p * panel_width, w = least(panel_width, c.n1 - j);
        const int wide = units_wide<Kind>(int(w));
        pack_panel<Kind>(to + (p - first_panel) * panel_bytes + u * wide * 4, wide, b, j, w,
                         first + u, first + least(u1, u + step));
      }
  }

  // Columns j0..j1 and units u0..u1 of B in blocks, in this thread's scratch memory: an operand
  // that begins there, whose units are counted from u0.
  Operand unpacked(int64_t j0, int64_t j1, int64_t u0, int64_t u1) const {
    using T = typename OfBytes<Kind::bytes>::T;
    constexpr int64_t each = Kind::memory / Kind::bytes;  // of k in a unit
    const int64_t k0 = least(g.k, u0 * each), k1 = least(g.k, u1 * each);
    const int64_t rows = g.tb ? j1 - j0 : k1 - k0, columns = g.tb ? k1 - k0 : j1 - j0;
    const int64_t ld = up(columns, 16) * 16 + 16;  // rows apart in the cache's sets
    T* to = (T*)scratch(own_unpacked, size_t(rows * ld) * sizeof(T));
    if (g.tb) unpack_part(unpacking(*g.blocks), j0, j1, k0, k1, to, ld);
    else unpack_part(unpacking(*g.blocks), k0, k1, j0, j1, to, ld);
    return {(const char*)to, ld * Kind::bytes, k1 - k0, g.tb};
  }
  // pack_panels of B in blocks.
  void unpack_panels(char* to, int64_t first_panel, int64_t panel_bytes, const Chunk& c, int64_t p0,
                     int64_t p1, int64_t u0, int64_t u1) const {
    const int64_t step = g.tb ? u1 - u0 : rows_at_once, j0 = c.n0 + p0 * panel_width,
                  j1 = least(c.n1, c.n0 + p1 * panel_width);
    for (int64_t u = u0; u < u1; u += step) {
      const int64_t end = least(u1, u + step);
      const Operand part = unpacked(j0, j1, c.u0 + u, c.u0 + end);
      for (int64_t p = p0; p < p1; ++p) {
        const int64_t j = c.n0 + p * panel_width, w = least(panel_width, c.n1 - j);
        const int wide = units_wide<Kind>(int(w));
        pack_panel<Kind>(to + (p - first_panel) * panel_bytes + u * wide * 4, wide, part, j - j0, w,
                         0, end - u);
      }
    }
  }
};

}  // namespace
}  // namespace afina::AFINA_ISA
