// One thread's part of a row, held in registers between several passes over it.
#pragma once
#include "cuda/block.cuh"

namespace afina::AFINA_GPU {

// A thread's part of a row of n, which a kernel goes through several times (the norms: for the sum,
// for the squares, for the result).
// look() says which row it is and, for V > 0, asks for all of it at once: V vectors of 16 bytes
// that stay in registers as they lie in memory, so that a row of bf16 takes half the registers of
// f32. each() goes over the thread's vectors; they lie a block's width apart, so that neighbouring
// threads read neighbouring memory. values() gives one vector in the type that is computed in:
// unpacked from the registers, or, for V = 0 (rows of any length and type), read from memory, again
// whenever it is asked for. forget() keeps the compiler from holding on to what values() gave
// before: it would otherwise keep the unpacked numbers from one pass to the next, in twice the
// registers, instead of unpacking anew. Rows that are held (V > 0) consist of whole vectors; of
// others `whole` says whether they do.
template <class T, int V>
struct Part {
  static constexpr int w = width_of<T>;
  using S = sum_of<T>;
  const T* row;
  int n;
  bool whole;
  Pack<T, w> held[V > 0 ? V : 1] = {};

  __device__ void look(const T* at, int columns, bool all) {
    row = at;
    n = columns;
    whole = all;
    if constexpr (V > 0) {
#pragma unroll
      for (int k = 0; k < V; ++k)
        held[k] =
            place(k) < n ? *reinterpret_cast<const Pack<T, w>*>(row + place(k)) : Pack<T, w>{};
    }
  }
  __device__ static int place(int k) { return (k * int(blockDim.x) + int(threadIdx.x)) * w; }
  __device__ void values(S (&v)[w], int k, int i) const {
    if constexpr (V > 0) {
      unpack(v, held[k]);
    } else {
      take<w>(v, row, i, n, whole);
    }
  }
  __device__ void forget() {
#if defined(__CUDA_ARCH__)
    if constexpr (V > 0) {
#pragma unroll
      for (int k = 0; k < V; ++k) {
        auto& words = held[k].pairs;
        asm volatile("" : "+r"(words[0]), "+r"(words[1]), "+r"(words[2]), "+r"(words[3])::"memory");
      }
    }
#endif
  }
  // body(k, i): over this thread's vectors, the k-th of which begins at i.
  template <class Body>
  __device__ void each(Body body) const {
    if constexpr (V > 0) {
#pragma unroll
      for (int k = 0; k < V; ++k)
        if (place(k) < n) body(k, place(k));
    } else {
      for (int i = int(threadIdx.x) * w; i < n; i += int(blockDim.x) * w) body(0, i);
    }
  }
};

}  // namespace afina::AFINA_GPU
