// AdamW on moments in 8 bits: a warp to a block of 256 elements, eight to each thread, whose
// indices are two words.
#include "engine/ops/adamw8.h"

#include "cuda/adamw.cuh"
#include "cuda/block.cuh"

namespace afina::AFINA_GPU {
namespace {

constexpr int own = moment_block / warp;  // elements of a thread
static_assert(own == 8);

// A moment: two words of indices for each thread, a scale for each warp.
struct Packed {
  int32_t* index;
  float* scale;
  const float* value;     // 256
  const float* boundary;  // 255
};

__device__ void unpack_own(float (&to)[own], const Packed& from, int64_t block, int64_t i,
                           int64_t n) {
  const float scale = from.scale[block];
  for (int j = 0; j < own; ++j)
    to[j] = i + j < n ? from.value[uint32_t(from.index[(i + j) / 4]) >> (j % 4 * 8) & 255u] * scale
                      : 0.f;
}

// never_zero: what is not 0 does not become 0.
__device__ void pack_own(const Packed& to, int64_t block, int64_t i, int64_t n,
                         const float (&x)[own], bool never_zero) {
  float greatest = 0.f;
  for (int j = 0; j < own; ++j) greatest = math::v_max(greatest, math::v_max(x[j], -x[j]));
  greatest = warp_max(greatest);
  if (threadIdx.x == 0) to.scale[block] = greatest;
  for (int word = 0; word < own / 4; ++word) {
    uint32_t packed = 0;
    for (int j = 0; j < 4; ++j) {
      const float one = x[word * 4 + j], share = one / greatest;
      // How many boundaries lie below it: 8 halvings of 0 .. 255.
      int low = 0;
      for (int half = 128; half; half /= 2)
        if (to.boundary[low + half - 1] < share) low += half;
      if (low == 0 && never_zero && one > 0.f) low = 1;
      packed |= uint32_t(i + word * 4 + j < n ? low : 0) << (j * 8);
    }
    if (i + word * 4 < n) to.index[i / 4 + word] = int32_t(packed);
  }
}

template <class Value>
__global__ void adamw8_kernel(float* master, Value* value, const float* gradient, Packed m,
                              Packed v, int64_t n, int64_t blocks, Constants<float> c) {
  const int64_t block = int64_t(blockIdx.x) * blockDim.y + threadIdx.y;
  if (block >= blocks) return;
  const int64_t i = block * moment_block + int64_t(threadIdx.x) * own;
  float first[own], second[own];
  unpack_own(first, m, block, i, n);
  unpack_own(second, v, block, i, n);
  for (int j = 0; j < own; ++j)
    if (i + j < n) {
      float weight = master[i + j];
      move_one(weight, first[j], second[j], gradient[i + j], c);
      master[i + j] = weight;
      if constexpr (!std::is_same_v<float, Value>) store(value + i + j, weight);
    }
  __syncwarp();  // the scale of the block has been read
  pack_own(m, block, i, n, first, false);
  pack_own(v, block, i, n, second, true);
}

template <class Value>
void step_of(Tensor& master, Tensor& value, const Tensor& gradient, const Packed& m,
             const Packed& v, const AdamWStep& step) {
  constexpr int rows = 8;  // blocks of a thread block
  const int64_t n = master.size(), blocks = moment_blocks(n);
  launch(adamw8_kernel<Value>, dim3(unsigned(ceil_div(blocks, rows))), dim3(warp, rows), 0,
         master.data<float>(), value.data<Value>(), gradient.data<const float>(), m, v, n, blocks,
         constants_of<float>(step));
}

void adamw8(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m_index, Tensor& m_scale,
            Tensor& v_index, Tensor& v_scale, const Tensor& codes, const AdamWStep& step) {
  const float* all = codes.data<const float>();
  const Packed m = {m_index.data<int32_t>(), m_scale.data<float>(), all, all + 256},
               v = {v_index.data<int32_t>(), v_scale.data<float>(), all + 512, all + 768};
  auto are = [&](Dtype a, Dtype b) { return master.dtype() == a && value.dtype() == b; };
  if (are(Dtype::f32, Dtype::bf16)) step_of<bf16>(master, value, gradient, m, v, step);
  else if (are(Dtype::f32, Dtype::f32)) step_of<float>(master, master, gradient, m, v, step);
  else unsupported_dtypes("adamw8", master.dtype(), value.dtype());
}

REGISTER_CUDA(adamw8, warp_per_block, 0, adamw8);

}  // namespace
}  // namespace afina::AFINA_GPU
