// Unpacks parts of matrices in blocks.
#include "cuda/blocks.cuh"

#include "cuda/block_numbers.cuh"
#include "engine/primitives.h"

namespace afina::AFINA_GPU {
namespace {

DeviceBlocks device_blocks(const Tensor& x) {
  const Blocks& b = *x.blocks();
  require(b.kind != Blocks::Kind::stored || takes_type(b.type), "unpack: no kernel of a GPU reads ",
          b.name);
  const GpuParts parts = gpu_parts(b);
  DeviceBlocks d{};
  d.kind = b.kind;
  d.type = b.type;
  d.rounded = b.rounded;
  d.columns = b.columns;
  d.block = b.block;
  d.scale_block = b.scale_block;
  d.offset = b.offset;
  d.data = b.data;
  d.scales = b.scales;
  d.scale_scales = reinterpret_cast<const float*>(b.scale_scales);
  d.code = reinterpret_cast<const float*>(b.data + parts.code);
  d.scale_map = reinterpret_cast<const float*>(b.data + parts.scale_map);
  d.order = b.order.empty() ? nullptr : reinterpret_cast<const int32_t*>(b.data + parts.order);
  return d;
}

// A warp takes 32 w neighbours of a row, a block 8 rows. The switch over the format is the same in
// all threads.
template <class T, int w>
__global__ void unpack_kernel(T* to, DeviceBlocks b, PartOfBlocks part) {
  const int64_t column = (int64_t(blockIdx.x) * warp + threadIdx.x) * w;
  if (column >= part.columns) return;
  for (int64_t r = int64_t(blockIdx.y) * blockDim.y + threadIdx.y; r < part.rows;
       r += int64_t(gridDim.y) * blockDim.y) {
    float v[w];
    numbers_of<w>(v, b, part.ids ? part.ids[r] : part.row + r, part.column + column);
    put<w>(to + r * part.columns, v, column, part.columns, w > 1);
  }
}

template <class T>
void unpack_as(T* to, const DeviceBlocks& b, const PartOfBlocks& part) {
  constexpr int wide = 8;
  const dim3 block(warp, 8);
  auto grid = [&](int w) {
    const int64_t down = ceil_div(part.rows, 8), most = 65535;
    return dim3(unsigned(ceil_div(part.columns, warp * w)), unsigned(down < most ? down : most));
  };
  // Eight neighbours lie in one block, and in one half of its bytes, where rows begin with a block
  // or at a multiple of eight in one.
  if (b.columns % wide == 0 && b.block % wide == 0 && part.column % wide == 0 &&
      whole(part.columns, wide, to))
    launch(unpack_kernel<T, wide>, grid(wide), block, 0, to, b, part);
  else launch(unpack_kernel<T, 1>, grid(1), block, 0, to, b, part);
}

void unpack(Tensor& to, const Tensor& x, int64_t first) {
  unpack_part(to, x, {nullptr, first, to.rows(), 0, x.columns()});
}

REGISTER_CUDA(unpack, eight_per_thread, 0, unpack);

}  // namespace

void unpack_part(const Tensor& to, const Tensor& x, const PartOfBlocks& part) {
  const DeviceBlocks b = device_blocks(x);
  switch (to.dtype()) {
    case Dtype::f32: return unpack_as(to.data<float>(), b, part);
    case Dtype::bf16: return unpack_as(to.data<bf16>(), b, part);
    case Dtype::f64:
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype("unpack", to.dtype());
}

}  // namespace afina::AFINA_GPU
