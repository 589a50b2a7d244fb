// The backward pass of attention_tiles.h. A row of work is a block of queries of one head and goes
// through its keys block by block; probabilities and their gradients never leave the cache. The
// sums for keys run over rows of work in order, those for queries over keys: where threads share a
// key head, a row follows the row before it at the distance of a block.
#pragma once
#include <immintrin.h>
#if defined(__unix__)
#include <sched.h>
#endif

#include "engine/cpu/attention_tiles.h"

#if defined(AFINA_ATTENTION_TILES)

namespace afina::AFINA_ISA {

// What a sequence's key head needs: keys, values and their gradients' sums as units (S, dim), and
// the blocks of queries, the same for each head of the group.
struct TiledHead {
  float *keys, *values, *sum_k, *sum_v;
  int64_t *begins, *ends;  // queries of each block
  int64_t blocks;
  int64_t* progress;  // of each row of work: keys before this one are done; null: one thread alone
};

template <class T>
struct TiledBackward {
  static constexpr int64_t swapped = Unit<T>::swapped;
  using V = f32x16;
  const Heads<T>& x;
  const T *dout, *o;
  T *dq, *dk, *dv;

  // Memory for a key head; the calling thread's.
  TiledHead head(bool shared) const {
    TiledHead h;
    const size_t part = size_t(up_to(x.S_, 2) * x.dim);
    h.keys = static_cast<float*>(scratch(scratch_value_sum, 2 * part * 4));
    h.values = h.keys + part;
    h.sum_k = static_cast<float*>(scratch(scratch_key_sum, 2 * part * 4));
    h.sum_v = h.sum_k + part;
    h.begins = static_cast<int64_t*>(
        scratch(scratch_slopes_rounded, size_t((2 + x.group) * x.T_) * sizeof(int64_t)));
    h.ends = h.begins + x.T_;
    h.progress = shared ? h.ends + x.T_ : nullptr;
    return h;
  }
  void find_blocks(TiledHead& h, int64_t b) const {
    h.blocks = 0;
    for (int64_t t = 0; t < x.T_; t = h.ends[h.blocks++]) {
      h.begins[h.blocks] = t;
      h.ends[h.blocks] = x.run_end(b, t, least_of(x.T_, t + across));
    }
    if (h.progress) memset(h.progress, 0, size_t(h.blocks * x.group) * sizeof(int64_t));
  }
  // Keys and values from r0 to r1 (whole pairs) as units; their sums begin at zero.
  void begin_keys(const TiledHead& h, int64_t b, int64_t kv, int64_t r0, int64_t r1) const {
    const int64_t ld = x.kv_heads * x.dim, n = x.S_ - r0, padded = up_to(r1 - r0, 1 + swapped);
    to_units(h.keys + r0 * x.dim, x.k + x.key(b, r0, kv), ld, n, padded, x.dim);
    to_units(h.values + r0 * x.dim, x.v + x.key(b, r0, kv), ld, n, padded, x.dim);
    const size_t bytes = size_t(padded * x.dim) * 4;
    memset(h.sum_k + r0 * x.dim, 0, bytes);
    memset(h.sum_v + r0 * x.dim, 0, bytes);
  }
  void end_keys(const TiledHead& h, int64_t b, int64_t kv, int64_t r0, int64_t r1) const {
    for (int64_t r = r0; r < r1; ++r) {
      const int64_t at = (r ^ swapped) * x.dim;
      from_units(dk + x.key(b, r, kv), h.sum_k + at, x.dim);
      from_units(dv + x.key(b, r, kv), h.sum_v + at, x.dim);
    }
  }

  static void wait_for(const int64_t* progress, int64_t keys) {
    for (int64_t spins = 0; __atomic_load_n(progress, __ATOMIC_ACQUIRE) < keys; ++spins) {
      _mm_pause();
#if defined(__unix__)
      if (spins > 1000) sched_yield();  // the other thread may wait for this core
#endif
    }
  }

  // P and dS from the scores and dP of n keys: one pass over columns from `first` on.
  [[gnu::noinline]] void slopes(float* s, float* dp, const float* less, const float* along,
                                int64_t n, int64_t first, int64_t columns) const {
    const V by = x.scale, inner = x.cap > 0.f ? x.scale / x.cap : 0.f, most = x.cap;
    for (int64_t j = first; j < columns; j += 16) {
      const V down = load(less + j), minus = load(along + j);
      for (int64_t r = 0; r < n; ++r) {
        float *at = s + r * across + j, *slope = dp + r * across + j;
        if (x.cap > 0.f) {
          V t = math::tanh(load(at) * inner), e = math::exp(v_fma(t, most, down));
          store(slope, rounded<T>(e * (load(slope) - minus) * (V(1.f) - t * t) * by));
          store(at, rounded<T>(e));
        } else {
          V e = math::exp(v_fma(load(at), by, down));
          store(slope, rounded<T>(e * (load(slope) - minus) * by));
          store(at, rounded<T>(e));
        }
      }
    }
  }

  // Row of work number `row` of a key head.
  void work(const TiledHead& head, int64_t b, int64_t kv, int64_t row) const {
    const int64_t h = kv * x.group + row / head.blocks, t0 = head.begins[row % head.blocks],
                  t1 = head.ends[row % head.blocks], dim = x.dim, count = t1 - t0,
                  even = up_to(count, 1 + swapped), columns = up_to(count, 16),
                  start = x.start(b, t0), before = x.position(t0) - start,
                  width = x.position(t1 - 1) + 1 - start, ldq = x.heads * dim;
    const size_t part = size_t(across * dim);
    float *q = static_cast<float*>(scratch(scratch_query, 5 * part * 4 + 2 * across * 4)),
          *q_turned = q + part, *slope = q_turned + part, *slope_turned = slope + part,
          *sum = slope_turned + part, *less = sum + part, *along = less + across;
    float *s = static_cast<float*>(scratch(scratch_scores, size_t(2 * key_block * across) * 4)),
          *dp = s + key_block * across;
    to_units(q, x.q + x.query(b, t0, h), ldq, count, across, dim);
    to_units(slope, dout + x.query(b, t0, h), ldq, count, across, dim);
    turn_units(q_turned, q, dim);
    turn_units(slope_turned, slope, dim);
    for (int64_t c = 0; c < across; ++c) {
      const int64_t t = t0 + (c ^ swapped);
      less[c] = -__builtin_inff();
      along[c] = 0.f;
      if (t >= t1) continue;
      less[c] = -x.lse[(b * x.T_ + t) * x.heads + h];
      V total = 0.f;
      const T *a = dout + x.query(b, t, h), *v = o + x.query(b, t, h);
      for (int64_t i = 0; i < dim; i += 16) total = v_fma(load(a + i), load(v + i), total);
      along[c] = sum_lanes<float>(total);
    }
    const int64_t* last = head.progress && row ? head.progress + row - 1 : nullptr;
    int64_t* mine = head.progress ? head.progress + row : nullptr;
    for (int64_t k0 = 0; k0 < width; k0 += key_block) {
      const int64_t n = least_of(key_block, width - k0), n_even = up_to(n, 1 + swapped),
                    at = start + k0;
      if (last) wait_for(last, at + n_even);
      const bool diagonal = k0 + n_even - 1 > before;
      auto unseen = [&](int64_t k) { return k <= before ? 0 : least_of(columns, k - before); };
      score_tiles(s, head.keys + at * dim, q_turned, n_even, columns, dim, diagonal,
                  [&](int64_t r) { return unseen(k0 + r); });
      score_tiles(dp, head.values + at * dim, slope_turned, n_even, columns, dim, diagonal,
                  [&](int64_t r) { return unseen(k0 + r); });
      if (!diagonal) slopes(s, dp, less, along, n_even, 0, columns);
      else
        for (int64_t r = 0; r < n_even; ++r) {
          const int64_t k = r ^ swapped, none = k < n ? least_of(count, unseen(k0 + k)) : columns;
          slopes(s + r * across, dp + r * across, less, along, 1, none / 16 * 16, columns);
          for (int64_t c = 0; c < none; ++c)
            s[r * across + (c ^ swapped)] = dp[r * across + (c ^ swapped)] = 0.f;
        }
      add_keys(head, s, dp, q, slope, at, n_even, even, diagonal,
               [&](int64_t r) { return unseen(k0 + r) / 2 * 2; });
      // dQ.
      TileProduct p{dp, head.keys + at * dim, sum, 0, dim, dim, n_even, k0 > 0};
      if (!diagonal) multiply_tiles<across>(p, up_to(count, 6), dim);
      else
        for (int64_t c = 0; c < count; c += 6) {
          const int64_t seen =
              up_to(least_of(n, before + least_of(c + 6, count) - k0), 1 + swapped);
          if (seen <= 0) continue;
          p.a = dp + c;
          p.c = sum + c * dim;
          p.units = seen;
          multiply_tiles<across>(p, 6, dim);
        }
      if (mine) __atomic_store_n(mine, at + n_even, __ATOMIC_RELEASE);
    }
    for (int64_t c = 0; c < count; ++c)
      from_units(dq + x.query(b, t0 + c, h), sum + (c ^ swapped) * dim, dim);
    constexpr int64_t all = int64_t(1) << 62;
    if (last) wait_for(last, all);
    if (mine) __atomic_store_n(mine, all, __ATOMIC_RELEASE);
  }
  // dV and dK of n keys from key `at` on.
  template <class Seen>
  AFINA_INLINE void add_keys(const TiledHead& head, const float* s, const float* dp, const float* q,
                             const float* slope, int64_t at, int64_t n, int64_t queries,
                             bool diagonal, Seen unseen) const {
    const int64_t dim = x.dim;
    const int64_t step = diagonal ? 6 : n;
    for (int64_t r = 0; r < n; r += step) {
      const int64_t from = diagonal ? unseen(r) : 0, rows = least_of(step, n - r);
      if (from >= queries) return;
      TileProduct p{s + r * across + from,
                    slope + from * dim,
                    head.sum_v + (at + r) * dim,
                    across,
                    dim,
                    dim,
                    queries - from,
                    true};
      multiply_tiles<1>(p, rows, dim);
      p.a = dp + r * across + from;
      p.b = q + from * dim;
      p.c = head.sum_k + (at + r) * dim;
      multiply_tiles<1>(p, rows, dim);
    }
  }

  // One key head on the calling thread.
  void alone(int64_t b, int64_t kv) const {
    TiledHead h = head(false);
    find_blocks(h, b);
    begin_keys(h, b, kv, 0, x.S_);
    for (int64_t row = 0; row < h.blocks * x.group; ++row) work(h, b, kv, row);
    end_keys(h, b, kv, 0, x.S_);
  }
  // One key head on all threads.
  void together(int64_t b, int64_t kv) const {
    TiledHead h = head(true);
    find_blocks(h, b);
    parallel_for(x.S_, key_block, [&](int64_t r0, int64_t r1) { begin_keys(h, b, kv, r0, r1); });
    int64_t next = 0;
    const int64_t rows = h.blocks * x.group;
    parallel_for(thread_count(), 1, [&](int64_t, int64_t) {
      // Rows are begun in order, so that whom a row waits for is at work or done.
      for (int64_t row; (row = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < rows;)
        work(h, b, kv, row);
    });
    parallel_for(x.S_, key_block, [&](int64_t r0, int64_t r1) { end_keys(h, b, kv, r0, r1); });
  }
};

}  // namespace afina::AFINA_ISA
#endif
