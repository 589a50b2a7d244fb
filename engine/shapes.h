// The device without bytes: tensors there have shapes alone, and the same model, backward pass and
// optimizer run on them only to be counted. It foresees what a run will hold and do
// (tools/foresight/predict.h) without a second formula for any of it.
#pragma once
#include <functional>
#include <initializer_list>

#include "engine/tensor.h"

namespace afina {

class KernelSlot;

// The device that Device::shapes foresees: operations run there as they would run on it. The CPU
// unless said otherwise.
Device stood_for();
// It need not be there, only in this build.
void stand_for(Device device);

// One kernel that would have run.
struct KernelCall {
  const KernelSlot& slot;
  std::initializer_list<const Tensor*> arguments;  // nullptr for one that is no tensor
  int64_t flops;  // counted (engine/meter.h) since the call before: an operation counts, then calls
};
// Told by each kernel of this device: an Error when the device it stands for has no such kernel.
void count_call(const KernelSlot& slot, std::initializer_list<const Tensor*> arguments);

// While alive, `see` is shown every call. Not for several threads at once.
class CallObserver {
 public:
  explicit CallObserver(std::function<void(const KernelCall&)> see);
  ~CallObserver();
  CallObserver(const CallObserver&) = delete;

 private:
  std::function<void(const KernelCall&)> see_, outer_;
};

// Bytes that the pool of the CPU would have had from the system at most since the last
// trim_shapes(): what is held and what lies between. Allocation here follows the same rule
// (engine/pool.h), so places and gaps are the same.
int64_t shapes_pool_bytes();
void trim_shapes();

}  // namespace afina
