// A float type with the hardware's exponential and division, for results that are rounded to bf16
// anyway. Templates of engine/math.h and engine/scalar.h use these functions instead of their own.
#pragma once
#include <type_traits>

#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {

struct Quick {
  float v;
  Quick() = default;
  __device__ explicit Quick(double x) : v(float(x)) {}
  __device__ explicit Quick(float x) : v(x) {}
};
__device__ inline Quick operator-(Quick a) { return Quick(-a.v); }
__device__ inline Quick operator+(Quick a, Quick b) { return Quick(a.v + b.v); }
__device__ inline Quick operator-(Quick a, Quick b) { return Quick(a.v - b.v); }
__device__ inline Quick operator*(Quick a, Quick b) { return Quick(a.v * b.v); }
__device__ inline Quick operator/(Quick a, Quick b) {
#if defined(__CUDA_ARCH__)
  return Quick(__fdividef(a.v, b.v));
#else
  return Quick(a.v / b.v);
#endif
}
__device__ inline Quick v_fma(Quick a, Quick b, Quick c) {
  return Quick(math::v_fma(a.v, b.v, c.v));
}
__device__ inline Quick v_sqrt(Quick a) { return Quick(math::v_sqrt(a.v)); }
__device__ inline Quick v_max(Quick a, Quick b) { return Quick(math::v_max(a.v, b.v)); }
__device__ inline Quick v_min(Quick a, Quick b) { return Quick(math::v_min(a.v, b.v)); }
__device__ inline Quick v_if_positive(Quick x, Quick a, Quick b) {
  return Quick(math::v_if_positive(x.v, a.v, b.v));
}
__device__ inline Quick v_round(Quick a) { return Quick(math::v_round(a.v)); }
__device__ inline Quick v_power_of_two(Quick n) { return Quick(math::v_power_of_two(n.v)); }
__device__ inline Quick v_split(Quick x, Quick& e) { return Quick(math::v_split(x.v, e.v)); }
__device__ inline Quick log(Quick x) { return Quick(math::log(x.v)); }
// Like math::exp: 0 below -87, at most e^88.
__device__ inline Quick exp(Quick x) {
  return Quick(x.v < -87.f ? 0.f : exp2f(math::v_min(88.f, x.v) * log2_e));
}
// e^x - 1, by its series near 0.
__device__ inline Quick expm1(Quick x) {
  float series = math::v_fma(x.v * x.v, math::v_fma(x.v, 1.f / 6.f, 0.5f), x.v);
  return Quick(x.v < 0.03f && x.v > -0.03f ? series : exp2f(x.v * log2_e) - 1.f);
}

// The type in which element-wise functions of T are computed.
template <class T>
using quick_of = std::conditional_t<std::is_same_v<T, bf16>, Quick, sum_of<T>>;
template <class T>
__device__ sum_of<T> plain(quick_of<T> x) {
  if constexpr (std::is_same_v<T, bf16>) return x.v;
  else return x;
}

}  // namespace afina::AFINA_GPU
