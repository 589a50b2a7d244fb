// Student's t by the finite sums for whole degrees of freedom (Abramowitz and Stegun 26.7.3
// and 26.7.4), and means with intervals.
#include "tools/results/statistics.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include "engine/error.h"

namespace afina {
namespace {

// Probability that |T| <= t.
double two_sided(double t, int degrees) {
  double angle = std::atan(t / std::sqrt(double(degrees)));
  double cosine = std::cos(angle), square = cosine * cosine;
  bool odd = degrees % 2;
  double term = odd ? cosine : 1, sum = 0;
  // odd: cos + 2/3 cos^3 + (2·4)/(3·5) cos^5 ...; even: 1 + 1/2 cos^2 + (1·3)/(2·4) cos^4 ...; both
  // up to cos^(degrees - 2)
  for (int power = odd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= square * (power + 1) / (power + 2);
  }
  if (odd) return 2 / std::numbers::pi * (angle + std::sin(angle) * sum);
  return std::sin(angle) * sum;
}

double student_t_of_whole(int degrees) {
  if (degrees >
      2000) {  // the first term of the expansion about the normal point; exact to 1e-7 here
    double z = 1.959963984540054;
    return z + (z * z * z + z) / (4.0 * degrees);
  }
  double low = 1.9, high = 13;  // 12.706 for one degree of freedom
  for (int halving = 0; halving < 60; halving++) {
    double middle = (low + high) / 2;
    (two_sided(middle, degrees) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double student_t_95(double degrees) {
  require(degrees >= 1, "Student's t needs at least 1 degree of freedom, not ", degrees);
  const int below = int(std::min(degrees, 1e9));
  double t = student_t_of_whole(below);
  if (degrees > below && degrees < 1e9) {
    const double share = (1.0 / below - 1 / degrees) / (1.0 / below - 1.0 / (below + 1));
    t += share * (student_t_of_whole(below + 1) - t);
  }
  // Functions of libm differ between machines in their last digits.
  return std::round(t * 1e9) / 1e9;
}

Estimate estimate(const std::vector<double>& values) {
  Estimate result;
  result.count = int(values.size());
  if (values.empty()) return result;
  double sum = 0;
  for (double value : values) {
    if (!std::isfinite(value)) {
      result.mean = result.half = std::numeric_limits<double>::quiet_NaN();
      return result;
    }
    sum += value;
  }
  result.mean = sum / result.count;
  if (result.count < 2) return result;
  double squares = 0;
  for (double value : values) squares += (value - result.mean) * (value - result.mean);
  double deviation = std::sqrt(squares / (result.count - 1));
  result.half = student_t_95(result.count - 1) * deviation / std::sqrt(double(result.count));
  return result;
}

Estimate difference_of_means(const std::vector<double>& a, const std::vector<double>& b) {
  Estimate result;
  result.count = int(std::min(a.size(), b.size()));
  if (result.count == 0) return result;
  const Estimate x = estimate(a), y = estimate(b);
  result.mean = x.mean - y.mean;
  if (!std::isfinite(result.mean)) {
    result.half = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  if (result.count < 2) {
    result.count = 1;
    return result;
  }
  // Squared standard errors of the two means.
  auto error = [](const Estimate& e) {
    const double one = e.half / student_t_95(e.count - 1);
    return one * one;
  };
  const double of_a = error(x), of_b = error(y), both = of_a + of_b;
  if (both == 0) return result;
  const double degrees = both * both / (of_a * of_a / (x.count - 1) + of_b * of_b / (y.count - 1));
  result.half = student_t_95(std::max(1., degrees)) * std::sqrt(both);
  return result;
}

}  // namespace afina
