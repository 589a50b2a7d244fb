// Copies matrices in blocks to a GPU.
#include "engine/blocks_on_gpu.h"

#include <algorithm>

namespace afina {

namespace {

size_t up(int64_t n, int64_t size) { return size_t((n + size - 1) / size); }

// Bytes of each part where it lies now.
struct Sizes {
  size_t data = 0, scales = 0, scale_scales = 0, code = 0, scale_map = 0, order = 0;
};
Sizes sizes_of(const Blocks& b) {
  const int64_t n = b.rows * b.columns;
  Sizes s;
  s.code = b.code.size() * sizeof(float);
  s.scale_map = b.scale_map.size() * sizeof(float);
  s.order = b.order.size() * sizeof(int32_t);
  switch (b.kind) {
    case Blocks::Kind::stored: s.data = stored_bytes(b.type, n, b.name); break;
    case Blocks::Kind::rows:
      s.data = size_t(n);
      s.scales = size_t(b.rows) * sizeof(float);
      break;
    case Blocks::Kind::coded: {
      const size_t blocks = up(n, b.block);
      s.data = up(n, 2);
      const bool twice = !b.scale_map.empty();  // scales in 8 bits, with scales of their own
      s.scales = twice ? blocks : blocks * sizeof(float);
      if (twice) s.scale_scales = up(int64_t(blocks), b.scale_block) * sizeof(float);
      break;
    }
  }
  return s;
}

}  // namespace

GpuParts gpu_parts(const Blocks& blocks) {
  const Sizes s = sizes_of(blocks);
  GpuParts p;
  size_t end = 0;
  auto put = [&](size_t bytes) {
    const size_t begin = end;
    end += up(int64_t(bytes), 64) * 64;
    return begin;
  };
  put(s.data);
  p.scales = put(s.scales);
  p.scale_scales = put(s.scale_scales);
  p.code = put(s.code);
  p.scale_map = put(s.scale_map);
  p.order = put(s.order);
  p.all = end;
  return p;
}

Tensor blocks_on_gpu(const Blocks& blocks, Device device) {
  const GpuParts parts = gpu_parts(blocks);
  std::shared_ptr<Buffer> buffer;
  {
    PurposeScope purpose(Purpose::weights);
    buffer = std::make_shared<Buffer>(parts.all, device, Purpose::weights);
  }
  buffer->constant = true;
  uint8_t* const to = static_cast<uint8_t*>(buffer->data);
  if (holds_bytes(device)) {
    const Sizes s = sizes_of(blocks);
    auto copy = [&](size_t at, const void* from, size_t bytes) {
      if (bytes) memory(device).copy(to + at, from, bytes);
    };
    copy(0, blocks.data, s.data);
    copy(parts.scales, blocks.scales, s.scales);
    copy(parts.scale_scales, blocks.scale_scales, s.scale_scales);
    copy(parts.code, blocks.code.data(), s.code);
    copy(parts.scale_map, blocks.scale_map.data(), s.scale_map);
    copy(parts.order, blocks.order.data(), s.order);
  }
  auto there = std::make_shared<Blocks>(blocks);
  there->data = to;
  there->scales = to + parts.scales;
  there->scale_scales = blocks.scale_map.empty() ? nullptr : to + parts.scale_scales;
  there->holder = nullptr;
  buffer->blocks = there;
  return Tensor(std::move(buffer), {blocks.rows, blocks.columns});
}

}  // namespace afina
