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

// Columns of a product with b in blocks (engine/blocks.h) that a GPU unpacks and multiplies at a
// time: whole tiles of its kernels, as many as fit into 32 MiB, which the cache of a large card
// holds; one tile where k is so long that none does. That much workspace a product takes, whatever
// the matrix. The emulated device takes less, so that tests see several panels.
inline int64_t panel_columns(Device device, const Tensor& b, bool tb) {
  if (device == Device::shapes) device = stood_for();
  constexpr int64_t tile = 128;
  const int64_t bytes = int64_t(1) << (device == Device::emulated ? 14 : 25),
                n = tb ? b.rows() : b.columns(), k = tb ? b.columns() : b.rows(),
                fit = bytes / (k > 0 ? k * int64_t(size_of(b.computed())) : 1) / tile * tile;
  return fit < tile ? (tile < n ? tile : n) : (fit < n ? fit : n);
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
