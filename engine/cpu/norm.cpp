// RMSNorm and LayerNorm: rows are divided among threads; the gradients of weight and bias are
// computed in stripes of columns.
#include "engine/ops/norm.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

// Sixteen elements of the row to normalise: of x, or of x + more, which is rounded and also written
// to sum.
template <class T>
struct Row {
  const T *x, *more;
  T* sum;
  AFINA_INLINE vector_of<T> operator()(int64_t i, int m) const {
    if (!more) return take(x + i, m);
    vector_of<T> value = rounded<T>(take(x + i, m) + take(more + i, m));
    put(sum + i, value, m);
    return value;
  }
  const T* seen() const { return more ? sum : x; }
};
template <class T>
struct Rows {
  const T *x, *more = nullptr;
  T* sum = nullptr;
  explicit Rows(const Tensor& of) : x(of.data<T>()) {}
  Rows(Tensor& to, const Tensor& of, const Tensor& and_of)
      : x(of.data<T>()), more(and_of.data<T>()), sum(to.data<T>()) {}
  AFINA_INLINE Row<T> at(int64_t start) const {
    return {x + start, more ? more + start : nullptr, more ? sum + start : nullptr};
  }
};

template <class T>
static void rmsnorm_of(Tensor& y, Tensor& rstd, Rows<T> rows, const Tensor& weight, double eps) {
  using V = vector_of<T>;
  using S = sum_of<T>;
  T* out = y.data<T>();
  S* kept = rstd.data<S>();
  const S* w = weight.data<S>();
  int64_t n = y.columns();
  each_row(y.rows(), (rows.more ? 3 : 2) * n, [=](int64_t r) {
    Row<T> of = rows.at(r * n);
    V squares = 0.f;
    columns16(n, [&](int64_t i, int m) {
      V value = of(i, m);
      squares = v_fma(value, value, squares);
    });
    const T* row = of.seen();
    S scale = S(1) / math::v_sqrt(sum_lanes<S>(squares) / S(n) + S(eps));
    kept[r] = scale;
    V factor = scale;
    columns16(n, [=](int64_t i, int m) {
      put(out + r * n + i, take(row + i, m) * factor * take(w + i, m), m);
    });
  });
}
static void rmsnorm(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight, double eps) {
  with_type(x.dtype(),
            [&](auto* type) { rmsnorm_of(y, rstd, Rows<AFINA_TYPE(type)>(x), weight, eps); });
}
static void added_rmsnorm(Tensor& sum, Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& more,
                          const Tensor& weight, double eps) {
  with_type(x.dtype(), [&](auto* type) {
    rmsnorm_of(y, rstd, Rows<AFINA_TYPE(type)>(sum, x, more), weight, eps);
  });
}

// Writes the gradient of sixteen elements, or adds it to what is there; each result is rounded.
template <class T, class V>
AFINA_INLINE void put_slope(T* p, V part, int m, bool add) {
  if (add) part = take(p, m) + rounded<T>(part);
  put(p, part, m);
}

// dx = rstd (g - x̂ mean(g x̂)) with g = dy weight, x̂ = x rstd.
static void rmsnorm_backward(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x,
                             const Tensor& weight, const Tensor& rstd, bool add) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = dx.data<T>();
    const T *slope = dy.data<T>(), *in = x.data<T>();
    const S *w = weight.data<S>(), *scales = rstd.data<S>();
    int64_t n = x.columns(), rows = x.rows();
    each_row(rows, (add ? 4 : 3) * n, [=](int64_t r) {
      const T *row = in + r * n, *d = slope + r * n;
      V along = 0.f, factor = scales[r];
      columns16(n, [&](int64_t i, int m) {
        along = v_fma(take(d + i, m) * take(w + i, m), take(row + i, m) * factor, along);
      });
      V mean = sum_lanes<S>(along) / S(n);
      columns16(n, [=](int64_t i, int m) {
        put_slope(
            out + r * n + i,
            factor * v_fma(-(take(row + i, m) * factor), mean, take(d + i, m) * take(w + i, m)), m,
            add);
      });
    });
    if (!dweight) return;
    S* sums = dweight.data<S>();
    each_stripe(n, rows, [=](int64_t from, int64_t count) {
      for (int64_t r = 0; r < rows; ++r) {
        const T *row = in + r * n + from, *d = slope + r * n + from;
        V factor = scales[r];
        columns16(count, [=](int64_t i, int m) {
          put(sums + from + i,
              v_fma(take(d + i, m), take(row + i, m) * factor, take(sums + from + i, m)), m);
        });
      }
    });
  });
}

template <class T>
static void layernorm_of(Tensor& y, Tensor& mean, Tensor& rstd, Rows<T> rows, const Tensor& weight,
                         const Tensor& bias, double eps) {
  using V = vector_of<T>;
  using S = sum_of<T>;
  T* out = y.data<T>();
  S *means = mean.data<S>(), *scales = rstd.data<S>();
  const S *w = weight.data<S>(), *b = bias.data<S>();
  int64_t n = y.columns();
  each_row(y.rows(), (rows.more ? 4 : 3) * n, [=](int64_t r) {
    Row<T> of = rows.at(r * n);
    V sum = 0.f, squares = 0.f;
    columns16(n, [&](int64_t i, int m) { sum = sum + of(i, m); });
    const T* row = of.seen();
    S centre = sum_lanes<S>(sum) / S(n);
    V shift = centre;
    columns16(n, [&](int64_t i, int m) {
      V distance = first_lanes(take(row + i, m) - shift, m);
      squares = v_fma(distance, distance, squares);
    });
    S scale = S(1) / math::v_sqrt(sum_lanes<S>(squares) / S(n) + S(eps));
    means[r] = centre;
    scales[r] = scale;
    V factor = scale;
    columns16(n, [=](int64_t i, int m) {
      put(out + r * n + i,
          v_fma((take(row + i, m) - shift) * factor, take(w + i, m), take(b + i, m)), m);
    });
  });
}
static void layernorm(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x, const Tensor& weight,
                      const Tensor& bias, double eps) {
  with_type(x.dtype(), [&](auto* type) {
    layernorm_of(y, mean, rstd, Rows<AFINA_TYPE(type)>(x), weight, bias, eps);
  });
}
static void added_layernorm(Tensor& sum, Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x,
                            const Tensor& more, const Tensor& weight, const Tensor& bias,
                            double eps) {
  with_type(x.dtype(), [&](auto* type) {
    layernorm_of(y, mean, rstd, Rows<AFINA_TYPE(type)>(sum, x, more), weight, bias, eps);
  });
}

// dx = rstd (g - mean(g) - x̂ mean(g x̂)) with g = dy weight, x̂ = (x - mean) rstd.
static void layernorm_backward(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy,
                               const Tensor& x, const Tensor& weight, const Tensor& mean,
                               const Tensor& rstd, bool add) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = dx.data<T>();
    const T *slope = dy.data<T>(), *in = x.data<T>();
    const S *w = weight.data<S>(), *means = mean.data<S>(), *scales = rstd.data<S>();
    int64_t n = x.columns(), rows = x.rows();
    each_row(rows, (add ? 5 : 4) * n, [=](int64_t r) {
      const T *row = in + r * n, *d = slope + r * n;
      V along = 0.f, sum = 0.f, factor = scales[r], shift = means[r];
      columns16(n, [&](int64_t i, int m) {
        V g = take(d + i, m) * take(w + i, m);  // zero in lanes past the end of the row
        sum = sum + g;
        along = v_fma(g, (take(row + i, m) - shift) * factor, along);
      });
      V mean_g = sum_lanes<S>(sum) / S(n), mean_gx = sum_lanes<S>(along) / S(n);
      columns16(n, [=](int64_t i, int m) {
        V g = take(d + i, m) * take(w + i, m), normal = (take(row + i, m) - shift) * factor;
        put_slope(out + r * n + i, factor * v_fma(-normal, mean_gx, g - mean_g), m, add);
      });
    });
    if (!dweight && !dbias) return;
    S *dw = dweight ? dweight.data<S>() : nullptr, *db = dbias ? dbias.data<S>() : nullptr;
    each_stripe(n, rows, [=](int64_t from, int64_t count) {
      for (int64_t r = 0; r < rows; ++r) {
        const T *row = in + r * n + from, *d = slope + r * n + from;
        V factor = scales[r], shift = means[r];
        columns16(count, [=](int64_t i, int m) {
          V g = take(d + i, m);
          if (dw)
            put(dw + from + i,
                v_fma(g, (take(row + i, m) - shift) * factor, take(dw + from + i, m)), m);
          if (db) put(db + from + i, take(db + from + i, m) + g, m);
        });
      }
    });
  });
}

REGISTER_CPU(rmsnorm, rmsnorm);
REGISTER_CPU(added_rmsnorm, added_rmsnorm);
REGISTER_CPU(rmsnorm_backward, rmsnorm_backward);
REGISTER_CPU(layernorm, layernorm);
REGISTER_CPU(added_layernorm, added_layernorm);
REGISTER_CPU(layernorm_backward, layernorm_backward);

}  // namespace afina::AFINA_ISA
