// What the engine does in another way on GPUs, whose sums are not bound to the CPU's order of
// rounding (docs/numerics.md).
#pragma once
#include "engine/kernel.h"
#include "engine/shapes.h"
#include "engine/tensor.h"

namespace afina {

// Is this a GPU, or does it stand for one?
inline bool on_gpu(Device device) {
  if (device == Device::shapes) device = stood_for();
  return device == Device::cuda || device == Device::emulated;
}

// A sum of two products over different k, c = a b + a2 b2, is made by one product over operands
// copied side by side where c is so much wider than a that a second pass over c would take longer
// (docs/results/gpu.md).
inline bool better_joined(int64_t columns_of_c, int64_t columns_of_a) {
  return columns_of_c > 2 * columns_of_a;
}

namespace kernel {
// y (rows, m + n) = a (rows, m) beside b (rows, n), of one dtype: the operand of one product where
// there would be two.
inline constinit Kernel<void(Tensor& y, const Tensor& a, const Tensor& b)> joined{"joined"};
}  // namespace kernel

}  // namespace afina
