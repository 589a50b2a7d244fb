// Flash attention backward in bf16 without atomics: a block of keys accumulates dk and dv over
// queries, a block of queries dq over keys.
#include "cuda/flash_mma.cuh"

namespace afina::AFINA_GPU {
namespace {

constexpr int threads = 128,
              block_rows = 64;  // 4 warps of 16 rows: keys for dk and dv, queries for dq
// Queries that a block of keys processes at a time: more would not fit in registers.
template <int D>
constexpr int queries_of = D <= 64 ? 64 : 32;

struct RowStatistics {
  float *lse, *delta;
  int* start;
};

// Shared memory for dk and dv: keys, values, two stages of queries and dout, two stages of their
// statistics.
template <int D>
struct KeyBlock {
  static constexpr int queries = queries_of<D>, turn = 2 * queries * D;
  static constexpr size_t bytes =
      size_t(2 * block_rows * D + 2 * turn) * sizeof(bf16) + size_t(2 * 3 * queries) * 4;
  bf16* shared;
  __device__ __forceinline__ Tile<D> key() const { return {shared}; }
  __device__ __forceinline__ Tile<D> value() const { return {shared + block_rows * D}; }
  __device__ __forceinline__ Tile<D> query(int step) const {
    return {shared + 2 * block_rows * D + step % 2 * turn};
  }
  __device__ __forceinline__ Tile<D> dout(int step) const {
    return {shared + 2 * block_rows * D + step % 2 * turn + queries * D};
  }
  __device__ __forceinline__ RowStatistics rows(int step) const {
    float* lse =
        reinterpret_cast<float*>(shared + 2 * block_rows * D + 2 * turn) + step % 2 * 3 * queries;
    return {lse, lse + queries, reinterpret_cast<int*>(lse + 2 * queries)};
  }
};

template <int D>
__device__ __forceinline__ void load_queries(const KeyBlock<D>& at, const Heads<bf16>& x,
                                             const Slopes<bf16>& d, int step, int b, int t0,
                                             int h) {
  constexpr int queries = queries_of<D>;
  int count = x.queries - t0;
  at.query(step).template load<queries, threads>(x.q + x.query(b, t0, h), x.query_step(), count,
                                                 x.dim);
  at.dout(step).template load<queries, threads>(d.dout + x.query(b, t0, h), x.query_step(), count,
                                                x.dim);
  RowStatistics rows = at.rows(step);
  if (int i = threadIdx.x; i < queries) {
    int t = i < count ? t0 + i : t0;
    copy_async_4(rows.lse + i, d.lse + x.row(b, t, h), i < count);
    copy_async_4(rows.delta + i, d.delta + x.row(b, t, h), i < count);
    copy_async_4(rows.start + i, x.start(b, t), i < count);
  }
  copy_async_commit();
}

// Turns transposed scores and dp (keys, queries) into probabilities and ds = p (dp - delta), in
// place.
template <int queries>
__device__ __forceinline__ void slopes_of(Warp<1, queries>& s, Warp<1, queries>& dp,
                                          const Heads<bf16>& x, const RowStatistics& rows, int key,
                                          int t0, int lane) {
  float scale = x.scale * log2_e;
#pragma unroll
  for (int j = 0; j < queries / 8; ++j)
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      int column = j * 8 + lane % 4 * 2 + e % 2, t = t0 + column, at = key + lane / 4 + e / 2 * 8;
      bool seen = t < x.queries && at >= rows.start[column] && at <= x.position(t);
      float p = seen ? exp2f(fmaf(s.c[0][j][e], scale, -rows.lse[column] * log2_e)) : 0.f;
      s.c[0][j][e] = p;
      dp.c[0][j][e] = p * (dp.c[0][j][e] - rows.delta[column]);
    }
}

template <int D>
__global__ void __launch_bounds__(threads) key_kernel(Heads<bf16> x, Slopes<bf16> d) {
  constexpr int queries = queries_of<D>;
  int s0 = int(blockIdx.x) * block_rows, kv = blockIdx.y, b = blockIdx.z,
      group = x.heads / x.kv_heads;
  int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
  KeyBlock<D> at{dynamic_shared<bf16>()};
  // Starts at the first query at or after the first key; skips queries after the last one that sees
  // this block.
  int first = greater(0, s0 - (x.keys - x.queries)) / queries;
  int last =
      last_seeing(x.start(b, 0), first * queries, x.queries, lesser(s0 + block_rows, x.keys) - 1);
  int blocks = last < first * queries ? 0 : last / queries - first + 1, steps = blocks * group;
  auto place = [&](int step, int& t0, int& h) {
    t0 = (first + step % blocks) * queries;
    h = kv * group + step / blocks;
  };
  auto load = [&](int step) {
    int t0, h;
    place(step, t0, h);
    load_queries(at, x, d, step, b, t0, h);
  };
  at.key().template load<block_rows, threads>(x.k + x.key(b, s0, kv), x.key_step(), x.keys - s0,
                                              x.dim);
  at.value().template load<block_rows, threads>(x.v + x.key(b, s0, kv), x.key_step(), x.keys - s0,
                                                x.dim);
  copy_async_commit();
  if (steps) load(0);
  Warp<1, D> dk{}, dv{};
  for (int step = 0; step < steps; ++step) {
    copy_async_wait<0>();
    __syncthreads();
    if (step + 1 < steps) load(step + 1);
    int t0, h;
    place(step, t0, h);
    Warp<1, queries> s, dp;
    row_products(s, at.key(), row, at.query(step), lane);
    row_products(dp, at.value(), row, at.dout(step), lane);
    slopes_of(s, dp, x, at.rows(step), s0 + row, t0, lane);
    add_weighted(dv, s, at.dout(step), lane);
    add_weighted(dk, dp, at.query(step), lane);
  }
  copy_async_wait<0>();
  float one[2] = {1.f, 1.f}, scale[2] = {x.scale, x.scale};
  store_rows<D>(d.dv + x.key(b, 0, kv), x.key_step(), s0 + row, x.keys, x.dim, dv.c[0], one, lane);
  store_rows<D>(d.dk + x.key(b, 0, kv), x.key_step(), s0 + row, x.keys, x.dim, dk.c[0], scale,
                lane);
}

// The two rows of a thread: g and g + 8 of its warp's 16.
struct QueryRows {
  float lse[2], delta[2];
  int start[2], position[2];
  __device__ __forceinline__ QueryRows(const Heads<bf16>& x, const Slopes<bf16>& d, int b,
                                       int first, int h, int lane) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      int t = first + lane / 4 + half * 8;
      bool exists = t < x.queries;
      lse[half] = exists ? d.lse[x.row(b, t, h)] * log2_e : 0.f;
      delta[half] = exists ? d.delta[x.row(b, t, h)] : 0.f;
      start[half] = exists ? *x.start(b, t) : 0;
      position[half] = exists ? x.position(t) : -1;
    }
  }
};

template <int D>
__global__ void __launch_bounds__(threads) query_kernel(Heads<bf16> x, Slopes<bf16> d) {
  constexpr int keys = 64, turn = 2 * keys * D;
  int t0 = int(gridDim.x - 1 - blockIdx.x) * block_rows, h = blockIdx.y, b = blockIdx.z,
      kv = h / (x.heads / x.kv_heads);
  int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16,
      count = lesser(x.queries - t0, block_rows);
  bf16* shared = dynamic_shared<bf16>();
  Tile<D> q{shared}, dout{shared + block_rows * D};
  auto key_tile = [&](int block) {
    return Tile<D>{shared + 2 * block_rows * D + block % 2 * turn};
  };
  auto value_tile = [&](int block) {
    return Tile<D>{shared + 2 * block_rows * D + block % 2 * turn + keys * D};
  };
  auto load_keys = [&](int block) {
    int64_t from = x.key(b, block * keys, kv);
    key_tile(block).template load<keys, threads>(x.k + from, x.key_step(), x.keys - block * keys,
                                                 x.dim);
    value_tile(block).template load<keys, threads>(x.v + from, x.key_step(), x.keys - block * keys,
                                                   x.dim);
    copy_async_commit();
  };
  int low, high;
  range_of(x.start(b, t0), count, low, high);
  int first = low / keys, last = x.position(t0 + count - 1) / keys;
  q.template load<block_rows, threads>(x.q + x.query(b, t0, h), x.query_step(), count, x.dim);
  dout.template load<block_rows, threads>(d.dout + x.query(b, t0, h), x.query_step(), count, x.dim);
  load_keys(first);
  QueryRows rows(x, d, b, t0 + row, h, lane);
  Warp<1, D> dq{};
  for (int block = first; block <= last; ++block) {
    copy_async_wait<0>();
    __syncthreads();
    if (block < last) load_keys(block + 1);
    Warp<1, keys> s, dp;
    row_products(s, q, row, key_tile(block), lane);
    row_products(dp, dout, row, value_tile(block), lane);
#pragma unroll
    for (int j = 0; j < keys / 8; ++j)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        int at = block * keys + j * 8 + lane % 4 * 2 + e % 2;
        bool seen = at >= rows.start[e / 2] && at <= rows.position[e / 2];
        float p = seen ? exp2f(fmaf(s.c[0][j][e], x.scale * log2_e, -rows.lse[e / 2])) : 0.f;
        dp.c[0][j][e] = p * (dp.c[0][j][e] - rows.delta[e / 2]);
      }
    add_weighted(dq, dp, key_tile(block), lane);
  }
  float scale[2] = {x.scale, x.scale};
  store_rows<D>(d.dq + x.query(b, 0, h), x.query_step(), t0 + row, x.queries, x.dim, dq.c[0], scale,
                lane);
}

}  // namespace

void flash_backward_bf16(const Heads<bf16>& x, int batch, const Slopes<bf16>& d) {
  with_head_dim(x.dim, [&]<int D>() {
    launch(key_kernel<D>, dim3(ceil_div(x.keys, block_rows), x.kv_heads, batch), dim3(threads),
           KeyBlock<D>::bytes, x, d);
    constexpr size_t shared = size_t(2 * block_rows + 4 * 64) * D * sizeof(bf16);
    launch(query_kernel<D>, dim3(ceil_div(x.queries, block_rows), x.heads, batch), dim3(threads),
           shared, x, d);
  });
}

}  // namespace afina::AFINA_GPU
