// AdamW in one pass over master, gradient and moments.
#include "engine/ops/adamw.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

template <class T, class Value>
AFINA_INLINE void adamw_pass(T* w, Value* value, const T* gradient, T* m, T* v, int64_t size,
                             const AdamWStep& step) {
  using V = vector_of<T>;
  double lr = double(step.lr), beta1 = double(step.beta1), beta2 = double(step.beta2);
  double own = double(step.rate);
  V keep = T(1. - lr * own * double(step.decay)), rate = T(-lr / double(step.bias1) * own),
    scale = T(step.gradient_scale), eps = T(step.eps);
  V b1 = T(beta1), rest1 = T(1. - beta1), b2 = T(beta2), rest2 = T(1. - beta2),
    shrink = T(1. / double(step.bias2_root));
  each_element(size, [=](int64_t i, int n) {
    V g = take(gradient + i, n) * scale;
    V first = v_fma(b1, take(m + i, n), rest1 * g),
      second = v_fma(b2, take(v + i, n), rest2 * g * g);
    V now = v_fma(rate, first / v_fma(v_sqrt(second), shrink, eps), take(w + i, n) * keep);
    put(m + i, first, n);
    put(v + i, second, n);
    put(w + i, now, n);
    if constexpr (!std::is_same_v<T, Value>) put(value + i, now, n);
  });
}

static void adamw(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m, Tensor& v,
                  const AdamWStep& step) {
  auto are = [&](Dtype a, Dtype b) { return master.dtype() == a && value.dtype() == b; };
  if (are(Dtype::f64, Dtype::f64))
    adamw_pass(master.data<double>(), master.data<double>(), gradient.data<double>(),
               m.data<double>(), v.data<double>(), master.size(), step);
  else if (are(Dtype::f32, Dtype::bf16))
    adamw_pass(master.data<float>(), value.data<bf16>(), gradient.data<float>(), m.data<float>(),
               v.data<float>(), master.size(), step);
  else if (are(Dtype::f32, Dtype::f32))
    adamw_pass(master.data<float>(), master.data<float>(), gradient.data<float>(), m.data<float>(),
               v.data<float>(), master.size(), step);
  else unsupported_dtypes("adamw", master.dtype(), value.dtype());
}

REGISTER_CPU(adamw, adamw);

}  // namespace afina::AFINA_ISA
