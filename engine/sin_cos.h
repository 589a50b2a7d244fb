// Sine and cosine up to the selection of the quadrant, over V as in engine/math.h: shared by the
// scalar and the vector form.
#pragma once
#include "engine/math.h"

namespace afina::math {

// Returns the integer q of x = q pi/2 + r with |r| <= pi/4, and sets s and c to sine and cosine of
// r. Subtracts pi/2 in two parts, then sums both series.
template <class V>
AFINA_ANYWHERE V sin_cos_of_rest(V x, V& s, V& c) {
  V q = v_round(x * V(0.6366197723675814));
  V r = v_fma(q, V(-1.5707963267948966), x);
  r = v_fma(q, V(-6.123233995736766e-17), r);
  V z = r * r;
  s = V(-1. / 1307674368000.);
  s = v_fma(s, z, V(1. / 6227020800.));
  s = v_fma(s, z, V(-1. / 39916800.));
  s = v_fma(s, z, V(1. / 362880.));
  s = v_fma(s, z, V(-1. / 5040.));
  s = v_fma(s, z, V(1. / 120.));
  s = v_fma(s, z, V(-1. / 6.));
  s = v_fma(s * z, r, r);
  c = V(1. / 20922789888000.);
  c = v_fma(c, z, V(-1. / 87178291200.));
  c = v_fma(c, z, V(1. / 479001600.));
  c = v_fma(c, z, V(-1. / 3628800.));
  c = v_fma(c, z, V(1. / 40320.));
  c = v_fma(c, z, V(-1. / 720.));
  c = v_fma(c, z, V(1. / 24.));
  c = v_fma(c, z, V(-0.5));
  c = v_fma(c, z, V(1.));
  return q;
}

}  // namespace afina::math
