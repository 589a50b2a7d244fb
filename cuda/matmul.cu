// Matrix multiplication, two simple versions: one thread per element, and tiles in shared memory.
// Both process k in order and therefore give the CPU's bits.
#include "cuda/matmul.cuh"

#include "engine/primitives.h"

namespace afina::AFINA_GPU {
namespace {

template <class T>
__device__ sum_of<T> chain_over(const Factors<T>& f, int64_t row, int64_t column, sum_of<T> sum) {
  for (int p = 0; p < f.k; p += 2)
    for (int i = 0; i < 2; ++i) {
      int q = p + chain<T>(i);
      if (q < f.k)
        sum = math::v_fma(sum_of<T>(load(f.a + f.a_at(row, q))),
                          sum_of<T>(load(f.b + f.b_at(q, column))), sum);
    }
  return sum;
}
template <class T, class Out>
__global__ void naive_kernel(Product<T, Out> p) {
  int64_t row = int64_t(blockIdx.y) * blockDim.y + threadIdx.y,
          column = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (row >= p.m || column >= p.n) return;
  p.finish(
      row, column,
      chain_over(p.second, row, column, chain_over(p.first, row, column, p.start(row, column))));
}
template <class T, class Out>
void naive(const Product<T, Out>& p) {
  launch(naive_kernel<T, Out>, dim3(unsigned(ceil_div(p.n, 32)), unsigned(ceil_div(p.m, 8))),
         dim3(32, 8), 0, p);
}

// A block computes 64 x 64 of C from 64 x 16 of A and 16 x 64 of B at a time; a thread 4 x 4 of it,
// sixteen rows and columns apart.
constexpr int tile = 64, depth = 16, side = 16, each = tile / side;
template <class S>
struct Tiles {
  S a[depth][tile + 1],
      b[depth][tile + 1];  // padding: threads that read down a column hit different banks
};

// Zeros past the edges: a multiply-add with them changes no sum.
template <class T>
__device__ void load_tiles(Tiles<sum_of<T>>& to, const Factors<T>& f, int64_t m, int64_t n,
                           int64_t row0, int64_t column0, int p0) {
  int thread = int(threadIdx.y) * side + int(threadIdx.x);
  for (int e = thread; e < tile * depth; e += side * side) {
    int i = f.ta ? e % tile : e / depth,
        p = f.ta ? e / tile : e % depth;  // neighbours in memory go to neighbouring threads
    to.a[p][i] = row0 + i < m && p0 + p < f.k ? load(f.a + f.a_at(row0 + i, p0 + p)) : sum_of<T>(0);
    i = f.tb ? e / depth : e % tile;
    p = f.tb ? e % depth : e / tile;
    to.b[p][i] =
        column0 + i < n && p0 + p < f.k ? load(f.b + f.b_at(p0 + p, column0 + i)) : sum_of<T>(0);
  }
}
template <class T>
__device__ void add_tiles(sum_of<T> (&sum)[each][each], Tiles<sum_of<T>>& tiles,
                          const Factors<T>& f, int64_t m, int64_t n, int64_t row0,
                          int64_t column0) {
  for (int p0 = 0; p0 < f.k; p0 += depth) {
    __syncthreads();  // the previous tiles have been read
    load_tiles(tiles, f, m, n, row0, column0, p0);
    __syncthreads();
    for (int step = 0; step < depth; ++step) {
      int p = chain<T>(step);
      sum_of<T> a[each], b[each];
      for (int i = 0; i < each; ++i) {
        a[i] = tiles.a[p][threadIdx.y + i * side];
        b[i] = tiles.b[p][threadIdx.x + i * side];
      }
      for (int i = 0; i < each; ++i)
        for (int j = 0; j < each; ++j) sum[i][j] = math::v_fma(a[i], b[j], sum[i][j]);
    }
  }
}
template <class T, class Out>
__global__ void __launch_bounds__(side* side, 2) tiled_kernel(Product<T, Out> p) {
  __shared__ Tiles<sum_of<T>> tiles;
  int64_t row0 = int64_t(blockIdx.y) * tile, column0 = int64_t(blockIdx.x) * tile;
  sum_of<T> sum[each][each];
  for (int i = 0; i < each; ++i)
    for (int j = 0; j < each; ++j) {
      int64_t row = row0 + threadIdx.y + i * side, column = column0 + threadIdx.x + j * side;
      sum[i][j] = row < p.m && column < p.n ? p.start(row, column) : sum_of<T>(0);
    }
  add_tiles(sum, tiles, p.first, p.m, p.n, row0, column0);
  add_tiles(sum, tiles, p.second, p.m, p.n, row0, column0);
  for (int i = 0; i < each; ++i)
    for (int j = 0; j < each; ++j) {
      int64_t row = row0 + threadIdx.y + i * side, column = column0 + threadIdx.x + j * side;
      if (row < p.m && column < p.n) p.finish(row, column, sum[i][j]);
    }
}
template <class T, class Out>
void tiled(const Product<T, Out>& p) {
  launch(tiled_kernel<T, Out>, dim3(unsigned(ceil_div(p.n, tile)), unsigned(ceil_div(p.m, tile))),
         dim3(side, side), 0, p);
}

void matmul_naive(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
                  const Tensor& bias) {
  with_product(c, a, b, Tensor(), Tensor(), ta, tb, accumulate, bias, [](auto& p) { naive(p); });
}
void matmul_tiled(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
                  const Tensor& bias) {
  with_product(c, a, b, Tensor(), Tensor(), ta, tb, accumulate, bias, [](auto& p) { tiled(p); });
}
void matmul2_naive(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                   bool tb, const Tensor& bias) {
  with_product(c, a, b, a2, b2, false, tb, false, bias, [](auto& p) { naive(p); });
}
void matmul2_tiled(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                   bool tb, const Tensor& bias) {
  with_product(c, a, b, a2, b2, false, tb, false, bias, [](auto& p) { tiled(p); });
}

REGISTER_CUDA(matmul, naive, 0, matmul_naive);
REGISTER_CUDA(matmul, tiled, 10, matmul_tiled);
REGISTER_CUDA(matmul2, naive, 0, matmul2_naive);
REGISTER_CUDA(matmul2, tiled, 10, matmul2_tiled);

}  // namespace
}  // namespace afina::AFINA_GPU
