// Flash attention (Dao et al., 2022 and 2023): shared by its kernels. Scores stay in registers, one
// block of keys at a time. Forward saves the log of the sum of exponentials, from which backward
// recomputes the probabilities.
#pragma once
#include "cuda/launch.cuh"
#include "engine/ops/attention.h"

namespace afina::AFINA_GPU {

__device__ __forceinline__ int lesser(int a, int b) { return a < b ? a : b; }
__device__ __forceinline__ int greater(int a, int b) { return a > b ? a : b; }

// The tensors of a call as the kernels see them: q, o (B, T, heads, dim), k, v (B, S, kv_heads,
// dim), starts (B, T), lse (B, T, heads).
template <class T>
struct Heads {
  const T *q, *k, *v;
  const int32_t* starts;
  int queries, keys, heads, kv_heads, dim;
  float scale;
  Heads(const Tensor& of_q, const Tensor& of_k, const Tensor& of_v, const Tensor& first, double by)
      : q(of_q.data<T>()),
        k(of_k.data<T>()),
        v(of_v.data<T>()),
        starts(first.data<int32_t>()),
        queries(int(of_q.shape()[1])),
        keys(int(of_k.shape()[1])),
        heads(int(of_q.shape()[2])),
        kv_heads(int(of_k.shape()[2])),
        dim(int(of_q.columns())),
        scale(float(by)) {}
  __device__ __forceinline__ int64_t row(int b, int t, int h) const {
    return (int64_t(b) * queries + t) * heads + h;
  }  // offset in lse
  __device__ __forceinline__ int64_t query(int b, int t, int h) const { return row(b, t, h) * dim; }
  __device__ __forceinline__ int64_t key(int b, int s, int h) const {
    return ((int64_t(b) * keys + s) * kv_heads + h) * dim;
  }
  __device__ __forceinline__ int query_step() const {
    return heads * dim;
  }  // elements from one query to the next
  __device__ __forceinline__ int key_step() const { return kv_heads * dim; }
  __device__ __forceinline__ int position(int t) const { return keys - queries + t; }
  __device__ __forceinline__ const int32_t* start(int b, int t) const {
    return starts + int64_t(b) * queries + t;
  }
};
template <class T>
struct Slopes {
  const T* dout;
  const float *lse, *delta;  // delta (B, T, heads): the sum of dout · o along dim
  T *dq, *dk, *dv;
};

// Minimum and maximum of `count` starts, computed by every warp.
__device__ __forceinline__ void range_of(const int32_t* starts, int count, int& low, int& high) {
  low = starts[0];
  high = starts[0];
  for (int i = threadIdx.x % warp; i < count; i += warp) {
    low = lesser(low, starts[i]);
    high = greater(high, starts[i]);
  }
  for (int hop = warp / 2; hop > 0; hop /= 2) {
    low = lesser(low, __shfl_xor_sync(0xffffffffu, low, hop));
    high = greater(high, __shfl_xor_sync(0xffffffffu, high, hop));
  }
}
// The last query from `first` on that sees a key at or before `key`, judged by its start; first - 1
// if there is none.
__device__ __forceinline__ int last_seeing(const int32_t* starts, int first, int queries, int key) {
  int last = first - 1;
  for (int t = first + threadIdx.x % warp; t < queries; t += warp)
    if (starts[t] <= key) last = t;
  for (int hop = warp / 2; hop > 0; hop /= 2)
    last = greater(last, __shfl_xor_sync(0xffffffffu, last, hop));
  return last;
}

void flash_forward_bf16(const Heads<bf16>& x, int batch, bf16* o, float* lse);
void flash_backward_bf16(const Heads<bf16>& x, int batch, const Slopes<bf16>& d);
void flash_forward_f32(const Heads<float>& x, int batch, float* o, float* lse);
void flash_backward_f32(const Heads<float>& x, int batch, const Slopes<float>& d);

}  // namespace afina::AFINA_GPU
