// AdamW in one pass over master, gradient and moments.
#include "engine/ops/adamw.h"

#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {
namespace {

// The constants of a step, as the CPU makes them.
template <class S>
struct Constants {
  S keep, rate, scale, eps, b1, rest1, b2, rest2, shrink;
  explicit Constants(const AdamWStep& step) {
    double lr = double(step.lr), beta1 = double(step.beta1), beta2 = double(step.beta2);
    keep = S(1. - lr * double(step.decay)), rate = S(-lr / double(step.bias1)), scale = S(step.gradient_scale), eps = S(step.eps);
    b1 = S(beta1), rest1 = S(1. - beta1), b2 = S(beta2), rest2 = S(1. - beta2), shrink = S(1. / double(step.bias2_root));
  }
};

template <class S, class Value>
__global__ void adamw_kernel(S* master, Value* value, const S* gradient, S* m, S* v, int64_t n, Constants<S> c, bool whole) {
  constexpr int w = width_of<S>;
  int64_t i = my_elements<w>();
  if (i >= n) return;
  S weight[w], g[w], first[w], second[w];
  take<w>(weight, master, i, n, whole), take<w>(g, gradient, i, n, whole);
  take<w>(first, m, i, n, whole), take<w>(second, v, i, n, whole);
  for (int j = 0; j < w; ++j) {
    S slope = g[j] * c.scale;
    first[j] = math::v_fma(c.b1, first[j], c.rest1 * slope);
    second[j] = math::v_fma(c.b2, second[j], c.rest2 * slope * slope);
    weight[j] = math::v_fma(c.rate, first[j] / math::v_fma(math::v_sqrt(second[j]), c.shrink, c.eps), weight[j] * c.keep);
  }
  put<w>(m, first, i, n, whole), put<w>(v, second, i, n, whole), put<w>(master, weight, i, n, whole);
  if constexpr (!std::is_same_v<S, Value>) put<w>(value, weight, i, n, whole);
}

template <class S, class Value>
void step_of(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m, Tensor& v, const AdamWStep& step) {
  S *weight = master.data<S>(), *first = m.data<S>(), *second = v.data<S>();
  Value* rounded = value.data<Value>();
  const S* slope = gradient.data<S>();
  constexpr int w = width_of<S>;
  int64_t n = master.size();
  launch(adamw_kernel<S, Value>, grid_of(n, w), element_threads, 0, weight, rounded, slope, first, second, n, Constants<S>(step),
         whole(n, w, weight, rounded, slope, first, second));
}

void adamw(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m, Tensor& v, const AdamWStep& step) {
  if (master.dtype() == Dtype::f64) step_of<double, double>(master, master, gradient, m, v, step);
  else if (value.dtype() == Dtype::bf16) step_of<float, bf16>(master, value, gradient, m, v, step);
  else step_of<float, float>(master, master, gradient, m, v, step);
}

REGISTER_CUDA(adamw, vector_per_thread, 0, adamw);

}  // namespace
}  // namespace afina::AFINA_GPU
