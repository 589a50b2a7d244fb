// The error of a training step whose loss or gradient is not finite: the run has diverged.
#pragma once
#include "engine/error.h"

namespace afina {

// Names the first tensor that is not finite. `step`, from 1, made no update (a part of one with
// apply_as_you_go), so that a search of learning rates can end this run and go on.
struct NotFinite : Error {
  int64_t step;
  NotFinite(int64_t at, const std::string& what) : Error(what), step(at) {}
};

}  // namespace afina
