// Wilson's interval.
#include "tools/results/share.h"

#include <algorithm>
#include <cmath>

namespace afina {

namespace {

constexpr double z = 1.959963984540054;  // the normal distribution's 97.5th percentile

// The middle of the interval, and half of its width.
void interval(const Share& share, double& middle, double& half) {
  const double n = double(share.of), p = share.share(), scale = 1. + z * z / n;
  middle = (p + z * z / (2. * n)) / scale;
  half = z * std::sqrt(p * (1. - p) / n + z * z / (4. * n * n)) / scale;
}

}  // namespace

double Share::low() const {
  if (of == 0 || passed == 0) return 0.;
  double middle = 0., half = 0.;
  interval(*this, middle, half);
  return std::max(0., middle - half);
}

double Share::high() const {
  if (of == 0 || passed == of) return 1.;
  double middle = 0., half = 0.;
  interval(*this, middle, half);
  return std::min(1., middle + half);
}

}  // namespace afina
