// What the engine does in another way on GPUs, whose sums are not bound to the CPU's order of rounding (docs/numerics.md).
#pragma once
#include "engine/shapes.h"

namespace afina {

// Is this a GPU, or does it stand for one?
inline bool on_gpu(Device device) {
  if (device == Device::shapes) device = stood_for();
  return device == Device::cuda || device == Device::emulated;
}

}  // namespace afina
