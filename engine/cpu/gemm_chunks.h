// Matrix multiplications of many rows: B (and A where it must be rearranged) is packed chunk by
// chunk by all threads, or little of B by every thread for itself.
#pragma once
#include "engine/cpu/gemm_left.h"

namespace afina::AFINA_ISA {
namespace {

template <class Kind>
struct InChunks : Prepared<Kind> {
  using Base = Prepared<Kind>;
  using Base::Base, Base::g, Base::strips, Base::b_ready, Base::threads, Base::t1, Base::t2;
  using Base::each, Base::block, Base::sums_of, Base::left, Base::left_bytes, Base::pack_left;
  using Base::whole_panels, Base::pack_panels;

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
    // A thread's parts, group of panels by group.
    const int64_t per = parts % threads ? parts : parts / threads,
                  group = narrow_tiles
                              ? most(1, least(panels, group_units / panel_width / most(1, units)))
                              : panels;
    each(remain ? threads * all : panels * parts, [&](int64_t item) {
      if (!remain) {
        const int64_t first_part = item / (panels * per) * per, of_thread = item % (panels * per),
                      p0 = of_thread / (group * per) * group, wide = least(group, panels - p0),
                      of_group = of_thread - p0 * per, part = first_part + of_group / wide;
        return multiply_part(c, p0 + of_group % wide, first_row(part), first_row(part + 1));
      }
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
};

}  // namespace
}  // namespace afina::AFINA_ISA
