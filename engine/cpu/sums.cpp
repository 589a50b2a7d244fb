// Sums along rows (16 lanes and a tree), along columns (chains in row order), and of squares
// (blocks in order).
#include "engine/cpu/loops.h"
#include "engine/ops/adamw.h"
#include "engine/ops/cross_entropy.h"
#include "engine/primitives.h"
#include "engine/scratch.h"

namespace afina::AFINA_ISA {

static void sum_columns(Tensor& y, const Tensor& x) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    int64_t n = x.columns();
    each_row(x.rows(), n, [=](int64_t r) {
      V sum = 0.f;
      columns16(n, [&](int64_t i, int m) { sum = sum + take(in + r * n + i, m); });
      store_one(out + r, sum_lanes<sum_of<T>>(sum));
    });
  });
}

static void sum_rows(Tensor& y, const Tensor& x) {
  with_types(y.dtype(), x.dtype(), [&](auto* sum_type, auto* type) {
    using V = vector_of<AFINA_TYPE(type)>;
    auto* out = y.data<AFINA_TYPE(sum_type)>();
    const auto* in = x.data<AFINA_TYPE(type)>();
    int64_t n = x.columns(), rows = x.rows();
    each_stripe(n, rows, [=](int64_t from, int64_t count) {
      columns16(count, [=](int64_t i, int m) {
        V sum = take(out + from + i, m);
        for (int64_t r = 0; r < rows; ++r) sum = sum + take(in + r * n + from + i, m);
        put(out + from + i, sum, m);
      });
    });
  });
}

// Σ x² of at most 4096 values in f64: 16 lanes and a tree.
template <class T>
AFINA_INLINE double block_of_squares(const T* x, int64_t count) {
  double lane[16] = {};
  int64_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (int l = 0; l < 16; ++l) {
      double value = double(load_one(x + i + l));
      lane[l] = __builtin_fma(value, value, lane[l]);
    }
  for (int l = 0; i < count; ++i, ++l) {
    double value = double(load_one(x + i));
    lane[l] = __builtin_fma(value, value, lane[l]);
  }
  for (int half = 8; half; half /= 2)
    for (int l = 0; l < half; ++l) lane[l] = lane[l] + lane[l + half];
  return lane[0];
}
static void squared_norm(Tensor& out, const Tensor& x) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    constexpr int64_t block = 4096;
    const T* in = x.data<T>();
    int64_t size = x.size(), blocks = (size + block - 1) / block;
    double* parts = static_cast<double*>(scratch(scratch_sums, size_t(blocks) * sizeof(double)));
    parallel_for(blocks, 4, [=](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b)
        parts[b] =
            block_of_squares(in + b * block, size - b * block < block ? size - b * block : block);
    });
    double sum = 0;
    for (int64_t b = 0; b < blocks; ++b) sum += parts[b];
    *out.data<double>() = sum;
  });
}

static void sum_losses(Tensor& total, const Tensor& losses, Number<double> scale) {
  with_type(losses.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    double sum = 0;
    for (int64_t i = 0; i < losses.size(); ++i) sum += double(load_one(losses.data<T>() + i));
    store_one(total.data<T>(), sum_of<T>(sum * scale.value));
  });
}

REGISTER_CPU(sum_columns, sum_columns);
REGISTER_CPU(sum_rows, sum_rows);
REGISTER_CPU(squared_norm, squared_norm);
REGISTER_CPU(sum_losses, sum_losses);

}  // namespace afina::AFINA_ISA
