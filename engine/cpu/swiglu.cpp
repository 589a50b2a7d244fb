// silu(gate) · up and its gradients.
#include "engine/ops/swiglu.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

static void swiglu(Tensor& y, const Tensor& gate, const Tensor& up) {
  with_type(gate.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    T* out = y.data<T>();
    const T *g = gate.data<T>(), *u = up.data<T>();
    each_element(gate.size(), [=](int64_t i, int n) {
      V x = take(g + i, n);
      put(out + i, x * math::sigmoid(x) * take(u + i, n), n);
    });
  });
}

static void swiglu_backward(Tensor& dgate, Tensor& dup, const Tensor& dy, const Tensor& gate,
                            const Tensor& up) {
  with_type(gate.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    T *dg = dgate.data<T>(), *du = dup.data<T>();
    const T *d = dy.data<T>(), *g = gate.data<T>(), *u = up.data<T>();
    each_element(gate.size(), [=](int64_t i, int n) {
      V slope = take(d + i, n), x = take(g + i, n), s = math::sigmoid(x), silu = x * s;
      put(du + i, slope * silu, n);
      // silu' = s (1 + x - x s) = s (1 - silu) + silu
      put(dg + i, slope * take(u + i, n) * v_fma(s, V(1.f) - silu, silu), n);
    });
  });
}

REGISTER_CPU(swiglu, swiglu);
REGISTER_CPU(swiglu_backward, swiglu_backward);

}  // namespace afina::AFINA_ISA
