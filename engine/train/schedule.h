// The learning rate over the steps of a run.
#pragma once
#include <cstdint>
#include <string>

namespace afina {

enum class Decay : uint8_t { constant, linear, cosine };
const char* name(Decay decay);
// "constant", "linear" or "cosine"; anything else is an Error.
Decay parse_decay(const std::string& text);

struct Schedule {
  double peak = 1e-4;
  int64_t steps = 0;   // of the whole run
  int64_t warmup = 0;  // steps of linear rise to the peak
  Decay decay = Decay::cosine;
  double floor = 0.;  // share of the peak that is left at the end
  // Rate of step `step`, counted from 0: (step + 1) / warmup of the peak while warming up, then
  // down to the floor at the last step's end.
  double at(int64_t step) const;
};

}  // namespace afina
