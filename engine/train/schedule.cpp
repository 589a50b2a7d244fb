// Schedules of the learning rate.
#include "engine/train/schedule.h"

#include "engine/error.h"
#include "engine/math.h"

namespace afina {

const char* name(Decay decay) {
  static constexpr const char* names[] = {"constant", "linear", "cosine"};
  return names[int(decay)];
}
Decay parse_decay(const std::string& text) {
  for (Decay d : {Decay::constant, Decay::linear, Decay::cosine})
    if (text == name(d)) return d;
  fail("unknown schedule '", text, "'; there are constant, linear and cosine");
}

double Schedule::at(int64_t step) const {
  if (step < warmup) return peak * double(step + 1) / double(warmup);
  if (decay == Decay::constant || steps <= warmup) return peak;
  double passed = double(step - warmup) / double(steps - warmup), left = 1. - passed;
  if (decay == Decay::cosine) {
    double sine, cosine;
    math::sin_cos(3.141592653589793 * passed, sine, cosine);
    left = 0.5 * (1. + cosine);
  }
  return peak * (floor + (1. - floor) * (left > 0. ? left : 0.));
}

}  // namespace afina
