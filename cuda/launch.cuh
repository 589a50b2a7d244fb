// Included by every kernel file. nvcc compiles it for the device `cuda`; a C++ compiler compiles it
// against the emulator for the device `emulated`. Each has its own namespace, so that one program
// contains both. The only place where kernels are launched.
#pragma once
#include "engine/kernel.h"
#include "engine/math.h"

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#define AFINA_GPU cuda
#else
#include "cuda/emulator/stream.h"
#define AFINA_GPU emulated
#endif

#define AFINA_GPU_TEXT2(name) #name
#define AFINA_GPU_TEXT(name) AFINA_GPU_TEXT2(name)
// Fills a kernel slot: REGISTER_CUDA(matmul, tiled, 10, run). The variant of the highest rank that
// accepts the arguments runs. An optional fifth argument is a function of the slot's arguments that
// returns whether the variant accepts them.
#define REGISTER_CUDA(slot, variant, rank, ...)                      \
  [[maybe_unused]] static const bool registered_##slot##_##variant = \
      ::afina::kernel::slot.add(this_device, #variant, rank, __VA_ARGS__)

namespace afina::AFINA_GPU {

inline constexpr Device this_device = Device::AFINA_GPU;
inline constexpr int warp = 32;
inline constexpr float log2_e = 1.44269504f,
                       ln_2 = 0.693147181f;  // for the hardware's exponential, which has base 2

inline int ceil_div(int64_t a, int64_t b) { return int((a + b - 1) / b); }

#if defined(__CUDACC__)

// Throws an Error with CUDA's message about `what` if status is not success.
inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    fail("CUDA: ", what, ": ", cudaGetErrorString(status), " (", cudaGetErrorName(status), ")");
}
// The stream on which everything runs, in order of submission.
cudaStream_t stream();
// Largest shared memory of a block on this card, in bytes.
size_t most_shared();

// Launches kernel(arguments...) on grid x block threads with `shared` bytes of dynamic shared
// memory, and does not wait for it. Does nothing if a dimension of the grid is 0.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared,
            Arguments... arguments) {
  if (!grid.x || !grid.y || !grid.z) return;
  if (shared > (size_t(48) << 10))
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)),
          "shared memory of a kernel");
  kernel<<<grid, block, shared, stream()>>>(arguments...);
  check(cudaGetLastError(), "launch of a kernel");
}
template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char dynamic_shared_bytes[];
  return reinterpret_cast<T*>(dynamic_shared_bytes);
}

#else

inline size_t most_shared() { return size_t(227) << 10; }  // Hopper's

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared,
            Arguments... arguments) {
  if (!grid.x || !grid.y || !grid.z) return;
  auto thread = [=] { kernel(arguments...); };
  static_assert(std::is_trivially_copyable_v<decltype(thread)>,
                "arguments of kernels are copied byte by byte");
  auto call = [](const void* all) { (*static_cast<const decltype(thread)*>(all))(); };
  submit(
      {grid, block, shared, reinterpret_cast<const void*>(kernel), call, &thread, sizeof thread});
}
template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(dynamic_bytes());
}

#endif

}  // namespace afina::AFINA_GPU
