// Normal numbers, permutations, and the sine and cosine that they need.
#include "engine/random.h"

#include <utility>

#include "engine/math.h"
#include "engine/sin_cos.h"

namespace afina {

float Random::normal(uint64_t position) const {
  // Each normal uses two of the four numbers of a block, so that a position is independent of its
  // neighbours.
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
  double s, c, q = sin_cos_of_rest(x, s, c);
  int quarter = int(int64_t(q) & 3);
  double s_of_x = quarter & 1 ? c : s, c_of_x = quarter & 1 ? s : c;
  sin = quarter & 2 ? -s_of_x : s_of_x;
  cos = (quarter + 1) & 2 ? -c_of_x : c_of_x;
}
}  // namespace math

}  // namespace afina
