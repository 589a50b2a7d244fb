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

namespace {

Share share_before(const PairedShares& p) { return {p.both + p.before, p.rows()}; }
Share share_after(const PairedShares& p) { return {p.both + p.after, p.rows()}; }

// The correlation between before and after, with Newcombe's correction for continuity.
double correlation(const PairedShares& p) {
  const double a = double(p.both), b = double(p.before), c = double(p.after), d = double(p.neither);
  const double margins = (a + b) * (c + d) * (a + c) * (b + d);
  if (margins <= 0.) return 0.;
  double numerator = a * d - b * c;
  if (numerator > 0.) numerator = std::max(0., numerator - double(p.rows()) / 2.);
  return numerator / std::sqrt(margins);
}
double joined(double one, double other, double correlation) {
  return std::sqrt(std::max(0., one * one - 2. * correlation * one * other + other * other));
}

}  // namespace

double PairedShares::change() const {
  return known() ? double(after - before) / double(rows()) : 0.;
}
double PairedShares::low() const {
  const Share was = share_before(*this), is = share_after(*this);
  return change() - joined(is.share() - is.low(), was.high() - was.share(), correlation(*this));
}
double PairedShares::high() const {
  const Share was = share_before(*this), is = share_after(*this);
  return change() + joined(is.high() - is.share(), was.share() - was.low(), correlation(*this));
}

}  // namespace afina
