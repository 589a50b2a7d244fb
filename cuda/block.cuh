// Sums and maxima over the threads of a warp, of a row of the block, and of the block. They are
// fixed trees, so that every run gives the same bits.
#pragma once
#include "cuda/launch.cuh"

namespace afina::AFINA_GPU {

template <class T>
__device__ T warp_sum(T v) {
  for (int hop = warp / 2; hop > 0; hop /= 2) v += __shfl_xor_sync(0xffffffffu, v, hop);
  return v;
}
template <class T>
__device__ T warp_max(T v) {
  for (int hop = warp / 2; hop > 0; hop /= 2)
    v = math::v_max(v, __shfl_xor_sync(0xffffffffu, v, hop));
  return v;
}

// Threads of a block with the same threadIdx.y work on one row together. blockDim.x is a multiple
// of 32; a block has at most 32 rows. Every thread of the block must take part; each gets its row's
// result.
template <class T>
__device__ T row_sum(T v) {
  v = warp_sum(v);
  if (blockDim.x == warp) return v;
  // One entry per warp of the block: at most 1024 threads.
  __shared__ T of_warp[32];
  int warps = blockDim.x / warp, first = threadIdx.y * warps, mine = threadIdx.x / warp,
      lane = threadIdx.x % warp;
  __syncthreads();  // the previous sum has been read
  if (lane == 0) of_warp[first + mine] = v;
  __syncthreads();
  return warp_sum(lane < warps ? of_warp[first + lane] : T(0));
}
template <class T>
__device__ T row_max(T v) {
  v = warp_max(v);
  if (blockDim.x == warp) return v;
  __shared__ T of_warp[32];
  int warps = blockDim.x / warp, first = threadIdx.y * warps, mine = threadIdx.x / warp,
      lane = threadIdx.x % warp;
  __syncthreads();
  if (lane == 0) of_warp[first + mine] = v;
  __syncthreads();
  return warp_max(of_warp[first + (lane < warps ? lane : 0)]);
}

}  // namespace afina::AFINA_GPU
