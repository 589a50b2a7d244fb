// The codes of moments in 8 bits, and moments on the host.
#include "engine/ops/adamw8.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "engine/blocks.h"

namespace afina {

namespace {

std::unique_ptr<MomentCode> made(const std::vector<float>& map) {
  auto code = std::make_unique<MomentCode>();
  std::copy(map.begin(), map.end(), code->value);
  for (int i = 0; i < 255; ++i) code->boundary[i] = (code->value[i] + code->value[i + 1]) * 0.5f;
  for (uint32_t key = 0; key < 65536; ++key) {
    // The lowest number of these upper bits: of negative ones the one with all lower bits set. What
    // is no number has no place, and is never asked for.
    const float lowest = std::bit_cast<float>(key << 16 | (key & 0x8000u ? 0xffffu : 0u));
    code->start[key] =
        uint8_t(std::lower_bound(code->boundary, code->boundary + 255, lowest) - code->boundary);
  }
  return code;
}

}  // namespace

const MomentCode& first_moment_code() {
  static const std::unique_ptr<MomentCode> code = made(dynamic_map());
  return *code;
}
const MomentCode& second_moment_code() {
  static const std::unique_ptr<MomentCode> code = made(unsigned_dynamic_map());
  return *code;
}

Tensor moment_codes(Device device) {
  std::vector<float> all;
  for (const MomentCode* code : {&first_moment_code(), &second_moment_code()}) {
    all.insert(all.end(), code->value, code->value + 256);
    all.insert(all.end(), code->boundary, code->boundary + 255);
    all.push_back(0.f);
  }
  return Tensor::from(all, {int64_t(all.size())}, Dtype::f32, device);
}

Moment8 empty_moment(int64_t size, Device device) {
  return {Tensor::zeros({(size + 3) / 4}, Dtype::i32, device),
          Tensor::zeros({moment_blocks(size)}, Dtype::f32, device)};
}

Tensor unpacked(const Moment8& moment, int64_t size, bool first) {
  const float* values = first ? first_moment_code().value : second_moment_code().value;
  const std::vector<int32_t> index = moment.index.integers();
  const std::vector<float> scale = moment.scale.values();
  std::vector<float> all(static_cast<size_t>(size));
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = values[uint32_t(index[i / 4]) >> (i % 4 * 8) & 255u] * scale[i / moment_block];
  return Tensor::from(all, {size});
}

}  // namespace afina
