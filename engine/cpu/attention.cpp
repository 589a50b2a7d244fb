// Attention: queries in blocks that share a document, scores by gemm, softmax by rows. Which queries share a block shows in no bit:
// every sum below runs over the keys of one query, or over queries in order.
#include "engine/ops/attention.h"

#include "engine/cpu/gemm.h"
#include "engine/cpu/loops.h"
#include "engine/scratch.h"

namespace afina::AFINA_ISA {

// Queries of a block. Forward, all heads of a group share a product; the backward sums run over queries, so that block must be even for
// bf16 pairs never to straddle blocks.
static constexpr int64_t block = 32, backward_block = 64;

// The tensors of a call, as element pointers with their extents.
template <class T>
struct Heads {
  using S = sum_of<T>;
  const T *q, *k, *v;
  const S* lse = nullptr;
  const int32_t* starts;
  int64_t T_, S_, heads, kv_heads, dim, group;
  S scale;
  Dtype in = dtype_of<T>::value, sums = dtype_of<S>::value;
  AFINA_V Heads(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& first, double by)
      : q(query.data<T>()),
        k(key.data<T>()),
        v(value.data<T>()),
        starts(first.data<int32_t>()),
        T_(query.shape()[1]),
        S_(key.shape()[1]),
        heads(query.shape()[2]),
        kv_heads(key.shape()[2]),
        dim(query.columns()),
        group(heads / kv_heads),
        scale(S(by)) {}
  // Element offset of query t of head h, of key s of its head.
  AFINA_V int64_t query(int64_t b, int64_t t, int64_t h) const { return ((b * T_ + t) * heads + h) * dim; }
  AFINA_V int64_t key(int64_t b, int64_t s, int64_t h) const { return ((b * S_ + s) * kv_heads + h) * dim; }
  AFINA_V int64_t position(int64_t t) const { return S_ - T_ + t; }
  AFINA_V int64_t start(int64_t b, int64_t t) const { return starts[b * T_ + t]; }
  // The end of the run of queries from t on, at most `limit`, that begin to see at the same place.
  AFINA_V int64_t run_end(int64_t b, int64_t t, int64_t limit) const {
    int64_t end = t + 1;
    while (end < limit && start(b, end) == start(b, t)) ++end;
    return end;
  }
};

// A product of this thread: C (m, n) = [C +] A · B.
template <class T>
AFINA_V Gemm small_product(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, bool ta, const T* b, int64_t ldb, bool tb, void* c,
                           int64_t ldc, Dtype out, bool accumulate) {
  Gemm g;
  g.m = m, g.n = n, g.k = k, g.a = a, g.b = b, g.c = c, g.lda = lda, g.ldb = ldb, g.ldc = ldc, g.ta = ta, g.tb = tb;
  g.in = dtype_of<T>::value, g.out = out, g.accumulate = accumulate, g.one_thread = true;
  return g;
}

// One row of scores to probabilities over `seen` keys, zeros up to `width`; returns log sum exp of the scaled scores. Rows may lie in one
// place (f32). The row has room up to the next multiple of 16.
template <class T, class S>
AFINA_V S softmax_row(T* p, S* s, int64_t seen, int64_t width, S scale) {
  using V = vector_of<T>;
  int64_t whole = (seen + lanes - 1) / lanes * lanes;
  for (int64_t i = seen; i < whole; ++i) s[i] = -__builtin_inff();
  V most = load(s);
  for (int64_t i = lanes; i < whole; i += lanes) most = v_max(most, load(s + i));
  S greatest = max_lanes<S>(most) * scale;
  V by = scale, less = -greatest, total = 0.f;
  for (int64_t i = 0; i < whole; i += lanes) {
    V e = math::exp(v_fma(load(s + i), by, less));
    total = total + e;
    store(s + i, e);
  }
  S sum = sum_lanes<S>(total);
  V inverse = S(1) / sum;
  for (int64_t i = 0; i < whole; i += lanes) store(p + i, load(s + i) * inverse);
  for (int64_t i = whole; i < width; ++i) p[i] = T{};
  return greatest + math::log(sum);
}

// Queries t0 .. t1, which begin to see at one place, of all heads that share key head kv.
template <class T>
static void attend(const Heads<T>& x, T* o, sum_of<T>* lse, int64_t b, int64_t kv, int64_t t0, int64_t t1) {
  using S = sum_of<T>;
  int64_t start = x.start(b, t0), width = x.position(t1 - 1) + 1 - start, count = t1 - t0, rows = count * x.group, dim = x.dim,
          h0 = kv * x.group;
  int64_t ld = (width + lanes - 1) / lanes * lanes;
  // The heads of the group one under the other: one product reads the keys once for all of them.
  T* q = static_cast<T*>(scratch(scratch_query, size_t(rows * dim) * sizeof(T)));
  S* scores = static_cast<S*>(scratch(scratch_scores, size_t(rows * ld) * sizeof(S)));
  T* p = (T*)scores;
  if constexpr (!std::is_same_v<T, S>) p = static_cast<T*>(scratch(scratch_weights, size_t(rows * ld) * sizeof(T)));
  for (int64_t r = 0; r < rows; ++r) memcpy(q + r * dim, x.q + x.query(b, t0 + r % count, h0 + r / count), size_t(dim) * sizeof(T));
  const T *k = x.k + x.key(b, start, kv), *v = x.v + x.key(b, start, kv);
  int64_t ldk = x.kv_heads * dim;
  gemm(small_product(rows, width, dim, q, dim, false, k, ldk, true, scores, ld, x.sums, false));
  for (int64_t r = 0; r < rows; ++r) {
    int64_t t = t0 + r % count;
    S log_sum = softmax_row(p + r * ld, scores + r * ld, x.position(t) + 1 - start, width, x.scale);
    lse[(b * x.T_ + t) * x.heads + h0 + r / count] = log_sum;
  }
  gemm(small_product(rows, dim, width, p, ld, false, v, ldk, false, q, dim, x.in, false));
  for (int64_t r = 0; r < rows; ++r) memcpy(o + x.query(b, t0 + r % count, h0 + r / count), q + r * dim, size_t(dim) * sizeof(T));
}

static void attention(Tensor& o, Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& starts, double scale) {
  with_type(q.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    Heads<T> x(q, k, v, starts, scale);
    T* out = o.data<T>();
    auto* logs = lse.data<sum_of<T>>();
    int64_t blocks = (x.T_ + block - 1) / block, sequences = q.shape()[0];
    parallel_for(sequences * x.kv_heads * blocks, 1, [=](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        int64_t b = task / (x.kv_heads * blocks), kv = task / blocks % x.kv_heads, first = task % blocks * block;
        int64_t last = first + block < x.T_ ? first + block : x.T_;
        for (int64_t t = first; t < last;) {
          int64_t next = x.run_end(b, t, last);
          attend(x, out, logs, b, kv, t, next);
          t = next;
        }
      }
    });
  });
}

// What the backward pass of one key head gathers and works in.
template <class T>
struct Slopes {
  using S = sum_of<T>;
  const T *dout, *o;
  T* dq;
  S *dk, *dv;  // (S, dim) of this key head, in scratch memory
};

// Scores to probabilities p and, from dp, to ds = p (dp - Σ dO · O) scale. Zeros from `seen` to `width`.
template <class T, class S>
AFINA_V void slope_row(T* p, T* ds, const S* s, const S* dp, int64_t seen, int64_t width, S scale, S log_sum, S along) {
  using V = vector_of<T>;
  V by = scale, less = -log_sum, minus = along;
  columns16(seen, [=](int64_t i, int n) {
    V e = math::exp(v_fma(take(s + i, n), by, less)), d = e * (take(dp + i, n) - minus) * by;
    put(p + i, e, n), put(ds + i, d, n);
  });
  for (int64_t i = seen; i < width; ++i) p[i] = T{}, ds[i] = T{};
}

template <class T>
static void attend_backward(const Heads<T>& x, const Slopes<T>& d, int64_t b, int64_t h, int64_t t0, int64_t t1) {
  using S = sum_of<T>;
  using V = vector_of<T>;
  int64_t start = x.start(b, t0), width = x.position(t1 - 1) + 1 - start, count = t1 - t0, dim = x.dim, kv = h / x.group;
  int64_t ld = (width + lanes - 1) / lanes * lanes, ldq = x.heads * dim, ldk = x.kv_heads * dim;
  S* s = static_cast<S*>(scratch(scratch_scores, size_t(count * ld) * sizeof(S)));
  S* dp = static_cast<S*>(scratch(scratch_slopes, size_t(count * ld) * sizeof(S)));
  T *p = (T*)s, *ds = (T*)dp;
  if constexpr (!std::is_same_v<T, S>) {
    p = static_cast<T*>(scratch(scratch_weights, size_t(count * ld) * sizeof(T)));
    ds = static_cast<T*>(scratch(scratch_slopes_rounded, size_t(count * ld) * sizeof(T)));
  }
  const T *q = x.q + x.query(b, t0, h), *dout = d.dout + x.query(b, t0, h), *o = d.o + x.query(b, t0, h);
  const T *k = x.k + x.key(b, start, kv), *v = x.v + x.key(b, start, kv);
  gemm(small_product(count, width, dim, q, ldq, false, k, ldk, true, s, ld, x.sums, false));
  gemm(small_product(count, width, dim, dout, ldq, false, v, ldk, true, dp, ld, x.sums, false));
  for (int64_t r = 0; r < count; ++r) {
    V sum = 0.f;
    columns16(dim, [&](int64_t i, int n) { sum = v_fma(take(dout + r * ldq + i, n), take(o + r * ldq + i, n), sum); });
    S log_sum = x.lse[(b * x.T_ + t0 + r) * x.heads + h];
    slope_row(p + r * ld, ds + r * ld, s + r * ld, dp + r * ld, x.position(t0 + r) + 1 - start, width, x.scale, log_sum, sum_lanes<S>(sum));
  }
  gemm(small_product(width, dim, count, p, ld, true, dout, ldq, false, d.dv + start * dim, dim, x.sums, true));
  gemm(small_product(width, dim, count, ds, ld, true, q, ldq, false, d.dk + start * dim, dim, x.sums, true));
  gemm(small_product(count, dim, width, ds, ld, false, k, ldk, false, d.dq + x.query(b, t0, h), ldq, x.in, false));
}

template <class T, class S>
AFINA_V void round_rows(T* to, int64_t ld, const S* from, int64_t rows, int64_t dim) {
  for (int64_t r = 0; r < rows; ++r) columns16(dim, [=](int64_t i, int n) { put(to + r * ld + i, take(from + r * dim + i, n), n); });
}

static void attention_backward(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout, const Tensor& o, const Tensor& lse, const Tensor& q,
                               const Tensor& k, const Tensor& v, const Tensor& starts, double scale) {
  with_type(q.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using S = sum_of<T>;
    Heads<T> x(q, k, v, starts, scale);
    x.lse = lse.data<S>();
    Slopes<T> shared{dout.data<T>(), o.data<T>(), dq.data<T>(), nullptr, nullptr};
    T *out_k = dk.data<T>(), *out_v = dv.data<T>();
    parallel_for(q.shape()[0] * x.kv_heads, 1, [=](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        int64_t b = task / x.kv_heads, kv = task % x.kv_heads;
        size_t bytes = size_t(x.S_ * x.dim) * sizeof(S);
        Slopes<T> d = shared;
        d.dk = static_cast<S*>(scratch(scratch_key_sum, bytes)), d.dv = static_cast<S*>(scratch(scratch_value_sum, bytes));
        memset(d.dk, 0, bytes), memset(d.dv, 0, bytes);
        for (int64_t h = kv * x.group; h < (kv + 1) * x.group; ++h)
          for (int64_t t = 0; t < x.T_;) {
            int64_t end_of_run = x.run_end(b, t, x.T_);
            for (; t < end_of_run; t += backward_block)
              attend_backward(x, d, b, h, t, t + backward_block < end_of_run ? t + backward_block : end_of_run);
            t = end_of_run;
          }
        round_rows(out_k + x.key(b, 0, kv), x.kv_heads * x.dim, d.dk, x.S_, x.dim);
        round_rows(out_v + x.key(b, 0, kv), x.kv_heads * x.dim, d.dv, x.S_, x.dim);
      }
    });
  });
}

REGISTER_CPU(attention, attention);
REGISTER_CPU(attention_backward, attention_backward);

}  // namespace afina::AFINA_ISA
