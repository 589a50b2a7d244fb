// Gradients of attention: computes probabilities and their gradients one block of queries after
// another. Sums for keys and values run over queries in order, one head of a group after another,
// whichever thread adds.
#include "engine/cpu/attention_heads.h"
#include "engine/cpu/attention_tiles_backward.h"

namespace afina::AFINA_ISA {

static constexpr int64_t block =
    64;  // queries or keys per block; even, so that pairs of bf16 never cross blocks

// Sums and workspace of the backward pass for one key head.
template <class T>
struct Slopes {
  using S = sum_of<T>;
  const T *dout, *o;
  T *dq, *dk, *dv;
  S *sum_k, *sum_v;  // (S, dim) of one key head, in scratch memory
};

// Queries t0 .. t1 of one document, with the probabilities of the `width` keys from `start` on and
// the gradients of their scores.
template <class T>
struct Block {
  int64_t t0, t1, start, width, ld;
  T *p, *ds;
};

// Turns scores into probabilities p, and dp into ds = p (dp - Σ dO · O) scale. Zeros from `seen` to
// `width`. cap: of the scores, 0 for none.
template <class T, class S>
AFINA_INLINE void slope_row(T* p, T* ds, const S* s, const S* dp, int64_t seen, int64_t width,
                            S scale, S cap, S log_sum, S along) {
  using V = vector_of<T>;
  V by = scale, less = -log_sum, minus = along;
  if (cap > S(0)) {
    V inner = scale / cap, most = cap;
    columns16(seen, [=](int64_t i, int n) {
      V t = math::tanh(take(s + i, n) * inner), e = math::exp(v_fma(t, most, less)),
        d = e * (take(dp + i, n) - minus) * (V(1.f) - t * t) * by;
      put(p + i, e, n);
      put(ds + i, d, n);
    });
  } else {
    columns16(seen, [=](int64_t i, int n) {
      V e = math::exp(v_fma(take(s + i, n), by, less)), d = e * (take(dp + i, n) - minus) * by;
      put(p + i, e, n);
      put(ds + i, d, n);
    });
  }
  for (int64_t i = seen; i < width; ++i) {
    p[i] = T{};
    ds[i] = T{};
  }
}

// Computes a block's p and ds and writes dq. Without buffers for p and ds it uses this thread's
// scratch memory.
template <class T>
static void slopes_of(const Heads<T>& x, const Slopes<T>& d, int64_t b, int64_t h, Block<T>& q) {
  using S = sum_of<T>;
  using V = vector_of<T>;
  int64_t count = q.t1 - q.t0, width = q.width, dim = x.dim, kv = h / x.group,
          ld = x.row_space(width);
  int64_t ldq = x.heads * dim, ldk = x.kv_heads * dim;
  S* s = static_cast<S*>(scratch(scratch_scores, size_t(count * ld) * sizeof(S)));
  S* dp = static_cast<S*>(scratch(scratch_slopes, size_t(count * ld) * sizeof(S)));
  if (!q.p) {
    q.ld = ld;
    q.p = (T*)s;
    q.ds = (T*)dp;
    if constexpr (!std::is_same_v<T, S>) {
      q.p = static_cast<T*>(scratch(scratch_weights, size_t(count * ld) * sizeof(T)));
      q.ds = static_cast<T*>(scratch(scratch_slopes_rounded, size_t(count * ld) * sizeof(T)));
    }
  }
  const T *q_rows = x.q + x.query(b, q.t0, h), *dout = d.dout + x.query(b, q.t0, h),
          *o = d.o + x.query(b, q.t0, h);
  const T *k = x.k + x.key(b, q.start, kv), *v = x.v + x.key(b, q.start, kv);
  gemm(small_product(count, width, dim, q_rows, ldq, false, k, ldk, true, s, ld, x.sums, false));
  gemm(small_product(count, width, dim, dout, ldq, false, v, ldk, true, dp, ld, x.sums, false));
  for (int64_t r = 0; r < count; ++r) {
    V sum = 0.f;
    columns16(dim, [&](int64_t i, int n) {
      sum = v_fma(take(dout + r * ldq + i, n), take(o + r * ldq + i, n), sum);
    });
    S log_sum = x.lse[(b * x.T_ + q.t0 + r) * x.heads + h];
    int64_t skip = x.first(b, q.t0 + r) - q.start;
    T *p = q.p + r * q.ld, *ds = q.ds + r * q.ld;
    slope_row(p + skip, ds + skip, s + r * ld + skip, dp + r * ld + skip,
              x.position(q.t0 + r) + 1 - q.start - skip, width - skip, x.scale, x.cap, log_sum,
              sum_lanes<S>(sum));
    for (int64_t i = 0; i < skip; ++i) p[i] = ds[i] = T{};
  }
  gemm(small_product(count, dim, width, q.ds, q.ld, false, k, ldk, false,
                     d.dq + x.query(b, q.t0, h), ldq, x.in, false));
}

// Adds a block's contribution to the gradients of keys and values from .. to.
template <class T>
static void add_block(const Heads<T>& x, const Slopes<T>& d, int64_t b, int64_t h,
                      const Block<T>& q, int64_t from, int64_t to) {
  if (from < q.start) from = q.start;
  if (to > q.start + q.width) to = q.start + q.width;
  if (from >= to) return;
  int64_t count = q.t1 - q.t0, dim = x.dim, ldq = x.heads * dim, skip = from - q.start;
  const T *q_rows = x.q + x.query(b, q.t0, h), *dout = d.dout + x.query(b, q.t0, h);
  gemm(small_product(to - from, dim, count, q.p + skip, q.ld, true, dout, ldq, false,
                     d.sum_v + from * dim, dim, x.sums, true));
  gemm(small_product(to - from, dim, count, q.ds + skip, q.ld, true, q_rows, ldq, false,
                     d.sum_k + from * dim, dim, x.sums, true));
}

// The block that starts at query t.
template <class T>
AFINA_INLINE Block<T> block_at(const Heads<T>& x, int64_t b, int64_t t) {
  int64_t end = x.run_end(b, t, t + block < x.T_ ? t + block : x.T_),
          start = x.first_of_block(b, t);
  return {t, end, start, x.position(end - 1) + 1 - start, 0, nullptr, nullptr};
}

template <class T>
AFINA_INLINE void begin_sums(const Heads<T>& x, Slopes<T>& d) {
  using S = sum_of<T>;
  size_t bytes = size_t(x.S_ * x.dim) * sizeof(S);
  d.sum_k = static_cast<S*>(scratch(scratch_key_sum, bytes));
  d.sum_v = static_cast<S*>(scratch(scratch_value_sum, bytes));
  memset(d.sum_k, 0, bytes);
  memset(d.sum_v, 0, bytes);
}
template <class T>
AFINA_INLINE void end_sums(const Heads<T>& x, const Slopes<T>& d, int64_t b, int64_t kv) {
  T *dk = d.dk + x.key(b, 0, kv), *dv = d.dv + x.key(b, 0, kv);
  for (int64_t r = 0; r < x.S_; ++r)
    columns16(x.dim, [=](int64_t i, int n) {
      put(dk + r * x.kv_heads * x.dim + i, take(d.sum_k + r * x.dim + i, n), n);
      put(dv + r * x.kv_heads * x.dim + i, take(d.sum_v + r * x.dim + i, n), n);
    });
}

// Backward pass of one key head on the calling thread.
template <class T>
static void backward_alone(const Heads<T>& x, Slopes<T> d, int64_t b, int64_t kv) {
  begin_sums(x, d);
  for (int64_t h = kv * x.group; h < (kv + 1) * x.group; ++h)
    for (int64_t t = 0; t < x.T_;) {
      Block<T> q = block_at(x, b, t);
      slopes_of(x, d, b, h, q);
      add_block(x, d, b, h, q, 0, x.S_);
      t = q.t1;
    }
  end_sums(x, d, b, kv);
}

// Backward pass of one key head on all threads, for when there are too few heads to share.
// Processes a few blocks of queries at a time: first p and ds per block of queries, then the sums
// per block of keys.
template <class T>
static void backward_together(const Heads<T>& x, Slopes<T> d, int64_t b, int64_t kv) {
  constexpr int64_t most = 64;
  Block<T> blocks[most];
  int64_t window = 2 * thread_count() < most ? 2 * thread_count() : most, ld = x.row_space(x.S_);
  size_t bytes = size_t(window * block * ld) * sizeof(T);
  T *p = static_cast<T*>(scratch(scratch_weights, bytes)),
    *ds = static_cast<T*>(scratch(scratch_slopes_rounded, bytes));
  begin_sums(x, d);
  for (int64_t h = kv * x.group; h < (kv + 1) * x.group; ++h)
    for (int64_t t = 0; t < x.T_;) {
      int64_t count = 0;
      for (; count < window && t < x.T_; t = blocks[count++].t1) {
        blocks[count] = block_at(x, b, t);
        blocks[count].ld = ld;
        blocks[count].p = p + count * block * ld;
        blocks[count].ds = ds + count * block * ld;
      }
      parallel_for(count, 1, [&](int64_t i, int64_t end) {
        for (; i < end; ++i)
          slopes_of(x, d, b, h, blocks[count - 1 - i]);  // blocks with the most keys first
      });
      int64_t first = blocks[0].start, last = blocks[count - 1].start + blocks[count - 1].width;
      parallel_for((last - first + block - 1) / block, 1, [&](int64_t j, int64_t end) {
        for (; j < end; ++j)
          for (int64_t i = 0; i < count; ++i)
            add_block(x, d, b, h, blocks[i], first + j * block, first + (j + 1) * block);
      });
    }
  end_sums(x, d, b, kv);
}

static void attention_backward(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout,
                               const Tensor& o, const Tensor& lse, const Tensor& q, const Tensor& k,
                               const Tensor& v, const Tensor& starts, AttentionForm form) {
  with_type(q.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    Heads<T> x(q, k, v, starts, form);
    x.lse = lse.data<sum_of<T>>();
    Slopes<T> d{dout.data<T>(), o.data<T>(), dq.data<T>(), dk.data<T>(),
                dv.data<T>(),   nullptr,     nullptr};
    int64_t tasks = q.shape()[0] * x.kv_heads, threads = thread_count();
    const bool together = tasks % threads && tasks < 4 * threads;
#if defined(AFINA_ATTENTION_TILES)
    if constexpr (!std::is_same_v<T, double>)
      if (by_tiles(x, q.shape()[0])) {
        TiledBackward<T> tiled{x, d.dout, d.o, d.dq, d.dk, d.dv};
        for (int64_t task = 0; together && task < tasks; ++task)
          tiled.together(task / x.kv_heads, task % x.kv_heads);
        if (!together)
          parallel_for(tasks, 1, [=](int64_t begin, int64_t end) {
            for (int64_t task = begin; task < end; ++task)
              tiled.alone(task / x.kv_heads, task % x.kv_heads);
          });
        return;
      }
#endif
    if (together) {
      for (int64_t task = 0; task < tasks; ++task)
        backward_together(x, d, task / x.kv_heads, task % x.kv_heads);
      return;
    }
    parallel_for(tasks, 1, [=](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task)
        backward_alone(x, d, task / x.kv_heads, task % x.kv_heads);
    });
  });
}

REGISTER_CPU(attention_backward, attention_backward);

}  // namespace afina::AFINA_ISA
