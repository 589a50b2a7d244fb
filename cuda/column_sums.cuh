// Sums over rows, column by column: first over parts with a fixed number of rows, then over the
// parts in order. The order depends only on the number of rows, so that every run gives the same
// bits.
#pragma once
#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {

inline constexpr int part_rows = 128, part_threads = 8;

// partial (parts, n): the sum over the rows of a part of what of(v, row, column) writes to v, for w
// columns from `column` on. Blocks of 32 w columns by 8 threads; each thread takes every eighth
// row.
template <int w, class S, class Of>
__global__ void column_parts_kernel(S* partial, Of of, int64_t rows, int64_t n) {
  __shared__ S sums[part_threads][w][warp];
  int64_t column = (int64_t(blockIdx.x) * warp + threadIdx.x) * w,
          first = int64_t(blockIdx.y) * part_rows;
  int64_t last = first + part_rows < rows ? first + part_rows : rows;
  S sum[w] = {};
  if (column < n) {
#pragma unroll 4
    for (int64_t row = first + threadIdx.y; row < last; row += part_threads) {
      S v[w];
      of(v, row, column);
      for (int j = 0; j < w; ++j) sum[j] += v[j];
    }
  }
  for (int j = 0; j < w; ++j) sums[threadIdx.y][j][threadIdx.x] = sum[j];
  for (unsigned half = part_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half)
      for (int j = 0; j < w; ++j)
        sums[threadIdx.y][j][threadIdx.x] += sums[threadIdx.y + half][j][threadIdx.x];
  }
  if (threadIdx.y == 0 && column < n)
    for (int j = 0; j < w; ++j)
      partial[int64_t(blockIdx.y) * n + column + j] = sums[0][j][threadIdx.x];
}
// y += the sum of the parts (parts, n). Blocks of 32 columns by 8 threads; each adds every eighth
// part in order, and a tree adds the eight sums.
template <class T, class S>
__global__ void add_parts_kernel(T* y, const S* partial, int parts, int64_t n) {
  __shared__ S sums[part_threads][warp];
  int64_t column = int64_t(blockIdx.x) * warp + threadIdx.x;
  S sum = 0;
  if (column < n) {
#pragma unroll 8
    for (int i = int(threadIdx.y); i < parts; i += part_threads)
      sum += partial[int64_t(i) * n + column];
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  for (unsigned half = part_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) sums[threadIdx.y][threadIdx.x] += sums[threadIdx.y + half][threadIdx.x];
  }
  if (threadIdx.y == 0 && column < n) store(y + column, load(y + column) + sums[0][threadIdx.x]);
}
template <class T>
void add_parts(Tensor& y, const Tensor& partial) {
  using S = sum_of<T>;
  int64_t n = partial.columns();
  launch(add_parts_kernel<T, S>, unsigned(ceil_div(n, warp)), dim3(warp, part_threads), 0,
         y.data<T>(), partial.data<S>(), int(partial.rows()), n);
}

// y (n) += for every column, the sum over rows of the values given by `of`: a struct with a device
// operator()(v, row, column) for w columns at a time if n and all its memory are aligned for that,
// otherwise for one.
template <int w, class T, class Of>
void add_column_sums(Tensor& y, const Of& of, int64_t rows, int64_t n) {
  using S = sum_of<T>;
  PurposeScope purpose(Purpose::workspace);
  int parts = ceil_div(rows, part_rows);
  Tensor partial({parts, n}, dtype_of<S>::value, y.device());
  launch(column_parts_kernel<w, S, Of>, dim3(unsigned(ceil_div(n, warp * w)), unsigned(parts)),
         dim3(warp, part_threads), 0, partial.data<S>(), of, rows, n);
  add_parts<T>(y, partial);
}

}  // namespace afina::AFINA_GPU
