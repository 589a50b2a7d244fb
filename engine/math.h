// exp, log, tanh, sin, cos, erf and functions of them, built from + - * / sqrt and fma only: the
// same bits on every machine, where libms differ. Written once over V: float, double (gradient
// checks) or a vector (engine/cpu/simd.h, which adds its own v_ functions).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/anywhere.h"

namespace afina::math {

// What a value type must provide. Minimum and maximum return the second operand when either is NaN,
// as x86 does.
AFINA_ANYWHERE float v_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
AFINA_ANYWHERE double v_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
AFINA_ANYWHERE float v_sqrt(float a) { return __builtin_sqrtf(a); }
AFINA_ANYWHERE double v_sqrt(double a) { return __builtin_sqrt(a); }
AFINA_ANYWHERE float v_max(float a, float b) { return a > b ? a : b; }
AFINA_ANYWHERE double v_max(double a, double b) { return a > b ? a : b; }
AFINA_ANYWHERE float v_min(float a, float b) { return a < b ? a : b; }
AFINA_ANYWHERE double v_min(double a, double b) { return a < b ? a : b; }
AFINA_ANYWHERE float v_if_positive(float x, float a, float b) { return x > 0.f ? a : b; }
AFINA_ANYWHERE double v_if_positive(double x, double a, double b) { return x > 0. ? a : b; }
// The nearest integer for |a| < 2^22 (2^51), ties to even, by the addition of 1.5 * 2^23.
AFINA_ANYWHERE float v_round(float a) { return (a + 12582912.f) - 12582912.f; }
AFINA_ANYWHERE double v_round(double a) { return (a + 6755399441055744.) - 6755399441055744.; }
// 2^n for an integer n within the normal exponents; 1 for NaN, which no integer stands for.
AFINA_ANYWHERE float v_power_of_two(float n) {
  uint32_t u = uint32_t((n == n ? int32_t(n) : 0) + 127) << 23;
  float f;
  memcpy(&f, &u, 4);
  return f;
}
AFINA_ANYWHERE double v_power_of_two(double n) {
  uint64_t u = uint64_t((n == n ? int64_t(n) : 0) + 1023) << 52;
  double f;
  memcpy(&f, &u, 8);
  return f;
}
// x = m * 2^e with m in [sqrt(1/2), sqrt(2)), for normal x > 0.
AFINA_ANYWHERE float v_split(float x, float& e) {
  uint32_t u;
  memcpy(&u, &x, 4);
  uint32_t shifted = u - 0x3f3504f3u;
  e = float(int32_t(shifted) >> 23);
  u = (shifted & 0x007fffffu) + 0x3f3504f3u;
  memcpy(&x, &u, 4);
  return x;
}
AFINA_ANYWHERE double v_split(double x, double& e) {
  uint64_t u;
  memcpy(&u, &x, 8);
  uint64_t shifted = u - 0x3fe6a09e667f3bcdull;
  e = double(int64_t(shifted) >> 52);
  u = (shifted & 0x000fffffffffffffull) + 0x3fe6a09e667f3bcdull;
  memcpy(&x, &u, 8);
  return x;
}

template <class V>
AFINA_ANYWHERE V fma(V a, V b, V c) {
  return v_fma(a, b, c);
}
template <class V>
AFINA_ANYWHERE V sqrt(V a) {
  return v_sqrt(a);
}
template <class V>
AFINA_ANYWHERE V max(V a, V b) {
  return v_max(a, b);
}
template <class V>
AFINA_ANYWHERE V select_positive(V x, V a) {
  return v_if_positive(x, a, V(0.f));
}

// The width of V's elements decides how many terms a series takes. A vector type of floats says
// `using element = float`.
template <class V>
struct is_double {
  static constexpr bool value = false;
};
template <>
struct is_double<double> {
  static constexpr bool value = true;
};

// e^r - 1 for |r| <= 0.35, by its series; relative error below 2^-24 (2^-52).
template <class V>
AFINA_ANYWHERE V expm1_small(V r) {
  V p;
  if constexpr (is_double<V>::value) {
    p = V(1. / 6227020800.);
    p = v_fma(p, r, V(1. / 479001600.));
    p = v_fma(p, r, V(1. / 39916800.));
    p = v_fma(p, r, V(1. / 3628800.));
    p = v_fma(p, r, V(1. / 362880.));
    p = v_fma(p, r, V(1. / 40320.));
    p = v_fma(p, r, V(1. / 5040.));
  } else {
    p = V(float(1. / 5040.));
  }
  p = v_fma(p, r, V(1. / 720.));
  p = v_fma(p, r, V(1. / 120.));
  p = v_fma(p, r, V(1. / 24.));
  p = v_fma(p, r, V(1. / 6.));
  p = v_fma(p, r, V(0.5));
  return v_fma(r * r, p, r);
}
// x = n ln 2 + r with |r| <= ln 2 / 2.
template <class V>
AFINA_ANYWHERE V reduce_ln2(V x, V& n) {
  n = v_round(x * V(1.4426950408889634));
  if constexpr (is_double<V>::value)
    return v_fma(n, V(-1.9082149292705877e-10), v_fma(n, V(-0.693147180369123816490), x));
  else return v_fma(n, V(-1.42860677e-6f), v_fma(n, V(-0.693145752f), x));
}
// e^x, within 2 units in the last place. Below -87 (f64: -700) it is 0; above 88 (700) it stays at
// e^88: nothing trained on gets there.
template <class V>
AFINA_ANYWHERE V exp(V x) {
  const V low = V(is_double<V>::value ? -700. : -87.), high = V(is_double<V>::value ? 700. : 88.);
  V inside = v_min(high, v_max(low, x));  // NaN passes: both choose their second operand
  V n, r = reduce_ln2(inside, n);
  V power = v_power_of_two(n);
  V y = v_fma(power, expm1_small(r), power);
  return v_if_positive(low - x, V(0.f), y);
}
// e^x - 1 without loss near 0, for |x| <= 80.
template <class V>
AFINA_ANYWHERE V expm1(V x) {
  V n, r = reduce_ln2(x, n);
  V power = v_power_of_two(n);
  return v_fma(power, expm1_small(r), power - V(1.f));
}
// ln x for normal x > 0, by 2 artanh((m - 1) / (m + 1)).
template <class V>
AFINA_ANYWHERE V log(V x) {
  V e, m = v_split(x, e);
  V s = (m - V(1.f)) / (m + V(1.f)), z = s * s, p;
  if constexpr (is_double<V>::value) {
    p = V(2. / 23.);
    p = v_fma(p, z, V(2. / 21.));
    p = v_fma(p, z, V(2. / 19.));
    p = v_fma(p, z, V(2. / 17.));
    p = v_fma(p, z, V(2. / 15.));
    p = v_fma(p, z, V(2. / 13.));
    p = v_fma(p, z, V(2. / 11.));
  } else {
    p = V(float(2. / 11.));
  }
  p = v_fma(p, z, V(2. / 9.));
  p = v_fma(p, z, V(2. / 7.));
  p = v_fma(p, z, V(2. / 5.));
  p = v_fma(p, z, V(2. / 3.));
  V of_m = v_fma(p * z, s, s + s);
  if constexpr (is_double<V>::value)
    return v_fma(e, V(0.693147180369123816490), v_fma(e, V(1.9082149292705877e-10), of_m));
  else return v_fma(e, V(0.693145752f), v_fma(e, V(1.42860677e-6f), of_m));
}
template <class V>
AFINA_ANYWHERE V sigmoid(V x) {
  return V(1.f) / (V(1.f) + exp(-x));
}
// tanh x = t / (t + 2) with t = e^(2|x|) - 1.
template <class V>
AFINA_ANYWHERE V tanh(V x) {
  V a = v_min(V(is_double<V>::value ? 20. : 10.), v_max(x, -x));
  V t = expm1(a + a);
  V y = t / (t + V(2.f));
  return v_if_positive(-x, -y, y);
}
// x = q pi/2 + r with an integer q and |r| <= pi/4, for |x| < 2^15; returns r. quarter: q modulo 4,
// as a number from -2 to 2.
template <class V>
AFINA_ANYWHERE V quarter_turns(V x, V& quarter) {
  const V q = v_round(x * V(0.6366197723675814));
  quarter = v_fma(v_round(q * V(0.25)), V(-4.f), q);
  if constexpr (is_double<V>::value)
    return v_fma(q, V(-6.123233995736766e-17), v_fma(q, V(-1.5707963267948966), x));
  else return v_fma(q, V(4.37113883e-8f), v_fma(q, V(-1.57079637f), x));
}
// sin r and cos r for |r| <= pi/4, by their series (engine/sin_cos.h has shorter ones: random
// numbers have their bits); relative error below 2^-24 (2^-52). cos 0 is 1.
template <class V>
AFINA_ANYWHERE V sin_small(V r) {
  const V z = r * r;
  V s = V(1. / 362880.);
  if constexpr (is_double<V>::value) {
    s = V(1. / 355687428096000.);
    s = v_fma(s, z, V(-1. / 1307674368000.));
    s = v_fma(s, z, V(1. / 6227020800.));
    s = v_fma(s, z, V(-1. / 39916800.));
    s = v_fma(s, z, V(1. / 362880.));
  }
  s = v_fma(s, z, V(-1. / 5040.));
  s = v_fma(s, z, V(1. / 120.));
  s = v_fma(s, z, V(-1. / 6.));
  return v_fma(s * z, r, r);
}
template <class V>
AFINA_ANYWHERE V cos_small(V r) {
  const V z = r * r;
  V c = V(-1. / 3628800.);
  if constexpr (is_double<V>::value) {
    c = V(1. / 20922789888000.);
    c = v_fma(c, z, V(-1. / 87178291200.));
    c = v_fma(c, z, V(1. / 479001600.));
    c = v_fma(c, z, V(-1. / 3628800.));
  }
  c = v_fma(c, z, V(1. / 40320.));
  c = v_fma(c, z, V(-1. / 720.));
  c = v_fma(c, z, V(1. / 24.));
  c = v_fma(c, z, V(-0.5));
  return v_fma(c, z, V(1.));
}
// sin x and cos x for |x| < 2^15: an angle of a rotation that is trained.
template <class V>
AFINA_ANYWHERE V sin(V x) {
  V q, r = quarter_turns(x, q);
  const V odd = v_fma(v_round(q * V(0.5f)), V(-2.f), q);  // -1, 0 or 1
  const V y = v_if_positive(v_fma(odd, odd, V(-0.5f)), cos_small(r), sin_small(r));
  return v_if_positive((q + V(0.5f)) * (V(1.5f) - q), y, -y);
}
template <class V>
AFINA_ANYWHERE V cos(V x) {
  V q, r = quarter_turns(x, q);
  const V odd = v_fma(v_round(q * V(0.5f)), V(-2.f), q);
  const V y = v_if_positive(v_fma(odd, odd, V(-0.5f)), sin_small(r), cos_small(r));
  return v_if_positive((q + V(1.5f)) * (V(0.5f) - q), y, -y);
}
// erf x = 1 - e^(-x^2) Q(1 / (1 + x / 2)) for x >= 0; Q fitted by Chebyshev interpolation, absolute
// error below 5e-9.
template <class V>
AFINA_ANYWHERE V erf(V x) {
  V a = v_min(V(6.f), v_max(x, -x));
  V t = V(1.f) / v_fma(a, V(0.5f), V(1.f));
  V q = V(-0.03191138735580327);
  q = v_fma(q, t, V(0.13746580442101677));
  q = v_fma(q, t, V(-0.1418807620483365));
  q = v_fma(q, t, V(-0.18221751096638594));
  q = v_fma(q, t, V(0.3567118603628189));
  q = v_fma(q, t, V(-0.0038887281763713144));
  q = v_fma(q, t, V(0.31505558585633964));
  q = v_fma(q, t, V(0.26676637903929334));
  q = v_fma(q, t, V(0.2839997651438469));
  q = v_fma(q, t, V(-0.00010101050227602764));
  V y = v_fma(-exp(-(a * a)), q, V(1.f));
  return v_if_positive(-x, -y, y);
}
// GELU (Hendrycks and Gimpel, 2016) with erf, and its derivative.
template <class V>
AFINA_ANYWHERE V gelu(V x) {
  return V(0.5f) * x * (V(1.f) + erf(x * V(0.7071067811865476)));
}
template <class V>
AFINA_ANYWHERE V gelu_slope(V x) {
  V density = V(0.3989422804014327) * exp(V(-0.5f) * x * x);
  return v_fma(x, density, V(0.5f) * (V(1.f) + erf(x * V(0.7071067811865476))));
}
// GELU with tanh, as in GPT-2, and its derivative.
template <class V>
AFINA_ANYWHERE V gelu_inner(V x) {
  return V(0.7978845608028654) * v_fma(V(0.044715) * x * x, x, x);
}
template <class V>
AFINA_ANYWHERE V gelu_tanh(V x) {
  return V(0.5f) * x * (V(1.f) + tanh(gelu_inner(x)));
}
template <class V>
AFINA_ANYWHERE V gelu_tanh_slope(V x) {
  V t = tanh(gelu_inner(x)), inner = V(0.7978845608028654) * v_fma(V(3 * 0.044715) * x, x, V(1.f));
  return v_fma(V(0.5f) * x * (V(1.f) - t * t), inner, V(0.5f) * (V(1.f) + t));
}

// sin and cos in f64 for |x| < 2^20 (rotary tables, Box-Muller); error below 1e-15.
void sin_cos(double x, double& sin, double& cos);
// x^y for x > 0.
inline double power(double x, double y) { return exp(y * log(x)); }

}  // namespace afina::math
