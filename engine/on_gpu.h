// Where the engine works differently on GPUs, whose sums need not follow the CPU's order
// (docs/numerics.md).
#pragma once
#include "engine/kernel.h"
#include "engine/shapes.h"
#include "engine/tensor.h"

namespace afina {

// Is this a GPU, or Device::shapes standing for one?
inline bool on_gpu(Device device) {
  if (device == Device::shapes) device = stood_for();
  return device == Device::cuda || device == Device::emulated;
}

// Should c = a b + a2 b2 be one product over operands joined along k, rather than two products? Yes
// where c is so much wider than a that a second pass over c would take longer than the copy
// (docs/results/gpu.md).
inline bool better_joined(int64_t columns_of_c, int64_t columns_of_a) {
  return columns_of_c > 2 * columns_of_a;
}

namespace kernel {
// y (rows, m + n) = [a b]: a (rows, m) and b (rows, n) side by side, of one dtype.
inline constinit Kernel<void(Tensor& y, const Tensor& a, const Tensor& b)> joined{"joined"};
}  // namespace kernel

}  // namespace afina
