// Rotary position embedding, half-split: a thread rotates a few neighbouring pairs of one head.
// Where only the first columns of a head rotate, the others are copied by a kernel of their own.
#include "engine/ops/rope.h"

#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {
namespace {

template <class T>
__global__ void rope_kernel(T* y, const T* x, const sum_of<T>* table, const int32_t* positions,
                            uint32_t size, uint32_t heads, int64_t half, int64_t dim,
                            bool backwards, bool whole) {
  using S = sum_of<T>;
  constexpr int w = width_of<T>;
  uint32_t groups = uint32_t(half + w - 1) / w,
           i = blockIdx.x * blockDim.x + threadIdx.x;  // 64-bit divisions would dominate the time
  if (i >= size) return;
  int64_t head = i / groups, at = i % groups * w;  // head: counted over all positions
  const S* angles = table + int64_t(positions[uint32_t(head) / heads]) * 2 * half;
  const T* in = x + head * dim;
  T* out = y + head * dim;
  S c[w], s[w], a[w], b[w], first[w], second[w];
  take<w>(c, angles, at, half, whole), take<w>(s, angles + half, at, half, whole);
  take<w>(a, in, at, half, whole), take<w>(b, in + half, at, half, whole);
  for (int j = 0; j < w; ++j) {
    S sine = backwards ? -s[j] : s[j];
    first[j] = math::v_fma(a[j], c[j], -(b[j] * sine));
    second[j] = math::v_fma(b[j], c[j], a[j] * sine);
  }
  put<w>(out, first, at, half, whole), put<w>(out + half, second, at, half, whole);
}

template <class T>
__global__ void rest_kernel(T* y, const T* x, int64_t size, int64_t dim, int64_t turned) {
  int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x, rest = dim - turned;
  if (i >= size) return;
  int64_t at = i / rest * dim + turned + i % rest;
  y[at] = x[at];
}

void rope(Tensor& y, const Tensor& x, const Tensor& table, const Tensor& positions,
          bool backwards) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    using S = sum_of<T>;
    int64_t heads = x.shape()[2], dim = x.columns(), half = table.columns() / 2,
            size = positions.size() * heads * ceil_div(half, width_of<T>);
    require(size < (int64_t(1) << 31), "rope: ", size,
            " vectors at once are more than a grid's 2^31; use a smaller batch");
    T* out = y.data<T>();
    const T* in = x.data<T>();
    const S* angles = table.data<S>();
    launch(rope_kernel<T>, grid_of(size, 1), element_threads, 0, out, in, angles,
           positions.data<int32_t>(), uint32_t(size), uint32_t(heads), half, dim, backwards,
           whole(half, width_of<T>, out, in, angles) && dim % width_of<T> == 0);
    int64_t rest = positions.size() * heads * (dim - 2 * half);
    if (rest)
      launch(rest_kernel<T>, grid_of(rest, 1), element_threads, 0, out, in, rest, dim, 2 * half);
  });
}

REGISTER_CUDA(rope, vector_per_thread, 0, rope);

}  // namespace
}  // namespace afina::AFINA_GPU
