// The numbers that change from one training step to the next. On a GPU they are in device memory,
// written by one small copy per step, so that captured kernels can be replayed for a later step.
#pragma once
#include <cstdint>

#include "engine/anywhere.h"
#include "engine/device.h"

namespace afina {

struct StepNumbers {
  double loss_scale = 1.;                       // 1 / targets of the whole step
  double lr = 0., bias1 = 1., bias2_root = 1.;  // AdamW's (engine/ops/adamw.h)
  double clip = 0.;                             // greatest norm of the gradient; 0: no clipping
  uint64_t step = 0;                            // of the run, from 0; part of dropout's key
};

// A number for a kernel: a value known at launch, or an address in device memory to read it from.
template <class T>
struct Number {
  T value{};
  const T* address = nullptr;
  AFINA_ANYWHERE Number() {}
  AFINA_ANYWHERE Number(T value, const T* address = nullptr) : value(value), address(address) {}
  AFINA_ANYWHERE T get() const { return address ? *address : value; }
};

// While alive, operations on `device` read the step's numbers from `on_device`, memory of that
// device; `numbers` are the values that it holds now.
class StepScope {
 public:
  // strict: an operation that uses other numbers than the step's throws an Error, because a replay
  // of the step would repeat them. For steps that are being captured.
  StepScope(Device device, const StepNumbers* on_device, const StepNumbers& numbers, bool strict);
  ~StepScope();
  StepScope(const StepScope&) = delete;

 private:
  friend Number<double> loss_scale(double scale, Device device);
  friend Number<uint64_t> step_number(uint64_t step, Device device);
  Device device_;
  const StepNumbers* on_device_;
  const StepNumbers& numbers_;
  bool strict_;
  StepScope* outer_;
};

// `scale` and `step` as kernels on the device take them: by address if they equal the numbers of
// the live StepScope, by value otherwise.
Number<double> loss_scale(double scale, Device device);
Number<uint64_t> step_number(uint64_t step, Device device);

}  // namespace afina
