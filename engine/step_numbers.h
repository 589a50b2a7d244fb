// The numbers of a training step that change from one step to the next. On a GPU they lie in device
// memory, filled by one small copy per step, so that kernels that were launched once can be
// replayed for a later step.
#pragma once
#include <cstdint>

#include "engine/anywhere.h"
#include "engine/device.h"

namespace afina {

struct StepNumbers {
  double loss_scale = 1.;                       // 1 / targets of the whole step
  double lr = 0., bias1 = 1., bias2_root = 1.;  // of the optimizer (engine/ops/adamw.h)
  double clip = 0.;                             // greatest norm of the gradient; 0: none
  uint64_t step = 0;                            // of the run, from 0: what dropout is keyed by
};

// A number for a kernel: known when it is launched, or lying in device memory.
template <class T>
struct Number {
  T value{};
  const T* there = nullptr;
  AFINA_ANYWHERE Number() {}
  AFINA_ANYWHERE Number(T value, const T* there = nullptr) : value(value), there(there) {}
  AFINA_ANYWHERE T get() const { return there ? *there : value; }
};

// While alive, operations on `device` read the step's numbers at `there`, memory of that device,
// and `numbers` says what they are now.
class StepScope {
 public:
  // strict: numbers that are not the step's own are an Error, as they would stay what they are when
  // the step is replayed.
  StepScope(Device device, const StepNumbers* there, const StepNumbers& numbers, bool strict);
  ~StepScope();
  StepScope(const StepScope&) = delete;

 private:
  friend Number<double> loss_scale(double scale, Device device);
  friend Number<uint64_t> step_number(uint64_t step, Device device);
  Device device_;
  const StepNumbers* there_;
  const StepNumbers& numbers_;
  bool strict_;
  StepScope* outer_;
};

// `scale` and `step` for kernels on the device: where the step in force keeps them, when they are
// the step's own; else as they are.
Number<double> loss_scale(double scale, Device device);
Number<uint64_t> step_number(uint64_t step, Device device);

}  // namespace afina
