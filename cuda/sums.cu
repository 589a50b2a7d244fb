// Sums along rows, along columns, of squares and of losses; each is a fixed tree.
#include "cuda/block.cuh"
#include "cuda/column_sums.cuh"
#include "engine/ops/adamw.h"
#include "engine/ops/cross_entropy.h"
#include "engine/primitives.h"

namespace afina::AFINA_GPU {
namespace {

template <class T>
__global__ void sum_columns_kernel(T* y, const T* x, int64_t rows, int64_t n, bool whole) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row();
  S sum = 0;
  if (row < rows)
    for (int64_t i = int64_t(threadIdx.x) * w; i < n; i += int64_t(blockDim.x) * w) {
      S v[w];
      take<w>(v, x + row * n, i, n, whole);
      for (int j = 0; j < w; ++j) sum += v[j];
    }
  sum = row_sum(sum);
  if (row < rows && threadIdx.x == 0) store(y + row, sum);
}
void sum_columns(Tensor& y, const Tensor& x) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    int64_t n = x.columns();
    const T* in = x.data<T>();
    launch(sum_columns_kernel<T>, row_grid(x.rows(), n), row_block(n), 0, y.data<T>(), in, x.rows(),
           n, whole(n, width_of<T>, in));
  });
}

template <class T>
struct Plain {
  const T* x;
  int64_t n;
  template <int w>
  __device__ void operator()(sum_of<T> (&v)[w], int64_t row, int64_t column) const {
    take<w>(v, x + row * n, column, n, true);
  }
};
void sum_rows(Tensor& y, const Tensor& x) {
  with_types(y.dtype(), x.dtype(), [&](auto* sum_type, auto* type) {
    using To = pointed<decltype(sum_type)>;
    using T = pointed<decltype(type)>;
    Plain<T> of{x.data<T>(), x.columns()};
    if (whole(of.n, width_of<T>, of.x)) add_column_sums<width_of<T>, To>(y, of, x.rows(), of.n);
    else add_column_sums<1, To>(y, of, x.rows(), of.n);
  });
}

// One block sums `count` numbers in f64: every thread its own, then the tree.
constexpr int tree_threads = 256;
template <class To, class T>
__global__ void sum_all_kernel(To* y, const T* x, int64_t count, Number<double> scale) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += double(load(x + i));
  sum = row_sum(sum);
  if (threadIdx.x == 0) store(y, sum_of<To>(sum * scale.get()));
}

constexpr int64_t squares_block = 4096;
template <class T>
__global__ void squares_kernel(double* parts, const T* x, int64_t n) {
  int64_t first = int64_t(blockIdx.x) * squares_block,
          last = first + squares_block < n ? first + squares_block : n;
  double sum = 0;
  for (int64_t i = first + threadIdx.x; i < last; i += blockDim.x) {
    double v = double(load(x + i));
    sum = math::v_fma(v, v, sum);
  }
  sum = row_sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}
void squared_norm(Tensor& out, const Tensor& x) {
  PurposeScope purpose(Purpose::workspace);
  int blocks = ceil_div(x.size(), squares_block);
  Tensor parts({blocks}, Dtype::f64, x.device());
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    launch(squares_kernel<T>, unsigned(blocks), tree_threads, 0, parts.data<double>(), x.data<T>(),
           x.size());
  });
  launch(sum_all_kernel<double, double>, 1, tree_threads, 0, out.data<double>(),
         parts.data<double>(), int64_t(blocks), Number<double>(1.));
}

void sum_losses(Tensor& total, const Tensor& losses, Number<double> scale) {
  with_type(losses.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    launch(sum_all_kernel<T, T>, 1, tree_threads, 0, total.data<T>(), losses.data<T>(),
           losses.size(), scale);
  });
}

REGISTER_CUDA(sum_columns, row_tree, 0, sum_columns);
REGISTER_CUDA(sum_rows, parts_in_order, 0, sum_rows);
REGISTER_CUDA(squared_norm, block_tree, 0, squared_norm);
REGISTER_CUDA(sum_losses, block_tree, 0, sum_losses);

}  // namespace
}  // namespace afina::AFINA_GPU
