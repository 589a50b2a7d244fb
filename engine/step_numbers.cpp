// The live step's numbers.
#include "engine/step_numbers.h"

#include "engine/error.h"

namespace afina {

namespace {
thread_local StepScope* current = nullptr;
}

StepScope::StepScope(Device device, const StepNumbers* on_device, const StepNumbers& numbers,
                     bool strict)
    : device_(device), on_device_(on_device), numbers_(numbers), strict_(strict), outer_(current) {
  current = this;
}
StepScope::~StepScope() { current = outer_; }

Number<double> loss_scale(double scale, Device device) {
  const StepScope* s = current;
  if (!s || s->device_ != device) return scale;
  if (s->numbers_.loss_scale == scale) return {scale, &s->on_device_->loss_scale};
  require(!s->strict_, "a captured step scales its loss by ", scale, ", not by the step's own ",
          s->numbers_.loss_scale);
  return scale;
}
Number<uint64_t> step_number(uint64_t step, Device device) {
  const StepScope* s = current;
  if (!s || s->device_ != device) return step;
  if (s->numbers_.step == step) return {step, &s->on_device_->step};
  require(!s->strict_, "a captured step draws dropout for step ", step, ", and it is step ",
          s->numbers_.step);
  return step;
}

}  // namespace afina
