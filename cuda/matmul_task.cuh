// Shared by the fast matmul kernels: the operands of a call, and the order in which blocks cover
// the result.
#pragma once
#include "cuda/blocks.cuh"
#include "cuda/launch.cuh"
#include "engine/primitives.h"

namespace afina::AFINA_GPU {

// op(a) (m, k) times op(b) (k, n), contiguous.
template <class T>
struct Operands {
  const T *a = nullptr, *b = nullptr;
  int k = 0;
};

// c = [c +] first + second [+ bias]. The second pair, whose k may be 0, extends the chain of the
// first: LoRA's low-rank path.
template <class T>
struct MatmulTask {
  Operands<T> first, second;
  void* c = nullptr;
  const float* bias = nullptr;  // (n)
  int m = 0, n = 0, ldc = 0;
  bool c_f32 = true, accumulate = false;
  bool pairs = false;  // whether two neighbouring values of c can be stored at once
};

// Blocks of the result in groups of 8 rows of blocks, column by column: blocks that run at the same
// time reuse few rows of b.
struct BlockPlace {
  int down, across;
  __device__ BlockPlace(int blocks_down, int blocks_across) {
    constexpr int group = 8;
    int first = int(blockIdx.x) / (group * blocks_across) * group,
        within = int(blockIdx.x) % (group * blocks_across);
    int height = blocks_down - first < group ? blocks_down - first : group;
    down = first + within % height;
    across = within / height;
  }
};

// Number of tiles of `depth` in k: those of the first pair, then those of the second.
template <class T>
__device__ inline int tiles_of(const MatmulTask<T>& p, int depth) {
  return (p.first.k + depth - 1) / depth + (p.second.k + depth - 1) / depth;
}
// The pair that tile t belongs to, and where in its k the tile begins.
template <class T>
__device__ inline Operands<T> operands_of(const MatmulTask<T>& p, int t, int depth, int& k0) {
  int tiles = (p.first.k + depth - 1) / depth;
  k0 = (t < tiles ? t : t - tiles) * depth;
  return t < tiles ? p.first : p.second;
}

inline bool is_aligned(const void* p, size_t to) {
  return reinterpret_cast<uintptr_t>(p) % to == 0;
}

// The columns `at` of a product, whose part of op(b) is `panel` (each_panel).
template <class T>
MatmulTask<T> task_of(const Tensor& c, Columns at, const Tensor& a, const Tensor& panel, bool ta,
                      bool accumulate, const Tensor& bias) {
  MatmulTask<T> p;
  p.first = {a.data<T>(), panel.data<T>(), int(ta ? a.rows() : a.columns())};
  p.c = c.data<char>() + at.from * int64_t(size_of(c.dtype()));
  p.bias = bias ? bias.data<float>() + at.from : nullptr;
  p.m = int(c.rows());
  p.n = int(at.count);
  p.ldc = int(c.columns());
  p.c_f32 = c.dtype() == Dtype::f32;
  p.accumulate = accumulate;
  p.pairs = p.n % 2 == 0 && p.ldc % 2 == 0 && is_aligned(p.c, 8);
  return p;
}
// The columns `at` of op(b), contiguous: b itself, rows of it, or a copy of its columns, which are
// those of a low-rank path and few.
inline Tensor columns_of(const Tensor& b, Columns at, bool tb) {
  if (at.count == (tb ? b.rows() : b.columns())) return b;
  if (tb) return b.slice_rows(at.from, at.count);
  PurposeScope purpose(Purpose::workspace);
  Tensor part({b.rows(), at.count}, b.dtype(), this_device);
  kernel::columns(part, b, at.from);
  return part;
}

// Whether there are enough blocks of 128x128 to occupy a large GPU. The emulator always takes them
// when possible, so that they are tested.
inline bool many_blocks(int m, int n) {
  constexpr int64_t enough = this_device == Device::emulated ? 1 : 96;
  return m > 64 && n > 64 && int64_t(ceil_div(m, 128)) * ceil_div(n, 128) >= enough;
}

}  // namespace afina::AFINA_GPU
