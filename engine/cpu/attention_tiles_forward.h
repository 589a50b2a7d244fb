// The forward pass of attention_tiles.h: for a block of queries all scores of their keys, then the
// probabilities, then the output.
#pragma once
#include "engine/cpu/attention_tiles.h"

#if defined(AFINA_ATTENTION_TILES)

namespace afina::AFINA_ISA {

// Queries of one document, of all heads that share a key head: column q * group + head.
template <class T>
struct TiledForward {
  static constexpr int64_t swapped = Unit<T>::swapped;
  using V = f32x16;
  const Heads<T>& x;
  T* o;
  float* lse;
  const float *all_keys, *all_values;  // of this key head as units (S, dim)
  int64_t b, kv, t0, t1;
  int64_t start = 0, width = 0, count = 0, columns = 0;
  int64_t before = 0;  // keys that the first query sees, less one
  float *rows = nullptr, *turned = nullptr, *out = nullptr, *scores = nullptr, *lanes_of = nullptr;

  // Columns before this one do not see key k (from the document's start).
  AFINA_INLINE int64_t unseen(int64_t k) const {
    return k <= before ? 0 : least_of(columns, (k - before) * x.group);
  }
  // The first query of each column's group, and back.
  AFINA_INLINE int64_t query(int64_t column) const {
    return x.query(b, t0 + column / x.group, kv * x.group + column % x.group);
  }

  void begin() {
    start = x.start(b, t0);
    before = x.position(t0) - start;
    width = x.position(t1 - 1) + 1 - start;
    count = t1 - t0;
    columns = count * x.group;
    const int64_t dim = x.dim;
    rows = static_cast<float*>(scratch(scratch_query, size_t(2 * across * dim) * 4));
    turned = rows + across * dim;
    lanes_of = static_cast<float*>(scratch(scratch_slopes_rounded, size_t(18 * across) * 4));
    scores =
        static_cast<float*>(scratch(scratch_scores, size_t(up_to(width, key_block) * across) * 4));
    for (int64_t c = 0; c < across; ++c) {
      // Their order is of no account here: queries are no sum's k. Only a row's columns are
      // swapped.
      float* row = rows + c * dim;
      for (int64_t u = 0; u < dim; u += Wide::width)
        Wide::store(row + u, c < columns
                                 ? Unit<T>::Kind::along((const char*)(x.q + query(c)), u, dim)
                                 : Wide::zero());
    }
    turn_units(turned, rows, dim);
    out = rows;  // the rows are no longer needed
  }

  // Scores of the keys from k0 on, with -inf where a query does not see one; and the greatest of
  // each lane so far.
  [[gnu::noinline]] void score(int64_t k0, float scale) {
    const int64_t n = least_of(key_block, width - k0), even = up_to(n, 1 + swapped),
                  whole = up_to(n, 16), wide = up_to(columns, 16);
    const int64_t dim = x.dim;
    const bool diagonal = k0 + n - 1 > before;
    float* s = scores + k0 * across;
    score_tiles(s, all_keys + (start + k0) * dim, turned, even, wide, dim, diagonal,
                [&](int64_t r) { return unseen(k0 + r); });
    if (x.cap > 0.f)
      for (int64_t r = 0; r < n; ++r) {
        const int64_t from = unseen(k0 + (r ^ swapped));
        cap_scores(s + r * across + from, columns - from, scale, x.cap);
      }
    if (diagonal || n < whole)
      for (int64_t r = 0; r < whole; ++r) {
        const int64_t k = r ^ swapped, none = k < n ? unseen(k0 + k) : wide;
        for (int64_t c = 0; c < none; ++c) s[r * across + c] = -__builtin_inff();
      }
    const float* next = all_keys + (start + k0 + key_block) * dim;
    for (int64_t r = 0; r < least_of(key_block, width - k0 - key_block); ++r)
      fetch(next + r * dim, dim);
    for (int64_t j = 0; j < wide; j += 16)
      for (int64_t lane = 0; lane < 16; ++lane) {
        float* kept = lanes_of + lane * across + j;
        const float* at = s + (lane ^ swapped) * across + j;
        V most = k0 ? load(kept) : load(at);
        for (int64_t r = k0 ? 0 : 16; r < whole; r += 16) most = v_max(most, load(at + r * across));
        store(kept, most);
      }
  }
  // exp of the scaled scores, less the greatest (negated in lanes_of[16]); and their sums by lanes.
  [[gnu::noinline]] void raise(int64_t k0, float scale) {
    const int64_t n = up_to(least_of(key_block, width - k0), 16), wide = up_to(columns, 16);
    float* s = scores + k0 * across;
    const V by = scale;
    for (int64_t j = 0; j < wide; j += 16) {
      const V less = load(lanes_of + 16 * across + j);
      for (int64_t lane = 0; lane < 16; ++lane) {
        float* kept = lanes_of + lane * across + j;
        float* at = s + (lane ^ swapped) * across + j;
        V total = k0 ? load(kept) : V(0.f);
        for (int64_t r = 0; r < n; r += 16) {
          V e = math::exp(v_fma(load(at + r * across), by, less));
          total = total + e;
          store(at + r * across, e);
        }
        store(kept, total);
      }
    }
  }
  // The tree over lanes: the result is lane 0.
  template <class Join>
  AFINA_INLINE void join_lanes(Join join) {
    for (int64_t j = 0; j < up_to(columns, 16); j += 16)
      for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; ++i) {
          float* at = lanes_of + i * across + j;
          store(at, join(load(at), load(at + half * across)));
        }
  }

  // Probabilities of the keys from k0 on, and what they add to the output.
  [[gnu::noinline]] void add(int64_t k0) {
    const int64_t n = least_of(key_block, width - k0), even = up_to(n, 1 + swapped),
                  wide = up_to(columns, 16), dim = x.dim;
    float* s = scores + k0 * across;
    for (int64_t r = 0; r < even; ++r) {
      fetch(all_values + (start + k0 + r) * dim, dim);
      for (int64_t j = 0; j < wide; j += 16) {
        float* at = s + r * across + j;
        store(at, rounded<T>(load(at) * load(lanes_of + 17 * across + j)));
      }
    }
    TileProduct p{s, all_values + (start + k0) * dim, out, 0, dim, dim, even, k0 > 0};
    if (k0 + n - 1 <= before) return multiply_tiles<across>(p, up_to(columns, 6), dim);
    for (int64_t c = 0; c < columns; c += 6) {
      const int64_t last = least_of(c + 5, columns - 1) / x.group,
                    seen = up_to(least_of(n, before + last + 1 - k0), 1 + swapped);
      if (seen <= 0) continue;
      p.a = s + c;
      p.c = out + c * dim;
      p.units = seen;
      multiply_tiles<across>(p, 6, dim);
    }
  }

  void run() {
    begin();
    const float given = x.scale, scale = x.cap > 0.f ? 1.f : given;
    for (int64_t k = 0; k < width; k += key_block) score(k, given);
    join_lanes([](V a, V c) { return v_max(a, c); });
    float *less = lanes_of + 16 * across, *inverse = lanes_of + 17 * across;
    for (int64_t j = 0; j < up_to(columns, 16); j += 16)
      store(less + j, -(load(lanes_of + j) * V(scale)));
    for (int64_t k = 0; k < width; k += key_block) raise(k, scale);
    join_lanes([](V a, V c) { return a + c; });
    for (int64_t c = 0; c < columns; ++c) {
      const float sum = lanes_of[c];
      inverse[c] = 1.f / sum;
      lse[(b * x.T_ + t0 + c / x.group) * x.heads + kv * x.group + c % x.group] =
          -less[c] + math::log(sum);
    }
    for (int64_t c = columns; c < up_to(columns, 16); ++c) inverse[c] = 0.f;
    for (int64_t k = 0; k < width; k += key_block) add(k);
    for (int64_t c = 0; c < columns; ++c) from_units(o + query(c), out + c * x.dim, x.dim);
  }
};

// All of a call: so many key heads at a time that their keys and values as units take few MiB.
template <class T>
static void attend_by_tiles(const Heads<T>& x, T* o, float* lse, int64_t sequences) {
  const int64_t queries = across / x.group, blocks = (x.T_ + queries - 1) / queries,
                rows = up_to(x.S_, 2), part = rows * x.dim, heads = sequences * x.kv_heads,
                fit = (int64_t(1) << 20) / (2 * part), at_once = least_of(heads, fit > 1 ? fit : 1);
  float* units = static_cast<float*>(scratch(scratch_value_sum, size_t(2 * at_once * part) * 4));
  for (int64_t first = 0; first < heads; first += at_once) {
    const int64_t count = least_of(at_once, heads - first), pieces = (rows + 127) / 128;
    parallel_for(count * pieces, 1, [&](int64_t i, int64_t end) {
      for (; i < end; ++i) {
        const int64_t head = first + i / pieces, r = i % pieces * 128, b = head / x.kv_heads,
                      kv = head % x.kv_heads, ld = x.kv_heads * x.dim;
        float* to = units + (i / pieces * 2) * part + r * x.dim;
        const int64_t padded = least_of(128, rows - r);
        to_units(to, x.k + x.key(b, r, kv), ld, x.S_ - r, padded, x.dim);
        to_units(to + part, x.v + x.key(b, r, kv), ld, x.S_ - r, padded, x.dim);
      }
    });
    parallel_for(count * blocks, 1, [&](int64_t i, int64_t end) {
      for (; i < end; ++i) {
        const int64_t head = first + i / blocks, b = head / x.kv_heads, t0 = i % blocks * queries,
                      last = least_of(x.T_, t0 + queries);
        const float* keys = units + (i / blocks * 2) * part;
        for (int64_t t = t0; t < last;) {
          const int64_t next = x.run_end(b, t, last);
          TiledForward<T> block{x, o, lse, keys, keys + part, b, head % x.kv_heads, t, next};
          block.run();
          t = next;
        }
      }
    });
  }
}

}  // namespace afina::AFINA_ISA
#endif
