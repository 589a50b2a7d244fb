// Flash attention forward in bf16: a warp holds 16 or 32 queries, their sums and their part of the
// result in registers.
#include "cuda/flash_mma.cuh"

namespace afina::AFINA_GPU {
namespace {

constexpr int threads = 128, keys = 64;
template <int D>
constexpr int tiles_of = D <= 64 ? 2 : 1;  // 16 rows each: more would not fit in registers
template <int D>
constexpr int rows_of = 64 * tiles_of<D>;
template <int D>
constexpr size_t shared_of = size_t(rows_of<D> + 4 * keys) * D *
                             sizeof(bf16);  // queries, and two blocks each of keys and values

// What a thread holds for its rows: g and g + 8 of each 16.
template <int tiles>
struct Rows {
  int start[tiles][2], position[tiles][2];  // first and last visible key
  float greatest[tiles][2],
      sum[tiles][2];  // largest exponent, to base 2; sum of exponentials over this thread's columns
};

template <int tiles>
__device__ __forceinline__ Rows<tiles> rows_of_thread(const Heads<bf16>& x, int b, int first,
                                                      int lane) {
  Rows<tiles> r;
#pragma unroll
  for (int i = 0; i < tiles; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      int t = first + i * 16 + lane / 4 + half * 8;
      bool exists = t < x.queries;
      r.start[i][half] = exists ? *x.start(b, t) : 0;
      r.position[i][half] = exists ? x.position(t) : -1;
      r.greatest[i][half] = -INFINITY;
      r.sum[i][half] = 0.f;
    }
  return r;
}

// Turns scores into exponentials and rescales the previous sums to the new maximum.
template <int tiles, int D>
__device__ __forceinline__ void soften(Warp<tiles, keys>& s, Warp<tiles, D>& o, Rows<tiles>& r,
                                       int key, bool all_seen, float scale, int lane) {
#pragma unroll
  for (int i = 0; i < tiles; ++i)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float most = -INFINITY;
#pragma unroll
      for (int j = 0; j < keys / 8; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& score = s.c[i][j][half * 2 + e];
          int at = key + j * 8 + lane % 4 * 2 + e;
          if (!all_seen && (at < r.start[i][half] || at > r.position[i][half])) score = -INFINITY;
          most = fmaxf(most, score);
        }
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));  // over the row's four lanes
      float now = fmaxf(r.greatest[i][half], most * scale), base = now == -INFINITY ? 0.f : now;
      float fade = exp2f(r.greatest[i][half] - base), sum = 0.f;
      r.greatest[i][half] = now;
#pragma unroll
      for (int j = 0; j < keys / 8; ++j)
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& score = s.c[i][j][half * 2 + e];
          score = exp2f(fmaf(score, scale, -base));
          sum += score;
        }
      r.sum[i][half] = fmaf(r.sum[i][half], fade, sum);
#pragma unroll
      for (int j = 0; j < D / 8; ++j) {
        o.c[i][j][half * 2] *= fade;
        o.c[i][j][half * 2 + 1] *= fade;
      }
    }
}

template <int tiles, int D>
__device__ __forceinline__ void finish(const Heads<bf16>& x, bf16* o, float* lse, int b, int h,
                                       int first, const Warp<tiles, D>& sums, const Rows<tiles>& r,
                                       int lane) {
#pragma unroll
  for (int i = 0; i < tiles; ++i) {
    float factors[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = r.sum[i][half];
      sum += __shfl_xor_sync(0xffffffffu, sum, 1);
      sum += __shfl_xor_sync(0xffffffffu, sum, 2);
      factors[half] = sum > 0.f ? 1.f / sum : 0.f;
      int t = first + i * 16 + lane / 4 + half * 8;
      if (lane % 4 == 0 && t < x.queries)
        lse[x.row(b, t, h)] = fmaf(r.greatest[i][half], ln_2, logf(sum));
    }
    store_rows<D>(o + x.query(b, 0, h), x.query_step(), first + i * 16, x.queries, x.dim, sums.c[i],
                  factors, lane);
  }
}

template <int D>
__global__ void __launch_bounds__(threads) forward_kernel(Heads<bf16> x, bf16* o, float* lse) {
  constexpr int tiles = tiles_of<D>, rows = rows_of<D>;
  // The last queries see the most keys, so they start first.
  int t0 = int(gridDim.x - 1 - blockIdx.x) * rows, h = blockIdx.y, b = blockIdx.z,
      kv = h / (x.heads / x.kv_heads);
  int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 * tiles,
      count = lesser(x.queries - t0, rows);
  bf16* shared = dynamic_shared<bf16>();
  Tile<D> q{shared};
  auto key_tile = [&](int block) { return Tile<D>{shared + rows * D + block % 2 * 2 * keys * D}; };
  auto value_tile = [&](int block) {
    return Tile<D>{shared + rows * D + (block % 2 * 2 + 1) * keys * D};
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
  q.template load<rows, threads>(x.q + x.query(b, t0, h), x.query_step(), count, x.dim);
  load_keys(first);
  Rows<tiles> r = rows_of_thread<tiles>(x, b, t0 + row, lane);
  Warp<tiles, D> sums{};
  for (int block = first; block <= last; ++block) {
    copy_async_wait<0>();
    __syncthreads();  // all threads see this block of keys, and all have finished the previous one
    if (block < last) load_keys(block + 1);
    Warp<tiles, keys> s;
    row_products(s, q, row, key_tile(block), lane);
    bool all_seen =
        count == rows && block * keys >= high && block * keys + keys - 1 <= x.position(t0);
    soften(s, sums, r, block * keys, all_seen, x.scale * log2_e, lane);
    add_weighted(sums, s, value_tile(block), lane);
  }
  finish(x, o, lse, b, h, t0 + row, sums, r, lane);
}

}  // namespace

void flash_forward_bf16(const Heads<bf16>& x, int batch, bf16* o, float* lse) {
  with_head_dim(x.dim, [&]<int D>() {
    dim3 grid(ceil_div(x.queries, rows_of<D>), x.heads, batch);
    launch(forward_kernel<D>, grid, dim3(threads), shared_of<D>, x, o, lse);
  });
}

}  // namespace afina::AFINA_GPU
