// Attention in its plain form: one warp per query, or per key for the gradients of keys and values,
// which processes the others 32 at a time. Scores are never stored. Sums have a fixed order, so
// every run gives the same bits.
#include "engine/ops/attention.h"

#include "cuda/block.cuh"
#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {
namespace {

constexpr int warps = 4;  // per block
// Each lane sums columns lane, lane + 32, ... of a row of the head.
constexpr int most_dim = 256, parts = most_dim / warp;

// The tensors of a call: q, o (B, T, heads, dim), k, v (B, S, kv_heads, dim), lse (B, T, heads).
template <class T>
struct Heads {
  using S = sum_of<T>;
  const T *q, *k, *v, *o, *dout;
  S* lse;
  const int32_t* starts;
  int64_t batch, queries, keys, heads, kv_heads;
  int dim, group;
  S scale, cap;    // cap 0: none
  int64_t window;  // 0: none

  __device__ int64_t query(int64_t b, int64_t t, int64_t h) const {
    return ((b * queries + t) * heads + h) * dim;
  }
  __device__ int64_t key(int64_t b, int64_t s, int64_t h) const {
    return ((b * keys + s) * kv_heads + h) * dim;
  }
  __device__ int64_t position(int64_t t) const { return keys - queries + t; }
  // The first key that query t sees.
  __device__ int64_t first(int64_t b, int64_t t) const {
    int64_t start = starts[b * queries + t], least = position(t) - window + 1;
    return window && least > start ? least : start;
  }
  // The score of a product q k, and the slope of the capped one.
  __device__ S score(S product) const {
    return cap > S(0) ? cap * math::tanh(product * (scale / cap)) : product * scale;
  }
  __device__ S slope(S score) const {
    S t = cap > S(0) ? score / cap : S(0);
    return (S(1) - t * t) * scale;
  }
};

template <class T>
__device__ sum_of<T> dot(const T* a, const T* b, int n) {
  sum_of<T> sum = 0;
  for (int i = 0; i < n; ++i)
    sum = math::v_fma(sum_of<T>(load(a + i)), sum_of<T>(load(b + i)), sum);
  return sum;
}
// sum += weight of lane i times row i, for each lane in order; `rows` are `stride` apart.
template <class T>
__device__ void add_rows(sum_of<T> (&sum)[parts], sum_of<T> weight, const T* rows, int64_t stride,
                         int count, int dim) {
  for (int i = 0; i < count; ++i) {
    sum_of<T> lane_weight = __shfl_sync(0xffffffffu, weight, i);
    for (int j = 0; j < parts; ++j)
      if (int column = int(threadIdx.x) + j * warp; column < dim)
        sum[j] = math::v_fma(lane_weight, sum_of<T>(load(rows + i * stride + column)), sum[j]);
  }
}
template <class T>
__device__ void put_row(T* to, const sum_of<T> (&sum)[parts], sum_of<T> factor, int dim) {
  for (int j = 0; j < parts; ++j)
    if (int column = int(threadIdx.x) + j * warp; column < dim) store(to + column, sum[j] * factor);
}

template <class T>
__global__ void attention_kernel(T* o, Heads<T> x) {
  using S = sum_of<T>;
  int64_t row = my_row(), h = row % x.heads, t = row / x.heads % x.queries,
          b = row / x.heads / x.queries, kv = h / x.group;
  if (b >= x.batch) return;
  const T* q = x.q + x.query(b, t, h);
  int64_t first = x.first(b, t), end = x.position(t) + 1, stride = x.kv_heads * x.dim;
  S most = S(-3e38f), total = 0, sum[parts] = {};
  for (int64_t base = first; base < end; base += warp) {
    int count = end - base < warp ? int(end - base) : warp, lane = int(threadIdx.x);
    S score = lane < count ? x.score(dot(q, x.k + x.key(b, base + lane, kv), x.dim)) : S(-3e38f);
    S greatest = math::v_max(warp_max(score), most), shrink = math::exp(most - greatest);
    S weight = lane < count ? math::exp(score - greatest) : S(0);
    total = total * shrink + warp_sum(weight);
    most = greatest;
    for (int j = 0; j < parts; ++j) sum[j] *= shrink;
    add_rows(sum, weight, x.v + x.key(b, base, kv), stride, count, x.dim);
  }
  put_row(o + x.query(b, t, h), sum, S(1) / total, x.dim);
  if (threadIdx.x == 0) x.lse[row] = math::log(total) + most;
}

// dO · O: the term that the softmax's normalisation subtracts from every score gradient of a query.
template <class T>
__device__ sum_of<T> along(const Heads<T>& x, int64_t at) {
  sum_of<T> sum = 0;
  for (int i = int(threadIdx.x); i < x.dim; i += warp)
    sum = math::v_fma(sum_of<T>(load(x.dout + at + i)), sum_of<T>(load(x.o + at + i)), sum);
  return warp_sum(sum);
}

template <class T>
__global__ void query_slopes_kernel(T* dq, sum_of<T>* minus, Heads<T> x) {
  using S = sum_of<T>;
  int64_t row = my_row(), h = row % x.heads, t = row / x.heads % x.queries,
          b = row / x.heads / x.queries, kv = h / x.group;
  if (b >= x.batch) return;
  int64_t at = x.query(b, t, h), first = x.first(b, t), end = x.position(t) + 1;
  S less = along(x, at), log_sum = x.lse[row], sum[parts] = {};
  if (threadIdx.x == 0) minus[row] = less;
  for (int64_t base = first; base < end; base += warp) {
    int count = end - base < warp ? int(end - base) : warp, lane = int(threadIdx.x);
    S slope = 0;
    if (lane < count) {
      int64_t key = x.key(b, base + lane, kv);
      S score = x.score(dot(x.q + at, x.k + key, x.dim)), p = math::exp(score - log_sum);
      slope = p * (dot(x.dout + at, x.v + key, x.dim) - less) * x.slope(score);
    }
    add_rows(sum, slope, x.k + x.key(b, base, kv), x.kv_heads * x.dim, count, x.dim);
  }
  put_row(dq + at, sum, S(1), x.dim);
}

// One warp per key: visits all queries that see it, one head of its group after another. Each lane
// tests one of 32 queries.
template <class T>
__global__ void key_slopes_kernel(T* dk, T* dv, const sum_of<T>* minus, Heads<T> x) {
  using S = sum_of<T>;
  int64_t row = my_row(), kv = row % x.kv_heads, s = row / x.kv_heads % x.keys,
          b = row / x.kv_heads / x.keys;
  if (b >= x.batch) return;
  int64_t key = x.key(b, s, kv), stride = x.heads * x.dim, earliest = s - (x.keys - x.queries);
  if (earliest < 0) earliest = 0;
  S of_k[parts] = {}, of_v[parts] = {};
  for (int64_t h = kv * x.group; h < (kv + 1) * x.group; ++h)
    for (int64_t base = earliest; base < x.queries; base += warp) {
      int count = x.queries - base < warp ? int(x.queries - base) : warp, lane = int(threadIdx.x);
      int64_t t = base + lane;
      S p = 0, slope = 0;
      bool sees = lane < count && x.first(b, t) <= s;
      if (!__any_sync(0xffffffffu, sees)) break;  // later queries do not see it either
      if (sees) {
        int64_t at = x.query(b, t, h), of_row = (b * x.queries + t) * x.heads + h;
        S score = x.score(dot(x.q + at, x.k + key, x.dim));
        p = math::exp(score - x.lse[of_row]);
        slope = p * (dot(x.dout + at, x.v + key, x.dim) - minus[of_row]) * x.slope(score);
      }
      add_rows(of_v, p, x.dout + x.query(b, base, h), stride, count, x.dim);
      add_rows(of_k, slope, x.q + x.query(b, base, h), stride, count, x.dim);
    }
  put_row(dk + key, of_k, S(1), x.dim);
  put_row(dv + key, of_v, S(1), x.dim);
}

template <class T>
Heads<T> heads_of(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& lse,
                  const Tensor& starts, AttentionForm form) {
  Heads<T> x{};
  x.q = q.data<T>();
  x.k = k.data<T>();
  x.v = v.data<T>();
  x.lse = lse.data<sum_of<T>>();
  x.starts = starts.data<int32_t>();
  x.batch = q.shape()[0];
  x.queries = q.shape()[1];
  x.keys = k.shape()[1];
  x.heads = q.shape()[2];
  x.kv_heads = k.shape()[2];
  x.dim = int(q.columns());
  x.group = int(x.heads / x.kv_heads);
  x.scale = sum_of<T>(form.scale);
  x.cap = sum_of<T>(form.cap);
  x.window = form.window;
  require(x.dim <= most_dim, "attention: a head of ", x.dim,
          " columns is larger than the GPU's kernels support, ", most_dim);
  return x;
}

void attention(Tensor& o, Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
               const Tensor& starts, AttentionForm form) {
  with_type(q.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    Heads<T> x = heads_of<T>(q, k, v, lse, starts, form);
    launch(attention_kernel<T>, unsigned(ceil_div(x.batch * x.queries * x.heads, warps)),
           dim3(warp, warps), 0, o.data<T>(), x);
  });
}

void attention_backward(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout, const Tensor& o,
                        const Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& starts, AttentionForm form) {
  PurposeScope purpose(Purpose::workspace);
  Tensor minus = like(lse);
  with_type(q.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    using S = sum_of<T>;
    Heads<T> x = heads_of<T>(q, k, v, lse, starts, form);
    x.o = o.data<T>();
    x.dout = dout.data<T>();
    launch(query_slopes_kernel<T>, unsigned(ceil_div(x.batch * x.queries * x.heads, warps)),
           dim3(warp, warps), 0, dq.data<T>(), minus.data<S>(), x);
    launch(key_slopes_kernel<T>, unsigned(ceil_div(x.batch * x.keys * x.kv_heads, warps)),
           dim3(warp, warps), 0, dk.data<T>(), dv.data<T>(), minus.data<S>(), x);
  });
}

REGISTER_CUDA(attention, warp_per_query, 0, attention);
REGISTER_CUDA(attention_backward, warp_per_query, 0, attention_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
