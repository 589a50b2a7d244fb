// The scalar functions of engine/scalar.h and their derivatives, element by element.
#include "engine/cpu/loops.h"
#include "engine/primitives.h"

namespace afina::AFINA_ISA {

static void map(Tensor& y, const Tensor& x, Scalar f) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    with_scalar(f, [&](auto function) {
      T* out = y.data<T>();
      const T* in = x.data<T>();
      each_element(x.size(), [=](int64_t i, int n) {
        put(out + i, decltype(function)::forward(take(in + i, n)), n);
      });
    });
  });
}

static void map_backward(Tensor& dx, const Tensor& dy, const Tensor& x, const Tensor& y, Scalar f) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    with_scalar(f, [&](auto function) {
      T* out = dx.data<T>();
      const T *slope = dy.data<T>(), *in = x.data<T>(), *value = y.data<T>();
      each_element(x.size(), [=](int64_t i, int n) {
        put(out + i,
            decltype(function)::backward(take(slope + i, n), take(in + i, n), take(value + i, n)),
            n);
      });
    });
  });
}

REGISTER_CPU(map, map);
REGISTER_CPU(map_backward, map_backward);

}  // namespace afina::AFINA_ISA
