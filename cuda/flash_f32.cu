// Flash attention in f32, forward and backward, without tensor cores: four threads share a row, and
// process tiles of 32 x 32.
#include "cuda/flash.cuh"

namespace afina::AFINA_GPU {
namespace {

constexpr int threads = 128, side = 32,
              per_thread = side / 4;  // scores per thread: columns lane, lane + 4, ...

struct alignas(16) Quad {
  float v[4];
};
// Rows of D floats, padded by 4, so that four threads reading four rows, and eight reading eight,
// touch each bank once.
template <int D>
struct Rows {
  static constexpr int step = D + 4, floats = side * step;
  float* data;
  __device__ __forceinline__ const Quad& quad(int row, int i) const {
    return *reinterpret_cast<const Quad*>(data + row * step + i * 4);
  }
  // Loads `count` rows of `dim` floats, `ld` apart in memory; zeros elsewhere.
  __device__ __forceinline__ void load(const float* from, int64_t ld, int count, int dim) const {
    for (int i = threadIdx.x; i < side * D; i += threads) {
      int row = i / D, column = i % D;
      data[row * step + column] = row < count && column < dim ? from[row * ld + column] : 0.f;
    }
  }
};
using Weights = float (*)[side + 1];  // a tile of weights in shared memory; a row is written and
                                      // read only by its four threads

// scores[j] = row `row` of a times row lane + 4 j of b.
template <int D>
__device__ __forceinline__ void products(float (&scores)[per_thread], const Rows<D>& a, int row,
                                         const Rows<D>& b, int lane) {
#pragma unroll
  for (int j = 0; j < per_thread; ++j) scores[j] = 0.f;
#pragma unroll 4
  for (int i = 0; i < D / 4; ++i) {
    Quad x = a.quad(row, i);
#pragma unroll
    for (int j = 0; j < per_thread; ++j) {
      Quad y = b.quad(lane + 4 * j, i);
#pragma unroll
      for (int e = 0; e < 4; ++e) scores[j] = fmaf(x.v[e], y.v[e], scores[j]);
    }
  }
}
// A thread's part of a row of D elements: groups of four lane, lane + 4, ...
template <int D>
struct Part {
  Quad q[D / 16];
};
template <int D>
__device__ __forceinline__ void add_weighted(Part<D>& to, const float* weights, const Rows<D>& b,
                                             int lane) {
  for (int c = 0; c < side; ++c) {
    float w = weights[c];
#pragma unroll
    for (int i = 0; i < D / 16; ++i) {
      Quad y = b.quad(c, lane + 4 * i);
#pragma unroll
      for (int e = 0; e < 4; ++e) to.q[i].v[e] = fmaf(w, y.v[e], to.q[i].v[e]);
    }
  }
}
template <int D>
__device__ __forceinline__ void put(float* to, const Part<D>& part, float factor, int dim,
                                    int lane) {
#pragma unroll
  for (int i = 0; i < D / 16; ++i)
#pragma unroll
    for (int e = 0; e < 4; ++e)
      if (int column = (lane + 4 * i) * 4 + e; column < dim) to[column] = part.q[i].v[e] * factor;
}
__device__ __forceinline__ float sum_of_row(float v) {
  v += __shfl_xor_sync(0xffffffffu, v, 1);
  return v + __shfl_xor_sync(0xffffffffu, v, 2);
}
__device__ __forceinline__ float max_of_row(float v) {
  v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, 1));
  return fmaxf(v, __shfl_xor_sync(0xffffffffu, v, 2));
}

// The position of a block of queries.
struct Place {
  int t0, h, b, kv, count, row, lane, t, first, last;
  bool exists;
  __device__ __forceinline__ explicit Place(const Heads<float>& x)
      : t0(int(gridDim.x - 1 - blockIdx.x) * side),
        h(blockIdx.y),
        b(blockIdx.z),
        kv(h / (x.heads / x.kv_heads)),
        count(lesser(x.queries - t0, side)),
        row(threadIdx.x / 4),
        lane(threadIdx.x % 4),
        t(t0 + row),
        exists(t < x.queries) {
    int low, high;
    range_of(x.start(b, t0), count, low, high);
    first = low / side;
    last = x.position(t0 + count - 1) / side;
  }
};

template <int D>
__global__ void __launch_bounds__(threads) forward_kernel(Heads<float> x, float* o, float* lse) {
  float* shared = dynamic_shared<float>();
  Rows<D> q{shared}, k{shared + Rows<D>::floats}, v{shared + 2 * Rows<D>::floats};
  Weights p = reinterpret_cast<Weights>(shared + 3 * Rows<D>::floats);
  Place at(x);
  int start = at.exists ? *x.start(at.b, at.t) : 0, end = at.exists ? x.position(at.t) : -1;
  q.load(x.q + x.query(at.b, at.t0, at.h), x.query_step(), at.count, x.dim);
  float greatest = -INFINITY, sum = 0.f;
  Part<D> out{};
  for (int block = at.first; block <= at.last; ++block) {
    int64_t from = x.key(at.b, block * side, at.kv);
    k.load(x.k + from, x.key_step(), x.keys - block * side, x.dim);
    v.load(x.v + from, x.key_step(), x.keys - block * side, x.dim);
    __syncthreads();
    float s[per_thread], most = -INFINITY, added = 0.f;
    products(s, q, at.row, k, at.lane);
#pragma unroll
    for (int j = 0; j < per_thread; ++j) {
      int key = block * side + at.lane + 4 * j;
      s[j] = key >= start && key <= end ? s[j] * x.scale : -INFINITY;
      most = fmaxf(most, s[j]);
    }
    float now = fmaxf(greatest, max_of_row(most)), base = now == -INFINITY ? 0.f : now,
          fade = expf(greatest - base);
    greatest = now;
#pragma unroll
    for (int j = 0; j < per_thread; ++j) {
      p[at.row][at.lane + 4 * j] = s[j] = expf(s[j] - base);
      added += s[j];
    }
    sum = fmaf(sum, fade, sum_of_row(added));
#pragma unroll
    for (int i = 0; i < D / 16; ++i)
#pragma unroll
      for (int e = 0; e < 4; ++e) out.q[i].v[e] *= fade;
    __syncwarp();
    add_weighted(out, p[at.row], v, at.lane);
    __syncthreads();
  }
  if (!at.exists) return;
  put(o + x.query(at.b, at.t, at.h), out, 1.f / sum, x.dim, at.lane);
  if (at.lane == 0) lse[x.row(at.b, at.t, at.h)] = greatest + logf(sum);
}

// A query's probability from its log sum, and ds = p (dp - delta).
__device__ __forceinline__ void slope(float& p, float& ds, float score, float dp, float scale,
                                      float lse, float delta, bool seen) {
  p = seen ? expf(fmaf(score, scale, -lse)) : 0.f;
  ds = p * (dp - delta);
}

template <int D>
__global__ void __launch_bounds__(threads) query_kernel(Heads<float> x, Slopes<float> d) {
  float* shared = dynamic_shared<float>();
  constexpr int floats = Rows<D>::floats;
  Rows<D> q{shared}, dout{shared + floats}, k{shared + 2 * floats}, v{shared + 3 * floats};
  Weights ds = reinterpret_cast<Weights>(shared + 4 * floats);
  Place at(x);
  int start = at.exists ? *x.start(at.b, at.t) : 0, end = at.exists ? x.position(at.t) : -1;
  float lse = at.exists ? d.lse[x.row(at.b, at.t, at.h)] : 0.f,
        delta = at.exists ? d.delta[x.row(at.b, at.t, at.h)] : 0.f;
  q.load(x.q + x.query(at.b, at.t0, at.h), x.query_step(), at.count, x.dim);
  dout.load(d.dout + x.query(at.b, at.t0, at.h), x.query_step(), at.count, x.dim);
  Part<D> dq{};
  for (int block = at.first; block <= at.last; ++block) {
    int64_t from = x.key(at.b, block * side, at.kv);
    k.load(x.k + from, x.key_step(), x.keys - block * side, x.dim);
    v.load(x.v + from, x.key_step(), x.keys - block * side, x.dim);
    __syncthreads();
    float s[per_thread], dp[per_thread], p;
    products(s, q, at.row, k, at.lane);
    products(dp, dout, at.row, v, at.lane);
#pragma unroll
    for (int j = 0; j < per_thread; ++j) {
      int key = block * side + at.lane + 4 * j;
      slope(p, ds[at.row][at.lane + 4 * j], s[j], dp[j], x.scale, lse, delta,
            key >= start && key <= end);
    }
    __syncwarp();
    add_weighted(dq, ds[at.row], k, at.lane);
    __syncthreads();
  }
  if (at.exists) put(d.dq + x.query(at.b, at.t, at.h), dq, x.scale, x.dim, at.lane);
}

template <int D>
__global__ void __launch_bounds__(threads, 2) key_kernel(Heads<float> x, Slopes<float> d) {
  float* shared = dynamic_shared<float>();
  constexpr int floats = Rows<D>::floats;
  Rows<D> k{shared}, v{shared + floats}, q{shared + 2 * floats}, dout{shared + 3 * floats};
  Weights p = reinterpret_cast<Weights>(shared + 4 * floats), ds = p + side;
  int s0 = int(blockIdx.x) * side, kv = blockIdx.y, b = blockIdx.z, group = x.heads / x.kv_heads;
  int row = threadIdx.x / 4, lane = threadIdx.x % 4, key = s0 + row;
  int first = greater(0, s0 - (x.keys - x.queries)) / side;
  int last = last_seeing(x.start(b, 0), first * side, x.queries, lesser(s0 + side, x.keys) - 1);
  k.load(x.k + x.key(b, s0, kv), x.key_step(), x.keys - s0, x.dim);
  v.load(x.v + x.key(b, s0, kv), x.key_step(), x.keys - s0, x.dim);
  Part<D> dk{}, dv{};
  for (int h = kv * group; h < (kv + 1) * group; ++h)
    for (int t0 = first * side; t0 <= last; t0 += side) {
      q.load(x.q + x.query(b, t0, h), x.query_step(), x.queries - t0, x.dim);
      dout.load(d.dout + x.query(b, t0, h), x.query_step(), x.queries - t0, x.dim);
      __syncthreads();
      float s[per_thread], dp[per_thread];
      products(s, k, row, q, lane);
      products(dp, v, row, dout, lane);
#pragma unroll
      for (int j = 0; j < per_thread; ++j) {
        int column = lane + 4 * j, t = lesser(t0 + column, x.queries - 1);
        bool seen = t0 + column < x.queries && key >= *x.start(b, t) && key <= x.position(t);
        slope(p[row][column], ds[row][column], s[j], dp[j], x.scale, d.lse[x.row(b, t, h)],
              d.delta[x.row(b, t, h)], seen);
      }
      __syncwarp();
      add_weighted(dv, p[row], dout, lane);
      add_weighted(dk, ds[row], q, lane);
      __syncthreads();
    }
  if (key >= x.keys) return;
  put(d.dv + x.key(b, key, kv), dv, 1.f, x.dim, lane);
  put(d.dk + x.key(b, key, kv), dk, x.scale, x.dim, lane);
}

template <int D>
constexpr size_t shared_of(int tiles, int weights) {
  return size_t(tiles * Rows<D>::floats + weights * side * (side + 1)) * sizeof(float);
}
template <class Run>
void with_head_dim(int dim, Run run) {
  if (dim <= 32) run.template operator()<32>();
  else if (dim <= 64) run.template operator()<64>();
  else run.template operator()<128>();
}

}  // namespace

void flash_forward_f32(const Heads<float>& x, int batch, float* o, float* lse) {
  with_head_dim(x.dim, [&]<int D>() {
    launch(forward_kernel<D>, dim3(ceil_div(x.queries, side), x.heads, batch), dim3(threads),
           shared_of<D>(3, 1), x, o, lse);
  });
}

void flash_backward_f32(const Heads<float>& x, int batch, const Slopes<float>& d) {
  with_head_dim(x.dim, [&]<int D>() {
    launch(key_kernel<D>, dim3(ceil_div(x.keys, side), x.kv_heads, batch), dim3(threads),
           shared_of<D>(4, 2), x, d);
    launch(query_kernel<D>, dim3(ceil_div(x.queries, side), x.heads, batch), dim3(threads),
           shared_of<D>(4, 1), x, d);
  });
}

}  // namespace afina::AFINA_GPU
