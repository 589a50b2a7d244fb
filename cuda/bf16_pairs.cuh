// Two bf16 in a 32-bit word, the first in the lower half: one instruction rounds two values, one
// unpacks each.
#pragma once
#include "cuda/launch.cuh"

namespace afina::AFINA_GPU {

#if defined(__CUDACC__)
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  unsigned both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
}
// Replaces a denormal by zero, which the rounding above would keep. Results of arithmetic are never
// denormal here, values from memory may be.
__device__ __forceinline__ float flushed(float v) {
  asm("mul.ftz.f32 %0, %0, 0f3F800000;" : "+f"(v));
  return v;
}
#else
inline unsigned pack_bf16(float low, float high) {
  return to_bf16(low).bits | unsigned(to_bf16(high).bits) << 16;
}
inline float flushed(float v) { return v; }
#endif
__device__ inline float low_bf16(unsigned both) { return to_float(bf16{uint16_t(both)}); }
__device__ inline float high_bf16(unsigned both) { return to_float(bf16{uint16_t(both >> 16)}); }

}  // namespace afina::AFINA_GPU
