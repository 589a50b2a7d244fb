// RMSNorm and LayerNorm, of x or of a residual sum that is made in the same pass: a warp or a block to a row; the gradients of weight and
// bias by parts of rows.
#include "cuda/block.cuh"
#include "cuda/column_sums.cuh"
#include "engine/ops/norm.h"

namespace afina::AFINA_GPU {
namespace {

// body(i, values of x at i): over this thread's part of a row of n.
template <int w, class T, class Body>
__device__ void over_row(const T* x, int64_t n, bool whole, Body body) {
  for (int64_t i = int64_t(threadIdx.x) * w; i < n; i += int64_t(blockDim.x) * w) {
    sum_of<T> v[w];
    take<w>(v, x, i, n, whole);
    body(i, v);
  }
}

template <class T>
struct Norm {
  using S = sum_of<T>;
  const T* x;
  const S *weight, *bias, *mean, *rstd;
  int64_t rows, n;
  S eps;
  bool whole;
  const T* more;  // the norm is of x + more, which goes to sum; nullptr: of x
  T* sum;
};

// The row that the norm is of, seen for the first time: body(values). x + more is rounded and written on the way. Returns where the row
// lies from then on; a thread reads again only what it has written itself.
template <int w, class T, class Body>
__device__ const T* first_pass(const Norm<T>& c, int64_t row, int64_t n, Body body) {
  const T* x = c.x + row * c.n;
  if (!c.more) {
    over_row<w>(x, n, c.whole, [&](int64_t, sum_of<T>(&v)[w]) { body(v); });
    return x;
  }
  T* sum = c.sum + row * c.n;
  over_row<w>(x, n, c.whole, [&](int64_t i, sum_of<T>(&v)[w]) {
    sum_of<T> more[w];
    take<w>(more, c.more + row * c.n, i, n, c.whole);
    for (int j = 0; j < w; ++j) v[j] = rounded<T>(v[j] + more[j]);
    put<w>(sum, v, i, n, c.whole);
    body(v);
  });
  return sum;
}

template <class T>
__global__ void rmsnorm_kernel(T* y, sum_of<T>* rstd, Norm<T> c) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row(), n = row < c.rows ? c.n : 0;
  S squares = 0;
  const T* x = first_pass<w>(c, row, n, [&](S(&v)[w]) {
    for (int j = 0; j < w; ++j) squares = math::v_fma(v[j], v[j], squares);
  });
  S scale = S(1) / math::v_sqrt(row_sum(squares) / S(c.n) + c.eps);
  if (!n) return;
  if (threadIdx.x == 0) rstd[row] = scale;
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    S weight[w];
    take<w>(weight, c.weight, i, n, c.whole);
    for (int j = 0; j < w; ++j) v[j] = v[j] * scale * weight[j];
    put<w>(y + row * n, v, i, n, c.whole);
  });
}

// A gradient in the place of what is there, or added to it, each rounded.
template <int w, class T>
__device__ void put_slope(T* p, sum_of<T> (&v)[w], int64_t i, int64_t n, bool whole, bool add) {
  if (add) {
    sum_of<T> before[w];
    take<w>(before, p, i, n, whole);
    for (int j = 0; j < w; ++j) v[j] = before[j] + rounded<T>(v[j]);
  }
  put<w>(p, v, i, n, whole);
}

// dx = rstd (g - x̂ mean(g x̂)) with g = dy weight, x̂ = x rstd.
template <class T>
__global__ void rmsnorm_backward_kernel(T* dx, const T* dy, Norm<T> c, bool add) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row(), n = row < c.rows ? c.n : 0;
  const T* x = c.x + row * c.n;
  S along = 0, by = n ? c.rstd[row] : S(0);
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    S d[w], weight[w];
    take<w>(d, dy + row * n, i, n, c.whole), take<w>(weight, c.weight, i, n, c.whole);
    for (int j = 0; j < w; ++j) along = math::v_fma(d[j] * weight[j], v[j] * by, along);
  });
  S mean = row_sum(along) / S(c.n);
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    S d[w], weight[w];
    take<w>(d, dy + row * n, i, n, c.whole), take<w>(weight, c.weight, i, n, c.whole);
    for (int j = 0; j < w; ++j) v[j] = by * math::v_fma(-(v[j] * by), mean, d[j] * weight[j]);
    put_slope<w>(dx + row * n, v, i, n, c.whole, add);
  });
}

template <class T>
__global__ void layernorm_kernel(T* y, sum_of<T>* mean, sum_of<T>* rstd, Norm<T> c) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row(), n = row < c.rows ? c.n : 0;
  S sum = 0, squares = 0;
  const T* x = first_pass<w>(c, row, n, [&](S(&v)[w]) {
    for (int j = 0; j < w; ++j) sum += v[j];
  });
  S centre = row_sum(sum) / S(c.n);
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    for (int j = 0; j < w; ++j)
      if (i + j < n) squares = math::v_fma(v[j] - centre, v[j] - centre, squares);
  });
  S scale = S(1) / math::v_sqrt(row_sum(squares) / S(c.n) + c.eps);
  if (!n) return;
  if (threadIdx.x == 0) mean[row] = centre, rstd[row] = scale;
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    S weight[w], bias[w];
    take<w>(weight, c.weight, i, n, c.whole), take<w>(bias, c.bias, i, n, c.whole);
    for (int j = 0; j < w; ++j) v[j] = math::v_fma((v[j] - centre) * scale, weight[j], bias[j]);
    put<w>(y + row * n, v, i, n, c.whole);
  });
}

// dx = rstd (g - mean(g) - x̂ mean(g x̂)) with g = dy weight, x̂ = (x - mean) rstd.
template <class T>
__global__ void layernorm_backward_kernel(T* dx, const T* dy, Norm<T> c, bool add) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row(), n = row < c.rows ? c.n : 0;
  const T* x = c.x + row * c.n;
  S along = 0, sum = 0, by = n ? c.rstd[row] : S(0), at = n ? c.mean[row] : S(0);
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    S d[w], weight[w];
    take<w>(d, dy + row * n, i, n, c.whole), take<w>(weight, c.weight, i, n, c.whole);
    for (int j = 0; j < w; ++j) sum += d[j] * weight[j], along = math::v_fma(d[j] * weight[j], (v[j] - at) * by, along);
  });
  S of_g = row_sum(sum) / S(c.n), of_gx = row_sum(along) / S(c.n);
  over_row<w>(x, n, c.whole, [&](int64_t i, S(&v)[w]) {
    S d[w], weight[w];
    take<w>(d, dy + row * n, i, n, c.whole), take<w>(weight, c.weight, i, n, c.whole);
    for (int j = 0; j < w; ++j) v[j] = by * math::v_fma(-((v[j] - at) * by), of_gx, d[j] * weight[j] - of_g);
    put_slope<w>(dx + row * n, v, i, n, c.whole, add);
  });
}

// What the gradients of weight (dy x̂) and bias (dy) sum over rows; mean is nullptr for RMSNorm.
template <class T>
struct WeightSlope {
  using S = sum_of<T>;
  const T *dy, *x;
  const S *mean, *rstd;
  int64_t n;
  __device__ S operator()(int64_t row, int64_t column) const {
    S value = load(x + row * n + column);
    return load(dy + row * n + column) * ((mean ? value - mean[row] : value) * rstd[row]);
  }
};
template <class T>
struct BiasSlope {
  const T* dy;
  int64_t n;
  __device__ sum_of<T> operator()(int64_t row, int64_t column) const { return load(dy + row * n + column); }
};

template <class T>
Norm<T> norm_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& rstd, double eps) {
  using S = sum_of<T>;
  auto data = [](const Tensor& t) -> const S* { return t ? t.data<S>() : nullptr; };
  Norm<T> c{x.data<T>(), data(weight), data(bias), data(mean), data(rstd), x.rows(), x.columns(), S(eps), false, nullptr, nullptr};
  c.whole = whole(c.n, width_of<T>, c.x, c.weight, c.bias);
  return c;
}
// sum and more: both empty, or sum = x + more is what the norm is of.
void any_rmsnorm(Tensor& sum, Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& more, const Tensor& weight, double eps) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    Norm<T> c = norm_of<T>(x, weight, Tensor(), Tensor(), Tensor(), eps);
    if (more) c.more = more.data<T>(), c.sum = sum.data<T>(), c.whole = c.whole && whole(c.n, width_of<T>, c.more, c.sum);
    launch(rmsnorm_kernel<T>, row_grid(c.rows, c.n), row_block(c.n), 0, y.data<T>(), rstd.data<sum_of<T>>(), c);
  });
}
void any_layernorm(Tensor& sum, Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x, const Tensor& more, const Tensor& weight,
                   const Tensor& bias, double eps) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    using S = sum_of<T>;
    Norm<T> c = norm_of<T>(x, weight, bias, Tensor(), Tensor(), eps);
    if (more) c.more = more.data<T>(), c.sum = sum.data<T>(), c.whole = c.whole && whole(c.n, width_of<T>, c.more, c.sum);
    launch(layernorm_kernel<T>, row_grid(c.rows, c.n), row_block(c.n), 0, y.data<T>(), mean.data<S>(), rstd.data<S>(), c);
  });
}

void rmsnorm(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight, double eps) {
  Tensor none;
  any_rmsnorm(none, y, rstd, x, none, weight, eps);
}
void layernorm(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  Tensor none;
  any_layernorm(none, y, mean, rstd, x, none, weight, bias, eps);
}
void rmsnorm_backward(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& rstd, bool add) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    Norm<T> c = norm_of<T>(x, weight, Tensor(), Tensor(), rstd, 0.);
    c.whole = c.whole && whole(c.n, width_of<T>, dy.data<T>(), dx.data<T>());
    launch(rmsnorm_backward_kernel<T>, row_grid(c.rows, c.n), row_block(c.n), 0, dx.data<T>(), dy.data<T>(), c, add);
    if (dweight) add_column_sums<sum_of<T>>(dweight, WeightSlope<T>{dy.data<T>(), c.x, nullptr, c.rstd, c.n}, c.rows, c.n);
  });
}
void layernorm_backward(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy, const Tensor& x, const Tensor& weight,
                        const Tensor& mean, const Tensor& rstd, bool add) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    Norm<T> c = norm_of<T>(x, weight, Tensor(), mean, rstd, 0.);
    c.whole = c.whole && whole(c.n, width_of<T>, dy.data<T>(), dx.data<T>());
    launch(layernorm_backward_kernel<T>, row_grid(c.rows, c.n), row_block(c.n), 0, dx.data<T>(), dy.data<T>(), c, add);
    if (dweight) add_column_sums<sum_of<T>>(dweight, WeightSlope<T>{dy.data<T>(), c.x, c.mean, c.rstd, c.n}, c.rows, c.n);
    if (dbias) add_column_sums<sum_of<T>>(dbias, BiasSlope<T>{dy.data<T>(), c.n}, c.rows, c.n);
  });
}

REGISTER_CUDA(rmsnorm, row_tree, 0, rmsnorm);
REGISTER_CUDA(added_rmsnorm, row_tree, 0, any_rmsnorm);
REGISTER_CUDA(rmsnorm_backward, row_tree, 0, rmsnorm_backward);
REGISTER_CUDA(layernorm, row_tree, 0, layernorm);
REGISTER_CUDA(added_layernorm, row_tree, 0, any_layernorm);
REGISTER_CUDA(layernorm_backward, row_tree, 0, layernorm_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
