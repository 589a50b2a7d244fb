// Kernels with one fault each, for the test of the emulator. Compiled for the emulator alone.
#include "test/cuda/emulator/faults.h"

#include "cuda/block.cuh"
#include "engine/tensor.h"

namespace afina {
namespace emulated {
namespace {

// clang-format off
constexpr int overrun_at = __LINE__ + 3;
__global__ void overrun(float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) y[i] = 1.f;
}
constexpr int unwritten_at = __LINE__ + 2;
__global__ void unwritten(float* y, const float* x) {
  y[threadIdx.x] = x[threadIdx.x] * 2.f;
}
constexpr int shared_unwritten_at = __LINE__ + 5;
__global__ void shared_unwritten(float* y) {
  __shared__ float tile[64];
  if (threadIdx.x < 60) tile[threadIdx.x] = 1.f;
  __syncthreads();
  y[threadIdx.x] = tile[threadIdx.x];
}
constexpr int race_at = __LINE__ + 4;
__global__ void no_barrier(float* y) {
  __shared__ float tile[64];
  tile[threadIdx.x] = float(threadIdx.x);
  y[threadIdx.x] = tile[63 - threadIdx.x];
}
constexpr int overwrite_at = __LINE__ + 5;
__global__ void no_second_barrier(float* y) {
  __shared__ float tile[64];
  for (int round = 0; round < 2; ++round) {
    __syncwarp();
    tile[threadIdx.x] = float(round);
    __syncthreads();
    y[threadIdx.x] = tile[63 - threadIdx.x];
  }
}
constexpr int left_out_at = __LINE__ + 3;
__global__ void left_out(float* y) {
  if (threadIdx.x == 5) return;
  __syncthreads();
  y[threadIdx.x] = 1.f;
}
constexpr int lost_lane_at = __LINE__ + 2;
__global__ void lost_lane(float* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1.f, 1);
}
constexpr int outside_mask_at = __LINE__ + 2;
__global__ void outside_mask(float* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, 1.f, 16);
}
constexpr int host_at = __LINE__ + 2;
__global__ void host_pointer(float* y, const float* x) {
  y[threadIdx.x] = *x;
}
constexpr int dynamic_at = __LINE__ + 3;
__global__ void beyond_dynamic(float* y) {
  float* room = dynamic_shared<float>();
  room[threadIdx.x] = y[0];
}
// clang-format on

Tensor device(int64_t n) { return Tensor({n}, Dtype::f32, Device::emulated); }

}  // namespace
}  // namespace emulated

const std::vector<Fault>& faults() {
  using namespace emulated;
  static const std::vector<Fault> all = {
      {"overrun", [] { launch(overrun, 2, 64, 0, device(100).data<float>(), 100); }, overrun_at,
       "writes 4 bytes of the device's memory that belong to no tensor"},
      {"unwritten",
       [] {
         Tensor y = device(64), x = device(64);
         launch(unwritten, 1, 64, 0, y.data<float>(), x.data<float>());
       },
       unwritten_at, "that nothing has written"},
      {"shared_unwritten",
       [] {
         Tensor y = device(64);
         launch(shared_unwritten, 1, 64, 0, y.data<float>());
       },
       shared_unwritten_at, "shared memory that no thread of the block has written"},
      {"no_barrier",
       [] {
         Tensor y = device(64);
         launch(no_barrier, 1, 64, 0, y.data<float>());
       },
       race_at, "of shared memory that "},
      {"no_second_barrier",
       [] {
         Tensor y = device(64);
         launch(no_second_barrier, 1, 64, 0, y.data<float>());
       },
       overwrite_at, "touched with no barrier between"},
      {"left_out",
       [] {
         Tensor y = device(64);
         launch(left_out, 3, 64, 0, y.data<float>());
       },
       left_out_at, "thread (5, 0, 0) has ended without reaching it"},
      {"lost_lane",
       [] {
         Tensor y = device(64);
         launch(lost_lane, 1, 32, 0, y.data<float>());
       },
       lost_lane_at, "has ended without reaching it"},
      {"outside_mask",
       [] {
         Tensor y = device(64);
         launch(outside_mask, 1, 32, 0, y.data<float>());
       },
       outside_mask_at, "not in the mask"},
      {"host_pointer",
       [] {
         Tensor y = device(64), x({64}, Dtype::f32);
         launch(host_pointer, 1, 32, 0, y.data<float>(), x.data<float>());
       },
       host_at, "not the device's"},
      {"beyond_dynamic",
       [] {
         Tensor y = Tensor::zeros({64}, Dtype::f32, Device::emulated);
         launch(beyond_dynamic, 1, 64, 128, y.data<float>());
       },
       dynamic_at, "beyond what the launch asked for"},
  };
  return all;
}

}  // namespace afina
