// RMSNorm and LayerNorm: rows by threads; the gradients of weight and bias by stripes of columns.
#include "engine/ops/norm.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

static void rmsnorm(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight, double eps) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    S* kept = rstd.data<S>();
    const S* w = weight.data<S>();
    int64_t n = x.columns();
    each_row(x.rows(), 2 * n, [=](int64_t r) {
      const T* row = in + r * n;
      V squares = 0.f;
      columns16(n, [&](int64_t i, int m) {
        V value = take(row + i, m);
        squares = v_fma(value, value, squares);
      });
      S scale = S(1) / math::v_sqrt(sum_lanes<S>(squares) / S(n) + S(eps));
      kept[r] = scale;
      V by = scale;
      columns16(n, [=](int64_t i, int m) { put(out + r * n + i, take(row + i, m) * by * take(w + i, m), m); });
    });
  });
}

// dx = rstd (g - x̂ mean(g x̂)) with g = dy weight, x̂ = x rstd.
static void rmsnorm_backward(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& rstd) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = dx.data<T>();
    const T *slope = dy.data<T>(), *in = x.data<T>();
    const S *w = weight.data<S>(), *scales = rstd.data<S>();
    int64_t n = x.columns(), rows = x.rows();
    each_row(rows, 3 * n, [=](int64_t r) {
      const T *row = in + r * n, *d = slope + r * n;
      V along = 0.f, by = scales[r];
      columns16(n, [&](int64_t i, int m) { along = v_fma(take(d + i, m) * take(w + i, m), take(row + i, m) * by, along); });
      V mean = sum_lanes<S>(along) / S(n);
      columns16(n, [=](int64_t i, int m) {
        put(out + r * n + i, by * v_fma(-(take(row + i, m) * by), mean, take(d + i, m) * take(w + i, m)), m);
      });
    });
    if (!dweight) return;
    S* sums = dweight.data<S>();
    each_stripe(n, rows, [=](int64_t from, int64_t count) {
      for (int64_t r = 0; r < rows; ++r) {
        const T *row = in + r * n + from, *d = slope + r * n + from;
        V by = scales[r];
        columns16(count, [=](int64_t i, int m) {
          put(sums + from + i, v_fma(take(d + i, m), take(row + i, m) * by, take(sums + from + i, m)), m);
        });
      }
    });
  });
}

static void layernorm(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    S *means = mean.data<S>(), *scales = rstd.data<S>();
    const S *w = weight.data<S>(), *b = bias.data<S>();
    int64_t n = x.columns();
    each_row(x.rows(), 3 * n, [=](int64_t r) {
      const T* row = in + r * n;
      V sum = 0.f, squares = 0.f;
      columns16(n, [&](int64_t i, int m) { sum = sum + take(row + i, m); });
      S centre = sum_lanes<S>(sum) / S(n);
      V at = centre;
      columns16(n, [&](int64_t i, int m) {
        V distance = first_lanes(take(row + i, m) - at, m);
        squares = v_fma(distance, distance, squares);
      });
      S scale = S(1) / math::v_sqrt(sum_lanes<S>(squares) / S(n) + S(eps));
      means[r] = centre, scales[r] = scale;
      V by = scale;
      columns16(n, [=](int64_t i, int m) { put(out + r * n + i, v_fma((take(row + i, m) - at) * by, take(w + i, m), take(b + i, m)), m); });
    });
  });
}

// dx = rstd (g - mean(g) - x̂ mean(g x̂)) with g = dy weight, x̂ = (x - mean) rstd.
static void layernorm_backward(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy, const Tensor& x, const Tensor& weight,
                               const Tensor& mean, const Tensor& rstd) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = dx.data<T>();
    const T *slope = dy.data<T>(), *in = x.data<T>();
    const S *w = weight.data<S>(), *means = mean.data<S>(), *scales = rstd.data<S>();
    int64_t n = x.columns(), rows = x.rows();
    each_row(rows, 4 * n, [=](int64_t r) {
      const T *row = in + r * n, *d = slope + r * n;
      V along = 0.f, sum = 0.f, by = scales[r], at = means[r];
      columns16(n, [&](int64_t i, int m) {
        V g = take(d + i, m) * take(w + i, m);  // zero in the lanes beyond the row
        sum = sum + g;
        along = v_fma(g, (take(row + i, m) - at) * by, along);
      });
      V of_g = sum_lanes<S>(sum) / S(n), of_gx = sum_lanes<S>(along) / S(n);
      columns16(n, [=](int64_t i, int m) {
        V g = take(d + i, m) * take(w + i, m), normal = (take(row + i, m) - at) * by;
        put(out + r * n + i, by * v_fma(-normal, of_gx, g - of_g), m);
      });
    });
    if (!dweight && !dbias) return;
    S *of_weight = dweight ? dweight.data<S>() : nullptr, *of_bias = dbias ? dbias.data<S>() : nullptr;
    each_stripe(n, rows, [=](int64_t from, int64_t count) {
      for (int64_t r = 0; r < rows; ++r) {
        const T *row = in + r * n + from, *d = slope + r * n + from;
        V by = scales[r], at = means[r];
        columns16(count, [=](int64_t i, int m) {
          V g = take(d + i, m);
          if (of_weight) put(of_weight + from + i, v_fma(g, (take(row + i, m) - at) * by, take(of_weight + from + i, m)), m);
          if (of_bias) put(of_bias + from + i, take(of_bias + from + i, m) + g, m);
        });
      }
    });
  });
}

REGISTER_CPU(rmsnorm, rmsnorm);
REGISTER_CPU(rmsnorm_backward, rmsnorm_backward);
REGISTER_CPU(layernorm, layernorm);
REGISTER_CPU(layernorm_backward, layernorm_backward);

}  // namespace afina::AFINA_ISA
