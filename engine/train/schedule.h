// Learning rate schedules.
#pragma once
#include <cstdint>
#include <string>

namespace afina {

enum class Decay : uint8_t { constant, linear, cosine };
const char* name(Decay decay);
// From "constant", "linear" or "cosine"; throws an Error for anything else.
Decay parse_decay(const std::string& text);

struct Schedule {
  double peak = 1e-4;
  int64_t steps = 0;   // of the whole run
  int64_t warmup = 0;  // steps of linear rise to the peak
  Decay decay = Decay::cosine;
  double floor = 0.;  // final rate as a share of the peak
  // The rate of step `step`, counted from 0: peak · (step + 1) / warmup during warm-up, then
  // decaying to peak · floor after the last step.
  double at(int64_t step) const;
};

}  // namespace afina
