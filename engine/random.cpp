// Normals, permutations, and the sine and cosine they need.
#include "engine/random.h"

#include <utility>

#include "engine/math.h"

namespace afina {

float Random::normal(uint64_t position) const {
  // Each normal uses two of the four numbers of a block, so that a position is independent of its neighbours.
  auto four = block(position / 2);
  uint32_t a = four[(position % 2) * 2], b = four[(position % 2) * 2 + 1];
  double u = (double(a) + 0.5) * 0x1p-32, angle = double(b) * (0x1p-32 * 6.283185307179586), s, c;
  math::sin_cos(angle, s, c);
  return float(math::sqrt(-2. * math::log(u)) * c);
}

std::vector<uint32_t> permutation(uint32_t n, const Random& random) {
  std::vector<uint32_t> order(n);
  for (uint32_t i = 0; i < n; ++i) order[i] = i;
  for (uint32_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(n - i, i)]);
  return order;
}

namespace math {
void sin_cos(double x, double& sin, double& cos) {
  // x = q pi/2 + r, pi/2 in three parts; then the series of both on |r| <= pi/4.
  double q = v_round(x * 0.6366197723675814);
  double r = v_fma(q, -1.5707963267948966, x);
  r = v_fma(q, -6.123233995736766e-17, r);
  double z = r * r;
  double s = -1. / 1307674368000.;
  s = v_fma(s, z, 1. / 6227020800.), s = v_fma(s, z, -1. / 39916800.), s = v_fma(s, z, 1. / 362880.), s = v_fma(s, z, -1. / 5040.);
  s = v_fma(s, z, 1. / 120.), s = v_fma(s, z, -1. / 6.);
  s = v_fma(s * z, r, r);
  double c = 1. / 20922789888000.;
  c = v_fma(c, z, -1. / 87178291200.), c = v_fma(c, z, 1. / 479001600.), c = v_fma(c, z, -1. / 3628800.), c = v_fma(c, z, 1. / 40320.);
  c = v_fma(c, z, -1. / 720.), c = v_fma(c, z, 1. / 24.), c = v_fma(c, z, -0.5);
  c = v_fma(c, z, 1.);
  int quarter = int(int64_t(q) & 3);
  double of_sin = quarter & 1 ? c : s, of_cos = quarter & 1 ? s : c;
  sin = quarter & 2 ? -of_sin : of_sin;
  cos = (quarter + 1) & 2 ? -of_cos : of_cos;
}
}  // namespace math

}  // namespace afina
