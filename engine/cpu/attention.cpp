// Attention: processes queries of one document in blocks; scores by gemm, softmax row by row. How
// queries are grouped into blocks does not affect the bits: every sum runs over the keys of one
// query.
#include "engine/cpu/attention_heads.h"
#include "engine/cpu/attention_tiles_forward.h"

namespace afina::AFINA_ISA {

static constexpr int64_t block = 32;  // queries per block; all heads of a group share one product

// Turns one row of scores into probabilities over the first `seen` keys, and zeros up to `width`.
// Returns log sum exp of the scaled scores. Input and output may be the same row (f32). The row
// must have space up to the next multiple of 16.
template <class T, class S>
AFINA_INLINE S softmax_row(T* p, S* s, int64_t seen, int64_t width, S scale) {
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

// Queries t0 .. t1 of one document, for all heads that share key head kv.
template <class T>
static void attend(const Heads<T>& x, T* o, sum_of<T>* lse, int64_t b, int64_t kv, int64_t t0,
                   int64_t t1) {
  using S = sum_of<T>;
  int64_t start = x.first_of_block(b, t0), width = x.position(t1 - 1) + 1 - start, count = t1 - t0,
          rows = count * x.group, dim = x.dim, h0 = kv * x.group;
  int64_t ld = x.row_space(width);
  // Stacks the queries of the group's heads, so that one product reads the keys once for all of
  // them.
  T* q = static_cast<T*>(scratch(scratch_query, size_t(rows * dim) * sizeof(T)));
  S* scores = static_cast<S*>(scratch(scratch_scores, size_t(rows * ld) * sizeof(S)));
  T* p = (T*)scores;
  if constexpr (!std::is_same_v<T, S>)
    p = static_cast<T*>(scratch(scratch_weights, size_t(rows * ld) * sizeof(T)));
  for (int64_t r = 0; r < rows; ++r)
    memcpy(q + r * dim, x.q + x.query(b, t0 + r % count, h0 + r / count), size_t(dim) * sizeof(T));
  const T *k = x.k + x.key(b, start, kv), *v = x.v + x.key(b, start, kv);
  int64_t ldk = x.kv_heads * dim;
  gemm(small_product(rows, width, dim, q, dim, false, k, ldk, true, scores, ld, x.sums, false));
  for (int64_t r = 0; r < rows; ++r) {
    int64_t t = t0 + r % count, skip = x.first(b, t) - start,
            seen = x.position(t) + 1 - start - skip;
    S *s = scores + r * ld + skip, scale = x.scale;
    if (x.cap > S(0)) {
      cap_scores(s, seen, scale, x.cap);
      scale = S(1);
    }
    S log_sum = softmax_row(p + r * ld + skip, s, seen, width - skip, scale);
    for (int64_t i = 0; i < skip; ++i) p[r * ld + i] = T{};
    lse[(b * x.T_ + t) * x.heads + h0 + r / count] = log_sum;
  }
  gemm(small_product(rows, dim, width, p, ld, false, v, ldk, false, q, dim, x.in, false));
  for (int64_t r = 0; r < rows; ++r)
    memcpy(o + x.query(b, t0 + r % count, h0 + r / count), q + r * dim, size_t(dim) * sizeof(T));
}

static void attention(Tensor& o, Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
                      const Tensor& starts, AttentionForm form) {
  with_type(q.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    Heads<T> x(q, k, v, starts, form);
    T* out = o.data<T>();
    auto* logs = lse.data<sum_of<T>>();
#if defined(AFINA_ATTENTION_TILES)
    if constexpr (!std::is_same_v<T, double>)
      if (by_tiles(x, q.shape()[0])) return attend_by_tiles(x, out, logs, q.shape()[0]);
#endif
    int64_t blocks = (x.T_ + block - 1) / block, sequences = q.shape()[0];
    parallel_for(sequences * x.kv_heads * blocks, 1, [=](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        int64_t b = task / (x.kv_heads * blocks), kv = task / blocks % x.kv_heads,
                first = task % blocks * block;
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

REGISTER_CPU(attention, attention);

}  // namespace afina::AFINA_ISA
