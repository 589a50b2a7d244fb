// adamw8: AdamW with both moments in 8 bits (Dettmers et al., 2022, "8-bit Optimizers via
// Block-wise Quantization").
#pragma once
#include "engine/ops/adamw.h"

namespace afina {

// A moment in 8 bits: blocks of 256 elements (the last may be shorter), each the f32 of greatest
// magnitude in it, and for each element the index of one of 256 values, by which that is
// multiplied.
inline constexpr int64_t moment_block = 256;
inline int64_t moment_blocks(int64_t size) { return (size + moment_block - 1) / moment_block; }

// What the indices of a moment stand for; made once, the same bits on every machine.
struct MomentCode {
  float value[256];  // ascending
  // Number i lies between value[i] and value[i + 1]: what is greater belongs to i + 1.
  float boundary[255];
  // How many boundaries lie below all numbers whose upper 16 bits (of f32) are these: where the
  // search begins.
  uint8_t start[65536];
};
// Of the first moment, with sign, and of the second, which is never negative: the dynamic maps of
// bitsandbytes 0.50.2, bit for bit.
const MomentCode& first_moment_code();
const MomentCode& second_moment_code();
// Both codes as kernels on devices read them: f32 (1024): the 256 values of the first moment, its
// 255 boundaries and a 0, then the same of the second.
Tensor moment_codes(Device device);

struct Moment8 {
  Tensor index;  // i32 (size / 4, rounded up): four indices each, the first in the lowest bits
  Tensor scale;  // f32 (moment_blocks(size)): the greatest magnitude of each block
};
// A moment of `size` elements, all 0.
Moment8 empty_moment(int64_t size, Device device);
// Its elements, f32 (size) on the host. first: the first moment?
Tensor unpacked(const Moment8& moment, int64_t size, bool first);

namespace kernel {
// kernel::adamw on moments that are unpacked, updated in f32 and packed again, block by block.
// Packing takes the nearest of the 256 values, of two the lower; but a second moment that is not 0
// never becomes 0, because a first moment over eps alone would be a step a thousand times too
// large. master and gradient f32; value is master or its bf16 copy; codes: moment_codes().
inline constinit Kernel<void(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m_index,
                             Tensor& m_scale, Tensor& v_index, Tensor& v_scale, const Tensor& codes,
                             const AdamWStep& step)>
    adamw8{"adamw8"};
}  // namespace kernel

}  // namespace afina
