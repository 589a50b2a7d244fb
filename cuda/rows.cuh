// Copies rows selected by index on either side. Moves bits, whatever they represent.
#pragma once
#include "cuda/launch.cuh"
#include "engine/tensor.h"

namespace afina::AFINA_GPU {

// Source and destination of rows, in units of U. A negative row index: nothing is written, or zeros
// are.
struct RowCopy {
  const int32_t *to, *from;  // nullptr: consecutive rows
  int64_t to_stride, from_stride, width, rows;
};

// Index: uint32_t where possible, because divisions of 64 bits would dominate the time.
template <class U, class Index>
__global__ void copy_rows_kernel(U* y, const U* x, RowCopy c) {
  Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= Index(c.rows * c.width)) return;
  int64_t row = i / Index(c.width), column = i % Index(c.width);
  int64_t to = c.to ? c.to[row] : row, from = c.from ? c.from[row] : row;
  if (to < 0) return;
  U value{};
  if (from >= 0) value = x[from * c.from_stride + column];
  y[to * c.to_stride + column] = value;
}

template <class U>
void copy_rows_as(void* y, const void* x, RowCopy c) {
  int64_t unit = int64_t(sizeof(U));
  c.to_stride /= unit;
  c.from_stride /= unit;
  c.width /= unit;
  const unsigned blocks = unsigned(ceil_div(c.rows * c.width, 256));
  if (c.rows * c.width < int64_t(1) << 31)
    launch(copy_rows_kernel<U, uint32_t>, blocks, 256, 0, static_cast<U*>(y),
           static_cast<const U*>(x), c);
  else
    launch(copy_rows_kernel<U, int64_t>, blocks, 256, 0, static_cast<U*>(y),
           static_cast<const U*>(x), c);
}

// Strides and width in bytes, multiples of `element` (2, 4 or 8). Moves 16 bytes at a time where
// everything is a multiple of that.
inline void copy_rows(void* y, const void* x, const RowCopy& c, size_t element) {
  uint64_t all = uint64_t(c.to_stride) | uint64_t(c.from_stride) | uint64_t(c.width) |
                 reinterpret_cast<uintptr_t>(y) | reinterpret_cast<uintptr_t>(x);
  if (all % 16 == 0) copy_rows_as<uint4>(y, x, c);
  else if (element == 8) copy_rows_as<uint64_t>(y, x, c);
  else if (element == 4) copy_rows_as<uint32_t>(y, x, c);
  else copy_rows_as<uint16_t>(y, x, c);
}

}  // namespace afina::AFINA_GPU
