// silu(gate) · up and its gradients.
#include "engine/ops/swiglu.h"

#include "cuda/quick.cuh"

namespace afina::AFINA_GPU {
namespace {

template <class T>
__global__ void swiglu_kernel(T* y, const T* gate, const T* up, int64_t n, bool whole) {
  constexpr int w = width_of<T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  sum_of<T> x[w], u[w];
  take<w>(x, gate, i, n, whole), take<w>(u, up, i, n, whole);
  for (int j = 0; j < w; ++j) x[j] = x[j] * plain<T>(math::sigmoid(quick_of<T>(x[j]))) * u[j];
  put<w>(y, x, i, n, whole);
}

template <class T>
__global__ void swiglu_backward_kernel(T* dgate, T* dup, const T* dy, const T* gate, const T* up,
                                       int64_t n, bool whole) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  S slope[w], x[w], u[w];
  take<w>(slope, dy, i, n, whole), take<w>(x, gate, i, n, whole), take<w>(u, up, i, n, whole);
  for (int j = 0; j < w; ++j) {
    S s = plain<T>(math::sigmoid(quick_of<T>(x[j]))), silu = x[j] * s;
    // silu' = s (1 + x - x s) = s (1 - silu) + silu
    x[j] = slope[j] * u[j] * math::v_fma(s, S(1) - silu, silu);
    u[j] = slope[j] * silu;
  }
  put<w>(dgate, x, i, n, whole), put<w>(dup, u, i, n, whole);
}

void swiglu(Tensor& y, const Tensor& gate, const Tensor& up) {
  with_type(gate.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    constexpr int w = width_of<T>;
    T* out = y.data<T>();
    const T *g = gate.data<T>(), *u = up.data<T>();
    launch(swiglu_kernel<T>, grid_of(gate.size(), w), element_threads, 0, out, g, u, gate.size(),
           whole(gate.size(), w, out, g, u));
  });
}
void swiglu_backward(Tensor& dgate, Tensor& dup, const Tensor& dy, const Tensor& gate,
                     const Tensor& up) {
  with_type(gate.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    constexpr int w = width_of<T>;
    T *dg = dgate.data<T>(), *du = dup.data<T>();
    const T *d = dy.data<T>(), *g = gate.data<T>(), *u = up.data<T>();
    launch(swiglu_backward_kernel<T>, grid_of(gate.size(), w), element_threads, 0, dg, du, d, g, u,
           gate.size(), whole(gate.size(), w, dg, du, d, g, u));
  });
}

REGISTER_CUDA(swiglu, vector_per_thread, 0, swiglu);
REGISTER_CUDA(swiglu_backward, vector_per_thread, 0, swiglu_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
