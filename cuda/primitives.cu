// Element-wise primitives, casts and column copies.
#include "engine/on_gpu.h"
#include "engine/primitives.h"

#include "cuda/elements.cuh"
#include "cuda/rows.cuh"

namespace afina::AFINA_GPU {
namespace {

template <class S>
__device__ S combined(S x, S y, Binary f) {
  return f == Binary::add ? x + y : f == Binary::sub ? x - y : f == Binary::mul ? x * y : x / y;
}

template <class T>
__global__ void zip_kernel(T* c, const T* a, const T* b, Binary f, int64_t n, bool whole) {
  constexpr int w = width_of<T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<T> x[w], y[w];
  take<w>(x, a, i, n, whole), take<w>(y, b, i, n, whole);
  for (int j = 0; j < w; ++j) x[j] = combined(x[j], y[j], f);
  put<w>(c, x, i, n, whole);
}
// b is broadcast over rows or columns with steps of 0.
template <class T>
__global__ void zip_spread_kernel(T* c, const T* a, const T* b, Binary f, int64_t n,
                                  int64_t columns, int64_t row_step, int64_t column_step) {
  int64_t i = my_elements<1>();
  if (i < n)
    store(c + i,
          combined(load(a + i), load(b + i / columns * row_step + i % columns * column_step), f));
}

void zip(Tensor& c, const Tensor& a, const Tensor& b, Binary f) {
  with_type(a.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    constexpr int w = width_of<T>;
    int64_t n = a.size(), columns = a.columns();
    T* out = c.data<T>();
    const T *x = a.data<T>(), *y = b.data<T>();
    if (b.size() == n)
      return launch(zip_kernel<T>, grid_of(n, w), element_threads, 0, out, x, y, f, n,
                    whole(n, w, out, x, y));
    bool number = b.size() == 1, column = !number && b.columns() == 1;
    launch(zip_spread_kernel<T>, grid_of(n, 1), element_threads, 0, out, x, y, f, n, columns,
           int64_t(column), int64_t(!number && !column));
  });
}

template <class T>
__global__ void affine_kernel(T* y, const T* x, sum_of<T> scale, sum_of<T> offset, int64_t n,
                              bool whole) {
  constexpr int w = width_of<T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<T> v[w];
  take<w>(v, x, i, n, whole);
  for (int j = 0; j < w; ++j) v[j] = math::v_fma(v[j], scale, offset);
  put<w>(y, v, i, n, whole);
}
void affine(Tensor& y, const Tensor& x, double scale, double offset) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    constexpr int w = width_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    launch(affine_kernel<T>, grid_of(x.size(), w), element_threads, 0, out, in, scale, offset,
           x.size(), whole(x.size(), w, out, in));
  });
}

template <class S, class T>
__global__ void add_into_kernel(S* sum, const T* x, int64_t n, bool whole) {
  constexpr int w = width_of<S, T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<S> v[w];
  sum_of<T> part[w];
  take<w>(v, sum, i, n, whole), take<w>(part, x, i, n, whole);
  for (int j = 0; j < w; ++j) v[j] = v[j] + part[j];
  put<w>(sum, v, i, n, whole);
}
void add_into(Tensor& sum, const Tensor& x) {
  with_types(sum.dtype(), x.dtype(), [&](auto* sum_type, auto* type) {
    using S = pointed<decltype(sum_type)>;
    using T = pointed<decltype(type)>;
    constexpr int w = width_of<S, T>;
    S* out = sum.data<S>();
    const T* in = x.data<T>();
    launch(add_into_kernel<S, T>, grid_of(x.size(), w), element_threads, 0, out, in, x.size(),
           whole(x.size(), w, out, in));
  });
}

template <class To, class From>
__global__ void cast_kernel(To* to, const From* x, int64_t n, bool whole) {
  constexpr int w = width_of<To, From>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<From> v[w];
  sum_of<To> out[w];
  take<w>(v, x, i, n, whole);
  for (int j = 0; j < w; ++j) out[j] = sum_of<To>(v[j]);
  put<w>(to, out, i, n, whole);
}
void cast(Tensor& to, const Tensor& x) {
  with_type(to.dtype(), [&](auto* to_type) {
    using To = pointed<decltype(to_type)>;
    auto from = [&](auto* type) {
      using From = pointed<decltype(type)>;
      constexpr int w = width_of<To, From>;
      To* out = to.data<To>();
      const From* in = x.data<From>();
      launch(cast_kernel<To, From>, grid_of(x.size(), w), element_threads, 0, out, in, x.size(),
             whole(x.size(), w, out, in));
    };
    with_type(x.dtype(), from, "cast");
  });
}

void columns(Tensor& y, const Tensor& x, int64_t from) {
  int64_t element = int64_t(size_of(x.dtype())), width = y.columns() * element;
  copy_rows(y.data<void>(), x.data<char>() + from * element,
            {nullptr, nullptr, width, x.columns() * element, width, x.rows()}, size_t(element));
}

void joined(Tensor& y, const Tensor& a, const Tensor& b) {
  int64_t element = int64_t(size_of(y.dtype())), place = 0;
  for (const Tensor* part : {&a, &b}) {
    int64_t width = part->columns() * element;
    copy_rows(y.data<char>() + place, part->data<void>(),
              {nullptr, nullptr, y.columns() * element, width, width, part->rows()},
              size_t(element));
    place += width;
  }
}

template <int w, class S, class T, class Index>
__global__ void add_columns_kernel(S* y, const T* part, int64_t n, Index count, Index size) {
  Index i = (Index(blockIdx.x) * blockDim.x + threadIdx.x) * w;
  if (i >= size) return;
  S* to = y + int64_t(i / count) * n;
  const int64_t column = i % count;
  sum_of<S> sum[w];
  sum_of<T> more[w];
  take<w>(sum, to, column, n, true), take<w>(more, part, i, size, true);
  for (int j = 0; j < w; ++j) sum[j] += more[j];
  put<w>(to, sum, column, n, true);
}
void add_columns(Tensor& y, const Tensor& part, int64_t from) {
  with_types(y.dtype(), part.dtype(), [&](auto* sum_type, auto* type) {
    using S = pointed<decltype(sum_type)>;
    using T = pointed<decltype(type)>;
    S* to = y.data<S>() + from;
    const int64_t n = y.columns(), count = part.columns(), size = part.size();
    constexpr int w = width_of<S, T>;
    const bool small = size < int64_t(1) << 31;
    if (small && n % w == 0 && count % w == 0 && whole(size, w, to) &&
        whole(size, w, part.data<T>()))
      launch(add_columns_kernel<w, S, T, uint32_t>, grid_of(size, w), element_threads, 0, to,
             part.data<T>(), n, uint32_t(count), uint32_t(size));
    else
      launch(add_columns_kernel<1, S, T, int64_t>, grid_of(size, 1), element_threads, 0, to,
             part.data<T>(), n, count, size);
  });
}

REGISTER_CUDA(zip, vector_per_thread, 0, zip);
REGISTER_CUDA(affine, vector_per_thread, 0, affine);
REGISTER_CUDA(add_into, vector_per_thread, 0, add_into);
REGISTER_CUDA(cast, vector_per_thread, 0, cast);
REGISTER_CUDA(columns, thread_per_unit, 0, columns);
REGISTER_CUDA(joined, thread_per_unit, 0, joined);
REGISTER_CUDA(add_columns, thread_per_element, 0, add_columns);

}  // namespace
}  // namespace afina::AFINA_GPU
