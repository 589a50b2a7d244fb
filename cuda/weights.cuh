// The table of all trained weights in device memory (engine/ops/adamw.h), and which part of which
// weight a block processes.
#pragma once
#include "cuda/elements.cuh"
#include "engine/ops/adamw.h"

namespace afina::AFINA_GPU {

inline int64_t rows_of(const Tensor& table) { return int64_t(table.bytes() / sizeof(WeightRow)); }

// The last row whose first part is not after `part`.
__device__ inline const WeightRow& row_of_part(const WeightRow* table, int64_t rows, int64_t part) {
  int64_t low = 0, high = rows;
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (table[middle].first_part <= part) low = middle;
    else high = middle;
  }
  return table[low];
}

// whole() of elements.cuh for addresses from the table.
template <class... T>
__device__ bool all_whole(int64_t n, int w, const T*... p) {
  return n % w == 0 &&
         ((reinterpret_cast<uintptr_t>(p) % (w * sizeof(T) < 16 ? w * sizeof(T) : 16) == 0) && ...);
}

}  // namespace afina::AFINA_GPU
