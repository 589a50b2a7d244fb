// The scalar functions of engine/scalar.h and their derivatives, element by element.
#include "cuda/quick.cuh"
#include "engine/primitives.h"

namespace afina::AFINA_GPU {
namespace {

template <class F, class T>
__global__ void map_kernel(T* y, const T* x, int64_t n, bool whole) {
  constexpr int w = width_of<T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<T> v[w];
  take<w>(v, x, i, n, whole);
  for (int j = 0; j < w; ++j) v[j] = plain<T>(F::forward(quick_of<T>(v[j])));
  put<w>(y, v, i, n, whole);
}

template <class F, class T>
__global__ void map_backward_kernel(T* dx, const T* dy, const T* x, const T* y, int64_t n,
                                    bool whole) {
  constexpr int w = width_of<T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<T> slope[w], in[w], out[w];
  take<w>(slope, dy, i, n, whole), take<w>(in, x, i, n, whole), take<w>(out, y, i, n, whole);
  for (int j = 0; j < w; ++j)
    slope[j] =
        plain<T>(F::backward(quick_of<T>(slope[j]), quick_of<T>(in[j]), quick_of<T>(out[j])));
  put<w>(dx, slope, i, n, whole);
}

void map(Tensor& y, const Tensor& x, Scalar f) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    constexpr int w = width_of<T>;
    with_scalar(f, [&](auto function) {
      launch(map_kernel<decltype(function), T>, grid_of(x.size(), w), element_threads, 0, out, in,
             x.size(), whole(x.size(), w, out, in));
    });
  });
}

void map_backward(Tensor& dx, const Tensor& dy, const Tensor& x, const Tensor& y, Scalar f) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    T* out = dx.data<T>();
    const T *slope = dy.data<T>(), *in = x.data<T>(), *value = y.data<T>();
    constexpr int w = width_of<T>;
    with_scalar(f, [&](auto function) {
      launch(map_backward_kernel<decltype(function), T>, grid_of(x.size(), w), element_threads, 0,
             out, slope, in, value, x.size(), whole(x.size(), w, out, slope, in, value));
    });
  });
}

REGISTER_CUDA(map, vector_per_thread, 0, map);
REGISTER_CUDA(map_backward, vector_per_thread, 0, map_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
