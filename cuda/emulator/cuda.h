// The part of CUDA that our kernels use, for a C++ compiler: nvcc's built-in names, implemented by
// the emulator.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
// A block runs on one system thread, so its shared memory is memory owned by that thread.
#define __shared__ static thread_local

namespace afina::emulated {

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
  constexpr unsigned count() const { return x * y * z; }
};

// The running thread's coordinates, one number at a time, so that the compiler loads each once:
// const, because they do not change while a kernel runs.
[[gnu::const]] unsigned thread_place(int axis);
[[gnu::const]] unsigned block_place(int axis);
[[gnu::const]] unsigned block_extent(int axis);
[[gnu::const]] unsigned grid_extent(int axis);
[[gnu::const]] unsigned lane_index();
// By value, because a kernel may read only device memory.
inline dim3 thread_index() { return {thread_place(0), thread_place(1), thread_place(2)}; }
inline dim3 block_index() { return {block_place(0), block_place(1), block_place(2)}; }
inline dim3 block_size() { return {block_extent(0), block_extent(1), block_extent(2)}; }
inline dim3 grid_size() { return {grid_extent(0), grid_extent(1), grid_extent(2)}; }
#define threadIdx (::afina::emulated::thread_index())
#define blockIdx (::afina::emulated::block_index())
#define blockDim (::afina::emulated::block_size())
#define gridDim (::afina::emulated::grid_size())

// The source line of a barrier or a warp's exchange in a kernel.
struct Line {
  const char* file;
  int line;
  Line(const char* file = __builtin_FILE(), int line = __builtin_LINE()) : file(file), line(line) {}
};

// Runs kernel(arguments) for every thread of every block. `arguments` are `size` bytes that threads
// may read. Errors of the kernel (engine/error.h) name it, the block, the thread and the line.
struct Launch {
  dim3 grid, block;
  size_t shared;       // bytes of dynamic shared memory
  const void* kernel;  // for its name in errors
  void (*thread)(const void* arguments);
  const void* arguments;
  size_t size;
};
void run(const Launch& launch);

unsigned char* dynamic_bytes();  // the block's dynamic shared memory, aligned to 128 bytes

void block_barrier(Line line);
// Every lane of `mask` sends `bytes` (at most 64) from `value` and receives what lane `from` sent.
void exchange(void* value, size_t bytes, unsigned mask, unsigned from, Line line);
// Every lane of `mask` sends `bytes` (at most 64) and receives those of all 32 lanes, in order;
// zeros for lanes that sent nothing.
void exchange_all(const void* value, size_t bytes, unsigned mask, void* all, Line line);

inline void __syncthreads(Line line = {}) { block_barrier(line); }
inline void __syncwarp(unsigned mask = 0xffffffffu, Line line = {}) {
  char nothing = 0;
  exchange(&nothing, 1, mask, lane_index(), line);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32, Line line = {}) {
  unsigned lane = lane_index(), first = lane / unsigned(width) * unsigned(width);
  exchange(&value, sizeof(T), mask, first + unsigned(from) % unsigned(width), line);
  return value;
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int hop, int width = 32, Line line = {}) {
  unsigned lane = lane_index(), from = lane ^ unsigned(hop);
  exchange(&value, sizeof(T), mask, from / unsigned(width) == lane / unsigned(width) ? from : lane,
           line);
  return value;
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned hop, int width = 32, Line line = {}) {
  unsigned lane = lane_index(), from = lane + hop;
  exchange(&value, sizeof(T), mask, from / unsigned(width) == lane / unsigned(width) ? from : lane,
           line);
  return value;
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned hop, int width = 32, Line line = {}) {
  unsigned lane = lane_index(), at = lane % unsigned(width);
  exchange(&value, sizeof(T), mask, at >= hop ? lane - hop : lane, line);
  return value;
}
inline unsigned __ballot_sync(unsigned mask, int held, Line line = {}) {
  unsigned char all[32], mine = held != 0;
  exchange_all(&mine, 1, mask, all, line);
  unsigned bits = 0;
  for (int i = 0; i < 32; ++i) bits |= unsigned(all[i]) << i;
  return bits;
}
inline int __any_sync(unsigned mask, int held, Line line = {}) {
  return __ballot_sync(mask, held, line) != 0;
}
inline int __all_sync(unsigned mask, int held, Line line = {}) {
  return __ballot_sync(mask, !held, line) == 0;
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }

// Vector types: what one 16-byte load moves.
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

}  // namespace afina::emulated
