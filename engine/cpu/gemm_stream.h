// Matrix multiplications of few rows: each thread packs what it needs of B and uses it at once, out
// of its first cache; B as the weight of a linear layer passes through the registers unpacked.
#pragma once
#include "engine/cpu/gemm_left.h"

namespace afina::AFINA_ISA {
namespace {

template <class Kind>
struct Streamed : Prepared<Kind> {
  using Base = Prepared<Kind>;
  using Base::Base, Base::g, Base::strips, Base::b_ready, Base::threads, Base::t1, Base::t2;
  using Base::each, Base::block, Base::sums_of, Base::left, Base::left_bytes, Base::pack_left,
      Base::unpacked;

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
      if (t == &t1 && g.blocks) {
        for (int64_t u = 0; u < t1.units; u += stream_units_of_blocks) {
          const Operand part = unpacked(j, j + n, u, least(t1.units, u + stream_units_of_blocks));
          add_rows<Kind>(acc, left.data + u * 4, left.row_bytes, part.data, part.ld, n, part.k);
        }
        continue;
      }
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
    const int64_t width = even_width(), stretch = g.blocks ? stream_units_of_blocks : stream_units;
    each(up(g.n, width), [&](int64_t p) {
      const int64_t j = p * width, w = least(width, g.n - j);
      const int wide = units_wide<Kind>(int(w));
      char* b = (char*)scratch(own_b, size_t(panel_width * (stretch + t2.units)) * 4);
      char* b2 = b + panel_width * stretch * 4;
      Chunk c;
      c.m1 = g.m;
      c.n0 = 0;
      c.n1 = g.n;
      c.a2 = a2;
      int64_t ld;
      float* sums = sums_of(c, 0, j, g.m, &ld);
      if (t2.units) pack_panel<Kind>(b2, wide, t2.b, j, w, 0, t2.units);
      for (int64_t u = 0; u == 0 || u < t1.units; u += stretch) {
        c.u0 = u;
        c.u1 = least(t1.units, u + stretch);
        c.begins = u == 0;
        c.ends = c.u1 == t1.units;
        c.a = a;
        if (a.data) c.a.data = a.strip_bytes ? a.data + u * strip * 4 : a.data + u * 4;
        const bool ready =
            !g.blocks && (b_ready ? wide == w : Kind::bytes == 4 && !g.tb && w == panel_width);
        if (t1.units && g.blocks)
          pack_panel<Kind>(b, wide, unpacked(j, j + w, c.u0, c.u1), 0, w, 0, c.u1 - c.u0);
        else if (t1.units && !ready) pack_panel<Kind>(b, wide, t1.b, j, w, c.u0, c.u1);
        const Right right =
            ready ? Right{t1.b.template at<Kind>(j) + c.u0 * t1.b.ld, t1.b.ld} : Right{b, wide * 4};
        block(c, j, int(w), right, b2, 0, g.m, sums, ld);
      }
    });
  }
};

}  // namespace
}  // namespace afina::AFINA_ISA
