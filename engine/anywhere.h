// Marks of functions that run on the CPU and in CUDA kernels alike.
#pragma once

#if defined(__CUDACC__)
#define AFINA_ANYWHERE __host__ __device__ __forceinline__
#define AFINA_INLINE __forceinline__
#else
#define AFINA_ANYWHERE [[gnu::always_inline]] inline
#define AFINA_INLINE [[gnu::always_inline]] inline
#endif
