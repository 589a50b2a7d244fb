// The device without bytes: its tensors have shapes and addresses only, and its kernels only count.
// Running the same model, backward pass and optimizer on it predicts the memory and the work of a
// run (tools/foresight/predict.h) without a second formula for either.
#pragma once
#include <functional>
#include <initializer_list>

#include "engine/tensor.h"

namespace afina {

class KernelSlot;

// The device that Device::shapes stands for: operations take the same branches as they would there.
// The CPU unless set.
Device stood_for();
// Sets it. Throws an Error unless the build includes the device; the machine need not have it.
void stand_for(Device device);

// One kernel that would have run.
struct KernelCall {
  const KernelSlot& slot;
  std::initializer_list<const Tensor*> arguments;  // nullptr for an argument that is no tensor
  int64_t flops;  // counted (engine/meter.h) since the last call: an operation counts, then calls
};
// Counts a call; every kernel slot does so on this device. Throws an Error if the device that it
// stands for has no such kernel.
void count_call(const KernelSlot& slot, std::initializer_list<const Tensor*> arguments);

// While alive, `see` receives every call. For one thread at a time.
class CallObserver {
 public:
  explicit CallObserver(std::function<void(const KernelCall&)> see);
  ~CallObserver();
  CallObserver(const CallObserver&) = delete;

 private:
  std::function<void(const KernelCall&)> see_, outer_;
};

// Peak bytes, since the last trim_shapes(), that the CPU's pool would have taken from the system:
// allocations and the gaps between them. Addresses here follow the CPU pool's rule
// (engine/ranges.h), so the gaps are the same.
int64_t shapes_pool_bytes();
void trim_shapes();

}  // namespace afina
