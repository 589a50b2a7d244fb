// RMSNorm and LayerNorm, of x or of a residual sum that is made in the same pass: a warp or a block
// to a row; the gradients of weight and bias by parts of rows.
#include "cuda/block.cuh"
#include "cuda/column_sums.cuh"
#include "cuda/row_part.cuh"
#include "engine/ops/norm.h"

namespace afina::AFINA_GPU {
namespace {

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

// The row that the norm is of, seen for the first time: body(values). x + more is rounded and
// written on the way, and is x from then on; a thread reads again only what it has written itself.
template <int V, class T, class Body>
__device__ void first_pass(Part<T, V>& x, const Norm<T>& c, int64_t row, int n, Body body) {
  constexpr int w = width_of<T>;
  sum_of<T> v[w], other[w];
  x.look(c.x + row * c.n, n, c.whole);
  if (!c.more) {
    x.each([&](int k, int i) {
      x.values(v, k, i);
      body(i, v);
    });
    return;
  }
  Part<T, V> more;
  more.look(c.more + row * c.n, n, c.whole);
  T* sum = c.sum + row * c.n;
  x.each([&](int k, int i) {
    x.values(v, k, i);
    more.values(other, k, i);
    for (int j = 0; j < w; ++j) v[j] = rounded<T>(v[j] + other[j]);
    put<w>(sum, v, i, n, V > 0 || c.whole);
    if constexpr (V > 0) pack(x.held[k], v);
    body(i, v);
  });
  x.row = sum;
}

template <class T, int V>
__global__ void rmsnorm_kernel(T* y, sum_of<T>* rstd, Norm<T> c) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row();
  int n = row < c.rows ? int(c.n) : 0;
  S squares = 0, v[w], weight[w];
  Part<T, V> x;
  first_pass(x, c, row, n, [&](int, S(&first)[w]) {
    for (int j = 0; j < w; ++j) squares = math::v_fma(first[j], first[j], squares);
  });
  S scale = S(1) / math::v_sqrt(row_sum(squares) / S(c.n) + c.eps);
  if (!n) return;
  x.forget();
  if (threadIdx.x == 0) rstd[row] = scale;
  x.each([&](int k, int i) {
    x.values(v, k, i);
    take<w>(weight, c.weight, i, n, V > 0 || c.whole);
    for (int j = 0; j < w; ++j) v[j] = v[j] * scale * weight[j];
    put<w>(y + row * n, v, i, n, V > 0 || c.whole);
  });
}

template <class T, int V>
__global__ void layernorm_kernel(T* y, sum_of<T>* mean, sum_of<T>* rstd, Norm<T> c) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t row = my_row();
  int n = row < c.rows ? int(c.n) : 0;
  S sum = 0, squares = 0, v[w], weight[w], bias[w];
  Part<T, V> x;
  first_pass(x, c, row, n, [&](int, S(&first)[w]) {
    for (int j = 0; j < w; ++j) sum += first[j];
  });
  S centre = row_sum(sum) / S(c.n);
  x.each([&](int k, int i) {
    x.values(v, k, i);
    for (int j = 0; j < w; ++j)
      if (V > 0 || i + j < n) squares = math::v_fma(v[j] - centre, v[j] - centre, squares);
  });
  S scale = S(1) / math::v_sqrt(row_sum(squares) / S(c.n) + c.eps);
  if (!n) return;
  x.forget();
  if (threadIdx.x == 0) {
    mean[row] = centre;
    rstd[row] = scale;
  }
  x.each([&](int k, int i) {
    x.values(v, k, i);
    take<w>(weight, c.weight, i, n, V > 0 || c.whole);
    take<w>(bias, c.bias, i, n, V > 0 || c.whole);
    for (int j = 0; j < w; ++j) v[j] = math::v_fma((v[j] - centre) * scale, weight[j], bias[j]);
    put<w>(y + row * n, v, i, n, V > 0 || c.whole);
  });
}

// Rows that a thread's row of the block takes one after the other, and what it sums over them on
// the way: parts (blocks, n) of the gradients of weight and bias; nullptr: not wanted.
template <class S>
struct Slopes {
  int rows;
  S *weight, *bias;
};

// The columns' sums of all the block's rows, in order, into its part.
template <int V, int w, class S>
__device__ void put_part(S* parts, const S (&slope)[V][w], int n) {
  S* part = parts + int64_t(blockIdx.x) * n;
  S* all = blockDim.y == 1 ? part : dynamic_shared<S>() + int(threadIdx.y) * n;
#pragma unroll
  for (int k = 0; k < V; ++k) {
    int i = (k * int(blockDim.x) + int(threadIdx.x)) * w;
    if (i < n)
      for (int j = 0; j < w; ++j) all[i + j] = slope[k][j];
  }
  if (blockDim.y == 1) return;
  __syncthreads();
  for (int i = int(threadIdx.y * blockDim.x + threadIdx.x); i < n;
       i += int(blockDim.x * blockDim.y)) {
    S sum = 0;
    for (int y = 0; y < int(blockDim.y); ++y) sum += dynamic_shared<S>()[y * n + i];
    part[i] = sum;
  }
  __syncthreads();
}

// A gradient in the place of what is there, or added to it, each rounded.
template <int V, class T>
__device__ void put_slope(T* p, sum_of<T> (&v)[width_of<T>], const Part<T, V>& before, int k, int i,
                          bool add) {
  constexpr int w = width_of<T>;
  if (add) {
    sum_of<T> there[w];
    before.values(there, k, i);
    for (int j = 0; j < w; ++j) v[j] = there[j] + rounded<T>(v[j]);
  }
  put<w>(p, v, i, before.n, V > 0 || before.whole);
}

// RMSNorm: dx = rstd (g - x̂ mean(g x̂)) with g = dy weight, x̂ = x rstd.
// LayerNorm: dx = rstd (g - mean(g) - x̂ mean(g x̂)) with x̂ = (x - mean) rstd.
template <class T, int V, bool layer, bool sums>
__global__ void norm_backward_kernel(T* dx, const T* dy, Norm<T> c, bool add,
                                     Slopes<sum_of<T>> slopes) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  S of_weight[sums ? V : 1][w] = {}, of_bias[sums && layer ? V : 1][w] = {};
#pragma unroll 1
  for (int r = 0; r < slopes.rows; ++r) {
    int64_t row = my_row() * slopes.rows + r;
    int n = row < c.rows ? int(c.n) : 0;
    Part<T, V> x, d, before;
    x.look(c.x + row * c.n, n, c.whole);
    d.look(dy + row * c.n, n, c.whole);
    if (add) before.look(dx + row * c.n, n, c.whole);
    before.n = n;
    before.whole = c.whole;
    before.row = dx + row * c.n;
    S along = 0, sum = 0, by = n ? c.rstd[row] : S(0), at = layer && n ? c.mean[row] : S(0), v[w],
      g[w], weight[w];
    x.each([&](int k, int i) {
      x.values(v, k, i);
      d.values(g, k, i);
      take<w>(weight, c.weight, i, n, V > 0 || c.whole);
      for (int j = 0; j < w; ++j) {
        if (layer) {
          v[j] -= at;
          sum += g[j] * weight[j];
        }
        along = math::v_fma(g[j] * weight[j], v[j] * by, along);
      }
    });
    S of_g = layer ? row_sum(sum) / S(c.n) : S(0), of_gx = row_sum(along) / S(c.n);
    x.forget();
    d.forget();
    x.each([&](int k, int i) {
      x.values(v, k, i);
      d.values(g, k, i);
      take<w>(weight, c.weight, i, n, V > 0 || c.whole);
      for (int j = 0; j < w; ++j) {
        S normed = (layer ? v[j] - at : v[j]) * by,
          slope = layer ? g[j] * weight[j] - of_g : g[j] * weight[j];
        if (sums) of_weight[k][j] += g[j] * normed;
        if (sums && layer) of_bias[k][j] += g[j];
        v[j] = by * math::v_fma(-normed, of_gx, slope);
      }
      put_slope(dx + row * c.n, v, before, k, i, add);
    });
  }
  if constexpr (sums) {
    put_part<V, w>(slopes.weight, of_weight, int(c.n));
    if constexpr (layer)
      if (slopes.bias) put_part<V, w>(slopes.bias, of_bias, int(c.n));
  }
}

// What the gradients of weight (dy x̂) and bias (dy) sum over rows; mean is nullptr for RMSNorm.
template <class T>
struct WeightSlope {
  using S = sum_of<T>;
  const T *dy, *x;
  const S *mean, *rstd;
  int64_t n;
  template <int w>
  __device__ void operator()(S (&v)[w], int64_t row, int64_t column) const {
    S value[w], by = rstd[row], at = mean ? mean[row] : S(0);
    take<w>(v, dy + row * n, column, n, true);
    take<w>(value, x + row * n, column, n, true);
    for (int j = 0; j < w; ++j) v[j] *= (mean ? value[j] - at : value[j]) * by;
  }
};
template <class T>
struct BiasSlope {
  const T* dy;
  int64_t n;
  template <int w>
  __device__ void operator()(sum_of<T> (&v)[w], int64_t row, int64_t column) const {
    take<w>(v, dy + row * n, column, n, true);
  }
};

template <class T>
Norm<T> norm_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                const Tensor& rstd, double eps) {
  using S = sum_of<T>;
  auto data = [](const Tensor& t) -> const S* { return t ? t.data<S>() : nullptr; };
  Norm<T> c{x.data<T>(), data(weight), data(bias), data(mean), data(rstd), x.rows(),
            x.columns(), S(eps),       false,      nullptr,    nullptr};
  c.whole = whole(c.n, width_of<T>, c.x, c.weight, c.bias);
  return c;
}
// body(std::integral_constant<int, V>): how many vectors of a row a thread keeps in registers; 0
// where rows are not of bf16, not whole or too long.
template <class T, int V = 1, class Body>
void with_held(const Norm<T>& c, Body body) {
  if constexpr (std::is_same_v<T, bf16> && V <= 4) {
    if (c.whole && ceil_div(c.n, int64_t(width_of<T>) * row_block(c.n).x) == V)
      body(std::integral_constant<int, V>());
    else with_held<T, V + 1>(c, body);
  } else {
    body(std::integral_constant<int, 0>());
  }
}

// sum and more: both empty, or sum = x + more is what the norm is of.
void any_rmsnorm(Tensor& sum, Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& more,
                 const Tensor& weight, double eps) {
  with_type(
      x.dtype(),
      [&](auto* type) {
        using T = pointed<decltype(type)>;
        Norm<T> c = norm_of<T>(x, weight, Tensor(), Tensor(), Tensor(), eps);
        if (more) {
          c.more = more.data<T>();
          c.sum = sum.data<T>();
          c.whole = c.whole && whole(c.n, width_of<T>, c.more, c.sum);
        }
        c.whole = c.whole && whole(c.n, width_of<T>, y.data<T>());
        with_held(c, [&](auto held) {
          launch(rmsnorm_kernel<T, held()>, row_grid(c.rows, c.n), row_block(c.n), 0, y.data<T>(),
                 rstd.data<sum_of<T>>(), c);
        });
      },
      "rmsnorm");
}
void any_layernorm(Tensor& sum, Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x,
                   const Tensor& more, const Tensor& weight, const Tensor& bias, double eps) {
  with_type(
      x.dtype(),
      [&](auto* type) {
        using T = pointed<decltype(type)>;
        using S = sum_of<T>;
        Norm<T> c = norm_of<T>(x, weight, bias, Tensor(), Tensor(), eps);
        if (more) {
          c.more = more.data<T>();
          c.sum = sum.data<T>();
          c.whole = c.whole && whole(c.n, width_of<T>, c.more, c.sum);
        }
        c.whole = c.whole && whole(c.n, width_of<T>, y.data<T>());
        with_held(c, [&](auto held) {
          launch(layernorm_kernel<T, held()>, row_grid(c.rows, c.n), row_block(c.n), 0, y.data<T>(),
                 mean.data<S>(), rstd.data<S>(), c);
        });
      },
      "layernorm");
}

void rmsnorm(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight, double eps) {
  Tensor none;
  any_rmsnorm(none, y, rstd, x, none, weight, eps);
}
void layernorm(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x, const Tensor& weight,
               const Tensor& bias, double eps) {
  Tensor none;
  any_layernorm(none, y, mean, rstd, x, none, weight, bias, eps);
}

// Rows to a thread's row of the block where columns are summed on the way: as many as leave the
// card busy, which the shape alone decides, so that every card gives the same bits.
int rows_each(int64_t rows, int64_t n) {
  const int64_t most = row_block(n).y > 1 ? 16 : 32, busy = row_block(n).y > 1 ? 2048 : 512;
  return int(rows / busy < 1 ? 1 : rows / busy < most ? rows / busy : most);
}

template <bool layer>
void norm_backward(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy, const Tensor& x,
                   const Tensor& weight, const Tensor& mean, const Tensor& rstd, bool add) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    using S = sum_of<T>;
    Norm<T> c = norm_of<T>(x, weight, Tensor(), mean, rstd, 0.);
    c.whole = c.whole && whole(c.n, width_of<T>, dy.data<T>(), dx.data<T>());
    with_held(c, [&](auto held) {
      constexpr int V = held();
      if constexpr (V > 0)
        if (dweight) {
          PurposeScope purpose(Purpose::workspace);
          Slopes<S> slopes{rows_each(c.rows, c.n), nullptr, nullptr};
          const dim3 grid = row_grid(ceil_div(c.rows, slopes.rows), c.n), block = row_block(c.n);
          Tensor of_weight({grid.x, c.n}, dtype_of<S>::value, dx.device()), of_bias;
          if (dbias) of_bias = like(of_weight);
          slopes.weight = of_weight.data<S>();
          slopes.bias = dbias ? of_bias.data<S>() : nullptr;
          launch(norm_backward_kernel<T, V, layer, true>, grid, block,
                 block.y > 1 ? block.y * size_t(c.n) * sizeof(S) : 0, dx.data<T>(), dy.data<T>(), c,
                 add, slopes);
          add_parts<S>(dweight, of_weight);
          if (dbias) add_parts<S>(dbias, of_bias);
          return;
        }
      launch(norm_backward_kernel<T, V, layer, false>, row_grid(c.rows, c.n), row_block(c.n), 0,
             dx.data<T>(), dy.data<T>(), c, add, Slopes<S>{1, nullptr, nullptr});
      auto add_sums = [&](Tensor& slope, const auto& of) {
        if (c.whole) add_column_sums<width_of<T>, S>(slope, of, c.rows, c.n);
        else add_column_sums<1, S>(slope, of, c.rows, c.n);
      };
      if (dweight) add_sums(dweight, WeightSlope<T>{dy.data<T>(), c.x, c.mean, c.rstd, c.n});
      if (dbias) add_sums(dbias, BiasSlope<T>{dy.data<T>(), c.n});
    });
  });
}
void rmsnorm_backward(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x,
                      const Tensor& weight, const Tensor& rstd, bool add) {
  Tensor none;
  norm_backward<false>(dx, dweight, none, dy, x, weight, none, rstd, add);
}
void layernorm_backward(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy,
                        const Tensor& x, const Tensor& weight, const Tensor& mean,
                        const Tensor& rstd, bool add) {
  norm_backward<true>(dx, dweight, dbias, dy, x, weight, mean, rstd, add);
}

REGISTER_CUDA(rmsnorm, row_tree, 0, rmsnorm);
REGISTER_CUDA(added_rmsnorm, row_tree, 0, any_rmsnorm);
REGISTER_CUDA(rmsnorm_backward, row_tree, 0, rmsnorm_backward);
REGISTER_CUDA(layernorm, row_tree, 0, layernorm);
REGISTER_CUDA(added_layernorm, row_tree, 0, any_layernorm);
REGISTER_CUDA(layernorm_backward, row_tree, 0, layernorm_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
