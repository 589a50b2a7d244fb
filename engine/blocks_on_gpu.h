// Matrices in blocks on a GPU: all that its kernels read of one lies in one buffer there.
#pragma once
#include "engine/blocks.h"

namespace afina {

// Where the parts of a matrix begin in that buffer, counted in bytes from its blocks or codes, with
// which it begins; multiples of 64. Tables that a matrix lacks take no bytes.
struct GpuParts {
  size_t scales = 0, scale_scales = 0, code = 0, scale_map = 0, order = 0;
  size_t all = 0;  // bytes of the buffer
};
GpuParts gpu_parts(const Blocks& blocks);

// Blocks of this form without addresses: what in_blocks() makes, before it makes any. The errors of
// in_blocks() but for those of values.
std::shared_ptr<Blocks> described(BaseForm form, int64_t rows, int64_t columns, Dtype computed,
                                  const std::string& where);

// A copy on `device`, a GPU or Device::shapes in its stead (for which the blocks may have no
// addresses yet), counted as weights. It does not need what holds the blocks any more. Throws an
// Error if the device has no memory left.
Tensor blocks_on_gpu(const Blocks& blocks, Device device);

}  // namespace afina
