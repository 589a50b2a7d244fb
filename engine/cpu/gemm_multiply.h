// One matrix multiplication: which part of it is packed and multiplied when, and by which thread.
#pragma once
#include "engine/bf16_sums.h"
#include "engine/cpu/gemm_amx.h"
#include "engine/cpu/gemm_parts.h"
#include "engine/cpu/gemm_rows.h"
#include "engine/scratch.h"
#include "engine/threads.h"

namespace afina::AFINA_ISA {
namespace {

template <class Kind>
struct Multiply {
  const Gemm& g;
  const bool strips;   // is A packed in strips, or by rows?
  const bool b_ready;  // can panels of B be read as they lie?
  int threads = 1;
  Term<Kind> t1, t2;

  explicit Multiply(const Gemm& gemm)
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
           in_lines && g.ldb % 256 != 0 && (uintptr_t)g.b % 64 == 0;
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
  [[gnu::always_inline]] void each(int64_t n, F&& f) const {
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

  // ---- Packing ----

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

  void pack_chunk(Chunk& c, bool pack_b, bool pack_a) const {
    const int64_t units = c.u1 - c.u0, units2 = c.ends ? t2.units : 0, columns = c.n1 - c.n0;
    const int64_t panels = up(columns, panel_width), rows = c.m1 - c.m0,
                  row_blocks = up(rows, block_rows);
    const int64_t bytes_a = left_bytes(t1, rows, units), bytes_a2 = left_bytes(t2, rows, units2);
    char* to_a =
        bytes_a + bytes_a2 ? (char*)scratch(shared_a, size_t(bytes_a + bytes_a2)) : nullptr;
    c.a = left(t1, to_a, c.m0, c.u0, units);
    c.a2 = left(t2, to_a + bytes_a, c.m0, 0, units2);
    // In equal pieces of some ten microseconds, so that no thread waits long for another.
    const int64_t group =
        t1.b.along ? 1 : 16;  // rows of memory that are k are read in longer pieces
    const int64_t pieces = most(1, up(units, t1.b.along ? split_units : split_units / 4)),
                  piece_b = most(1, up(up(units, pieces), 16)) * 16;
    const int64_t groups = g.packed_b ? 0 : up(panels - c.first_packed, group),
                  splits = up(units, piece_b), groups2 = up(panels, group);
    const int64_t items_b = pack_b ? groups * splits : 0, items_b2 = pack_b && units2 ? groups2 : 0;
    const int64_t splits_a = most(1, up(units, split_units)),
                  items_a = to_a && pack_a ? row_blocks * splits_a : 0;
    char *to_b = (char*)c.b, *to_b2 = (char*)c.b2;
    each(items_b + items_b2 + items_a, [&](int64_t item) {
      if (item < items_b) {
        const int64_t p = c.first_packed + item % groups * group, u = item / groups * piece_b;
        return pack_panels(to_b, c.first_packed, c.panel_bytes, t1.b, c, p,
                           least(panels, p + group), u, least(units, u + piece_b));
      }
      if ((item -= items_b) < items_b2)
        return pack_panels(to_b2, 0, panel_width * units2 * 4, t2.b, c, item * group,
                           least(panels, (item + 1) * group), 0, units2);
      item -= items_b2;
      const int64_t i = c.m0 + item / splits_a * block_rows, i1 = least(c.m1, i + block_rows),
                    u = c.u0 + item % splits_a * split_units;
      pack_left(t1, c.a, c.m0, i, i1, c.u0, u, least(c.u1, u + split_units));
      if (u == c.u0) pack_left(t2, c.a2, c.m0, i, i1, 0, 0, units2);
    });
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
    const int64_t first = &b == &t1.b ? c.u0 : 0, step = b.along ? u1 - u0 : rows_at_once;
    for (int64_t u = u0; u < u1; u += step)
      for (int64_t p = p0; p < p1; ++p) {
        const int64_t j = c.n0 + p * panel_width, w = least(panel_width, c.n1 - j);
        const int wide = units_wide<Kind>(int(w));
        pack_panel<Kind>(to + (p - first_panel) * panel_bytes + u * wide * 4, wide, b, j, w,
                         first + u, first + least(u1, u + step));
      }
  }

  // ---- The two ways through ----

  void multiply_chunk(const Chunk& c) const {
    const int64_t panels = up(c.n1 - c.n0, panel_width), rows = c.m1 - c.m0;
    int64_t parts = threads == 1 ? 1 : most(1, least(up(16 * threads, panels), rows / 48));
    if (g.out == Dtype::bf16 && !c.sums)
      parts = most(parts, up(rows, 256));  // the sums of a part stay in the cache
    const int64_t units = c.u1 - c.u0;
    if (narrow_tiles) parts = most(parts, up(rows * units, part_units));
    constexpr int64_t whole = Kind::in_blocks ? 32 : strip;  // rows
    // As many for each thread, at least four strips each, and no part a strip more than it must be.
    const int64_t in_all = up(rows, whole);
    if (parts > 1) parts = most(1, least(up(parts, threads) * threads, in_all / 4));
    if (parts > threads) parts = parts / threads * threads;
    auto first_row = [&](int64_t part) { return least(rows, in_all * part / parts * whole); };
    // Few panels, whole: each thread takes as many as the others, and of those that remain a share
    // of the rows.
    const int64_t remain = parts == 1 && panels < 8 * threads ? panels % threads : 0,
                  own = panels / threads, all = own + remain;
    const int64_t share = up(up(rows, threads), whole) * whole;
    each(remain ? threads * all : panels * parts, [&](int64_t item) {
      if (!remain)
        return multiply_part(c, item % panels, first_row(item / panels),
                             first_row(item / panels + 1));
      const int64_t thread = item / all, q = item % all;
      if (q < own) return multiply_part(c, thread * own + q, 0, rows);
      multiply_part(c, panels - remain + q - own, least(rows, thread * share),
                    least(rows, (thread + 1) * share));
    });
  }
  // The chunk's panel p, rows from i0 to i1 of the chunk's.
  void multiply_part(const Chunk& c, int64_t p, int64_t i0, int64_t i1) const {
    if (i0 == i1) return;
    const int64_t j = c.n0 + p * panel_width;
    const int w = int(least(panel_width, c.n1 - j)), wide = units_wide<Kind>(w);
    int64_t ld;
    float* sums = sums_of(c, c.m0 + i0, j, i1 - i0, &ld);
    const Right b =
        p < c.first_packed
            ? Right{t1.b.template at<Kind>(j) + c.u0 * t1.b.ld, t1.b.ld}
            : Right{c.b + (p - c.first_packed) * c.panel_bytes + (g.packed_b ? c.u0 * wide * 4 : 0),
                    wide * 4};
    block(c, j, w, b, c.b2 + p * panel_width * t2.units * 4, c.m0 + i0, c.m0 + i1, sums, ld);
  }

  // Of k, packed at a time.
  int64_t units_at_once(bool a_packed) const {
    if (!narrow_tiles || g.out == Dtype::bf16) return most(1, least(t1.units, chunk_units));
    const int64_t chunks = up(t1.units, a_packed ? narrow_chunk_units : block_units);
    return most(
        1, least(t1.units, up(up(t1.units, most(1, chunks)), Kind::together) * Kind::together));
  }

  // Large: chunks of B (and of A where it must be rearranged) are packed by all threads, then
  // multiplied by all.
  void in_chunks() const {
    const bool a_packed = left_bytes(t1, g.m, t1.units) + left_bytes(t2, g.m, t2.units) > 0;
    const int64_t ku = g.packed_b && !narrow_tiles ? most(1, t1.units) : units_at_once(a_packed);
    const bool several = t1.units > ku;
    const int64_t nc =
        g.packed_b ? g.n : least(g.n, most(1, chunk_size / ku / panel_width) * panel_width);
    const int64_t size_a = narrow_tiles ? least(chunk_size, threads * part_units) : chunk_size;
    const int64_t mc = a_packed ? least(g.m, most(1, size_a / ku / (8 * strip)) * 8 * strip) : g.m;
    auto chunk = [&](int64_t n0, int64_t u0, bool pack_a) {
      Chunk c;
      c.n0 = n0;
      c.n1 = least(g.n, n0 + nc);
      c.u0 = u0;
      c.u1 = least(t1.units, u0 + ku);
      c.begins = u0 == 0;
      c.ends = c.u1 == t1.units;
      const int64_t wide = up(c.n1 - c.n0, panel_width) * panel_width,
                    units2 = c.ends ? t2.units : 0;
      // Packed here, panels are apart by what is no power of two, so that a cache holds the same
      // place of several.
      c.panel_bytes =
          g.packed_b ? panel_width * t1.units * 4 : panel_width * (c.u1 - c.u0) * 4 + 256;
      c.first_packed = b_ready ? whole_panels(c.n1 - c.n0) : 0;
      const int64_t size_b =
          g.packed_b ? 0 : (up(c.n1 - c.n0, panel_width) - c.first_packed) * c.panel_bytes;
      char* b = size_b + wide * units2
                    ? (char*)scratch(shared_b, size_t(size_b + wide * units2 * 4))
                    : nullptr;
      c.b = g.packed_b ? (const char*)g.packed_b : b;
      c.b2 = b + size_b;
      for (int64_t m0 = 0; m0 < g.m; m0 += mc) {
        c.m0 = m0;
        c.m1 = least(g.m, m0 + mc);
        if (several && g.out == Dtype::bf16) {
          c.ld_sums = nc;
          c.sums = (float*)scratch(shared_sums, size_t(g.m * nc) * 4) + m0 * nc;
        }
        pack_chunk(c, m0 == 0 && (units2 || !g.packed_b), pack_a);
        multiply_chunk(c);
      }
    };
    if (a_packed && mc == g.m && g.out == Dtype::f32) {  // A's stretch of k serves all columns
      for (int64_t u0 = 0; u0 == 0 || u0 < t1.units; u0 += ku)
        for (int64_t n0 = 0; n0 < g.n; n0 += nc) chunk(n0, u0, n0 == 0);
      return;
    }
    for (int64_t n0 = 0; n0 < g.n; n0 += nc)
      for (int64_t u0 = 0; u0 == 0 || u0 < t1.units; u0 += ku) chunk(n0, u0, true);
  }

  // All of k for R rows and the columns of a vector from j on, B stored (n, k).
  template <int R>
  void rows_of(const Left& a, const Left& a2, int64_t j) const {
    const int n = int(least(Wide::width, g.n - j));
    Wide::F acc[R];
    for (int q = 0; q < R; ++q)
      acc[q] = g.accumulate ? Wide::load_part((float*)g.c + q * g.ldc + j, n) : Wide::zero();
#pragma GCC unroll 1
    for (const Term<Kind>* t = &t1; t; t = t == &t1 && g.k2 ? &t2 : nullptr) {  // compiled once
      const Left& left = t == &t1 ? a : a2;
      add_rows<Kind>(acc, left.data, left.row_bytes, t->b.template at<Kind>(j), t->b.ld, n,
                     t == &t1 ? g.k : g.k2);
    }
    for (int q = 0; q < R; ++q) {
      if (g.bias) acc[q] = Wide::add(acc[q], Wide::load_part((const float*)g.bias + j, n));
      if (g.out == Dtype::bf16) Wide::store_bf16((uint16_t*)g.c + q * g.ldc + j, acc[q], n);
      else Wide::store_part((float*)g.c + q * g.ldc + j, acc[q], n);
    }
  }

  // Columns of a panel, so that the last threads do not wait long for the first.
  int64_t even_width() const {
    int64_t best = panel_width;
    auto longest = [&](int64_t width) { return up(up(g.n, width), threads) * width; };
    for (int64_t vectors = wide_vectors - 1; vectors >= 2; --vectors)
      if (longest(vectors * Wide::width) < longest(best)) best = vectors * Wide::width;
    return best;
  }

  // Few rows of A: what is packed of B is used at once by the same thread, out of its first cache.
  void streamed() const {
    const int64_t bytes = left_bytes(t1, g.m, t1.units), bytes2 = left_bytes(t2, g.m, t2.units);
    char* to_a = bytes + bytes2 ? (char*)scratch(shared_a, size_t(bytes + bytes2)) : nullptr;
    const Left a = left(t1, to_a, 0, 0, t1.units), a2 = left(t2, to_a + bytes, 0, 0, t2.units);
    const int64_t splits = up(t1.units, split_units);
    if (bytes)
      each(splits, [&](int64_t s) {
        pack_left(t1, a, 0, 0, g.m, 0, s * split_units, least(t1.units, (s + 1) * split_units));
      });
    pack_left(t2, a2, 0, 0, g.m, 0, 0, t2.units);
    if constexpr (!Kind::in_blocks) {
      if (g.tb && !g.ta && g.m <= most_rows)
        return each(up(g.n, Wide::width), [&](int64_t p) {
          const int64_t j = p * Wide::width;
          if (g.m == 1) rows_of<1>(a, a2, j);
          else if (g.m == 2) rows_of<2>(a, a2, j);
          else if (g.m == 3) rows_of<3>(a, a2, j);
          else rows_of<4>(a, a2, j);
        });
    }
    const int64_t width = even_width();
    each(up(g.n, width), [&](int64_t p) {
      const int64_t j = p * width, w = least(width, g.n - j);
      const int wide = units_wide<Kind>(int(w));
      char* b = (char*)scratch(own_b, size_t(panel_width * (stream_units + t2.units)) * 4);
      char* b2 = b + panel_width * stream_units * 4;
      Chunk c;
      c.m1 = g.m;
      c.n0 = 0;
      c.n1 = g.n;
      c.a2 = a2;
      int64_t ld;
      float* sums = sums_of(c, 0, j, g.m, &ld);
      if (t2.units) pack_panel<Kind>(b2, wide, t2.b, j, w, 0, t2.units);
      for (int64_t u = 0; u == 0 || u < t1.units; u += stream_units) {
        c.u0 = u;
        c.u1 = least(t1.units, u + stream_units);
        c.begins = u == 0;
        c.ends = c.u1 == t1.units;
        c.a = a;
        if (a.data) c.a.data = a.strip_bytes ? a.data + u * strip * 4 : a.data + u * 4;
        const bool ready = b_ready ? wide == w : Kind::bytes == 4 && !g.tb && w == panel_width;
        if (t1.units && !ready) pack_panel<Kind>(b, wide, t1.b, j, w, c.u0, c.u1);
        const Right right =
            ready ? Right{t1.b.template at<Kind>(j) + c.u0 * t1.b.ld, t1.b.ld} : Right{b, wide * 4};
        block(c, j, int(w), right, b2, 0, g.m, sums, ld);
      }
    });
  }

  // So little of B that every thread packs all of it for itself, and A as it lies: one loop, in
  // which each thread takes its share of rows.
  bool little_b() const {
    return threads > 1 && !Kind::in_blocks && !g.packed_b && !b_ready && !g.k2 && t1.units &&
           t1.a_lies_ready && t1.units * g.n <= little_units && g.m * g.n * g.k <= little_work;
  }
  void by_rows() const {
    const int64_t panels = up(g.n, panel_width), share = up(up(g.m, threads), strip) * strip;
    each(up(g.m, share), [&](int64_t thread) {
      Chunk c;
      c.m1 = g.m;
      c.n1 = g.n;
      c.u1 = t1.units;
      c.begins = c.ends = true;
      c.a = left(t1, nullptr, 0, 0, t1.units);
      c.panel_bytes = panel_width * t1.units * 4;
      char* b = (char*)scratch(own_b, size_t(panels * c.panel_bytes));
      c.b = b;
      pack_panels(b, 0, c.panel_bytes, t1.b, c, 0, panels, 0, t1.units);
      constexpr int64_t rows = 16 * strip;  // whose sums stay in the first cache
      const int64_t end = least(g.m, (thread + 1) * share);
      for (int64_t i = thread * share; i < end; i += rows)
        for (int64_t p = 0; p < panels; ++p) multiply_part(c, p, i, least(end, i + rows));
    });
  }

  void run() const {
    if (g.m <= stream_rows && !g.packed_b) streamed();
    else if (little_b()) by_rows();
    else in_chunks();
  }
};

}  // namespace
}  // namespace afina::AFINA_ISA
