// Matrices in blocks: sizes, making them of f32, and tensors over them.
#include "engine/blocks.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "engine/blocks_on_gpu.h"
#include "engine/files/dequantize.h"
#include "engine/files/quantize.h"
#include "engine/on_gpu.h"
#include "engine/primitives.h"
#include "engine/threads.h"

namespace afina {

namespace {

struct Form {
  BaseForm form;
  const char* name;
  StoredType stored;  // f32: none of GGUF's
};
constexpr Form forms[] = {
    {BaseForm::plain, "plain", StoredType::f32},
    {BaseForm::file, "file", StoredType::f32},
    {BaseForm::nf4, "nf4", StoredType::f32},
    {BaseForm::nf4_double, "nf4-double", StoredType::f32},
    {BaseForm::fp4, "fp4", StoredType::f32},
    {BaseForm::fp4_double, "fp4-double", StoredType::f32},
    {BaseForm::int8, "int8", StoredType::f32},
    {BaseForm::q4_0, "q4_0", StoredType::q4_0},
    {BaseForm::q4_1, "q4_1", StoredType::q4_1},
    {BaseForm::q5_0, "q5_0", StoredType::q5_0},
    {BaseForm::q5_1, "q5_1", StoredType::q5_1},
    {BaseForm::q8_0, "q8_0", StoredType::q8_0},
    {BaseForm::q4_k, "q4_k", StoredType::q4_k},
    {BaseForm::q5_k, "q5_k", StoredType::q5_k},
    {BaseForm::q6_k, "q6_k", StoredType::q6_k},
};
constexpr bool in_order() {
  for (size_t i = 0; i < std::size(forms); ++i)
    if (size_t(forms[i].form) != i) return false;
  return std::size(forms) == size_t(BaseForm::q6_k) + 1;
}
static_assert(in_order(), "the table is indexed by BaseForm");

constexpr int64_t block = 64, scale_block = 256;
bool is_coded(BaseForm f) { return f >= BaseForm::nf4 && f <= BaseForm::fp4_double; }
bool is_double(BaseForm f) { return f == BaseForm::nf4_double || f == BaseForm::fp4_double; }
int64_t up(int64_t n, int64_t size) { return (n + size - 1) / size; }
// Parts of a buffer begin with a line of the cache.
size_t part(int64_t bytes) { return size_t(up(bytes, 64) * 64); }

// Where the parts of a matrix lie in its own buffer.
struct Parts {
  size_t scales = 0, scale_scales = 0, all = 0;
};
Parts parts_of(BaseForm form, int64_t rows, int64_t columns, const std::string& where) {
  const int64_t n = rows * columns;
  require(form != BaseForm::plain && form != BaseForm::file, where,
          ": blocks in no form of their own (", name(form), ")");
  if (form == BaseForm::int8) return {part(n), 0, part(n) + part(4 * rows)};
  if (!is_coded(form)) {
    const StoredType type = forms[size_t(form)].stored;
    const int64_t each = info(type).block_elements;
    require(n % each == 0, where, ": ", n, " numbers are no whole blocks of ", each, " in ",
            name(form), "; choose another --base, as q8_0 or nf4");
    return {0, 0, stored_bytes(type, n, where)};
  }
  const int64_t blocks = up(n, block);
  Parts p{part(up(n, 2)), 0, 0};
  if (!is_double(form)) {
    p.all = p.scales + part(4 * blocks);
    return p;
  }
  p.scale_scales = p.scales + part(blocks);
  p.all = p.scale_scales + part(4 * up(blocks, scale_block));
  return p;
}

// The value in double; denormals too, whatever the thread's mode.
double wide(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (bits & 0x7f800000u) return double(x);
  const double size = double(bits & 0x7fffffu) * 0x1p-149;
  return bits >> 31 ? -size : size;
}
// Rounded to what f32 holds, denormals too.
double rounded(double x) {
  return std::fabs(x) < 0x1p-126 ? std::nearbyint(x * 0x1p149) * 0x1p-149 : double(float(x));
}
uint32_t size_bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits & 0x7fffffffu;
}
// The largest size of n finite numbers. As bits they are in the order of their sizes.
float largest_of(const float* x, int64_t n) {
  uint32_t most = 0;
  for (int64_t i = 0; i < n; ++i) most = std::max(most, size_bits(x[i]));
  float value;
  std::memcpy(&value, &most, 4);
  return value;
}

// The 15 boundaries between the values of a code in ascending order, and that order.
struct Levels {
  float bounds[15];
  uint8_t order[16];
  explicit Levels(const std::vector<float>& code) {
    for (int i = 0; i < 16; ++i) order[i] = uint8_t(i);
    std::stable_sort(order, order + 16, [&](uint8_t a, uint8_t b) { return code[a] < code[b]; });
    for (int i = 0; i < 15; ++i) bounds[i] = (code[order[i]] + code[order[i + 1]]) / 2.f;
  }
  // On a boundary the lower one.
  uint8_t index(float x) const {
    int below = 0;
    for (float bound : bounds) below += bound < x;
    return order[below];
  }
};

// Codes and scales of 4-bit blocks. Blocks that are whole multiply by the reciprocal, the last
// short one divides; 1e-38 stands for scales below it.
void code_blocks(const std::vector<float>& code, const float* x, int64_t n, uint8_t* codes,
                 float* scales) {
  constexpr float least = 1e-38f;  // a denormal
  const Levels levels(code);
  parallel_for(up(n, block), 64, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const float* from = x + b * block;
      const int64_t count = std::min(block, n - b * block);
      const float most = largest_of(from, count);
      const double divisor = std::max(wide(most), wide(least));
      const double factor = rounded(1. / divisor);
      scales[b] = count < block && wide(most) < wide(least) ? least : most;
      for (int64_t i = 0; i < count; i += 2) {
        uint8_t two[2] = {levels.index(0.f), levels.index(0.f)};
        for (int64_t j = 0; j < std::min<int64_t>(2, count - i); ++j) {
          const double scaled =
              count < block ? wide(from[i + j]) / divisor : wide(from[i + j]) * factor;
          two[j] = levels.index(std::clamp(float(scaled), -1.f, 1.f));
        }
        codes[(b * block + i) / 2] = uint8_t(two[0] << 4 | two[1]);
      }
    }
  });
}

// Scales in 8 bits; returns their offset.
float code_scales(const std::vector<float>& scales, uint8_t* codes, float* scale_scales) {
  double sum = 0.;
  for (float s : scales) sum += double(s);
  const float offset = float(sum / double(scales.size()));
  const int64_t n = int64_t(scales.size());
  for (int64_t b = 0; b * scale_block < n; ++b) {
    const int64_t begin = b * scale_block, end = std::min(n, begin + scale_block);
    float most = 0.f;
    for (int64_t i = begin; i < end; ++i)
      most = std::max(most, std::fabs(scales[size_t(i)] - offset));
    scale_scales[b] = most;
    const float factor = most > 0.f ? 1.f / most : 0.f;
    for (int64_t i = begin; i < end; ++i)
      codes[i] = most > 0.f ? dynamic_index((scales[size_t(i)] - offset) * factor) : 0;
  }
  return offset;
}

// Rounds to nearest, halves to even.
void code_rows(const float* x, int64_t rows, int64_t columns, int8_t* codes, float* scales) {
  parallel_for(rows, 4, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const float* from = x + r * columns;
      const float most = largest_of(from, columns);
      scales[r] = most;
      const double exact = 127. / wide(most), factor = rounded(exact);
      for (int64_t i = 0; i < columns; ++i) {
        const double scaled =
            std::isfinite(factor) ? double(float(wide(from[i]) * factor)) : wide(from[i]) * exact;
        codes[r * columns + i] = size_bits(most) ? int8_t(std::nearbyint(scaled)) : int8_t(0);
      }
    }
  });
}

}  // namespace

Unpacking unpacking(const Blocks& b) {
  return {b, b.code.empty() ? nullptr : b.code.data(),
          b.scale_map.empty() ? nullptr : b.scale_map.data(),
          b.order.empty() ? nullptr : b.order.data()};
}

const char* name(BaseForm form) { return forms[size_t(form)].name; }

size_t bytes_of(BaseForm form, int64_t rows, int64_t columns, const std::string& where) {
  return parts_of(form, rows, columns, where).all;
}

std::shared_ptr<Blocks> described(BaseForm form, int64_t rows, int64_t columns, Dtype computed,
                                  const std::string& where) {
  require(computed == Dtype::f32 || computed == Dtype::bf16, where, ": a base in ", name(form),
          " is computed in f32 or bf16, not in ", name(computed));
  parts_of(form, rows, columns, where);  // are there whole blocks?
  auto blocks = std::make_shared<Blocks>();
  blocks->name = name(form);
  blocks->computed = computed;
  blocks->rows = rows;
  blocks->columns = columns;
  blocks->block = block;
  blocks->scale_block = scale_block;
  if (form == BaseForm::int8) {
    blocks->kind = Blocks::Kind::rows;
  } else if (is_coded(form)) {
    blocks->kind = Blocks::Kind::coded;
    blocks->code = form <= BaseForm::nf4_double ? nf4_code() : fp4_code();
    if (is_double(form)) blocks->scale_map = dynamic_map();
  } else {
    blocks->type = forms[size_t(form)].stored;
  }
  return blocks;
}

Tensor in_blocks(BaseForm form, const Tensor& values, Dtype computed, const std::string& where) {
  const int64_t rows = values.rows(), columns = values.columns(), n = rows * columns;
  const std::shared_ptr<Blocks> blocks = described(form, rows, columns, computed, where);
  const Parts parts = parts_of(form, rows, columns, where);
  std::shared_ptr<Buffer> buffer;
  {
    PurposeScope purpose(Purpose::weights);
    buffer = std::make_shared<Buffer>(parts.all, values.device(), Purpose::weights);
  }
  buffer->constant = true;
  uint8_t* data = static_cast<uint8_t*>(buffer->data);
  const bool real = holds_bytes(values.device());
  if (real) {
    const int64_t bad = first_not_finite(values.data<float>(), n);
    require(bad == n, where, ": number ", bad, " of ", n,
            " is NaN or infinite, and such a number has no place in blocks (--base ", name(form),
            "); the file is damaged or was saved after a training that diverged");
  }
  const float* x = real ? values.data<float>() : nullptr;
  blocks->data = data;
  blocks->scales = data + parts.scales;
  if (form == BaseForm::int8) {
    if (real)
      code_rows(x, rows, columns, reinterpret_cast<int8_t*>(data),
                reinterpret_cast<float*>(data + parts.scales));
  } else if (is_coded(form)) {
    float* scales = reinterpret_cast<float*>(data + parts.scales);
    std::vector<float> exact(real && is_double(form) ? size_t(up(n, block)) : 0);
    if (real) code_blocks(blocks->code, x, n, data, is_double(form) ? exact.data() : scales);
    if (is_double(form)) {
      blocks->scale_scales = data + parts.scale_scales;
      if (real)
        blocks->offset = code_scales(exact, data + parts.scales,
                                     reinterpret_cast<float*>(data + parts.scale_scales));
    }
  } else {
    const StoredTypeInfo& type = info(blocks->type);
    constexpr int64_t piece = 1 << 16;  // whole blocks of every type
    if (real)
      for (int64_t first = 0; first < n; first += piece)
        from_f32(blocks->type, x + first, data + first / type.block_elements * type.block_bytes,
                 std::min(piece, n - first), where + ": from number " + std::to_string(first));
  }
  buffer->blocks = blocks;
  return Tensor(std::move(buffer), {rows, columns});
}

Tensor over_blocks(std::shared_ptr<const Blocks> blocks, size_t bytes, Device device,
                   const std::string& where) {
  if (on_gpu(device)) {
    if (holds_bytes(device)) over_blocks(blocks, bytes, Device::cpu, where);  // are all finite?
    return blocks_on_gpu(*blocks, device);
  }
  const Shape shape{blocks->rows, blocks->columns};
  Tensor all(std::make_shared<Buffer>(blocks, bytes, device, Purpose::weights), shape);
  if (!holds_bytes(device)) return all;
  PurposeScope purpose(Purpose::workspace);
  const int64_t some = rows_at_a_time(all);
  Tensor values({std::min(some, shape[0]), shape[1]}, Dtype::f32);
  for (int64_t row = 0; row < shape[0]; row += some) {
    Tensor part = values.slice_rows(0, std::min(some, shape[0] - row));
    kernel::unpack(part, all, row);
    const int64_t bad = first_not_finite(part.data<float>(), part.size());
    require(bad == part.size(), where, ": number ", row * shape[1] + bad, " of ", shape.size(),
            " is NaN or infinite (", blocks->name, "): its block's scale is damaged");
  }
  return all;
}

int64_t rows_at_a_time(const Tensor& matrix) {
  return std::max<int64_t>(1, (1 << 18) / std::max<int64_t>(1, matrix.columns()));
}

Tensor rows_of(const Tensor& matrix, int64_t first, int64_t count) {
  if (!matrix.blocks()) return matrix.slice_rows(first, count);
  Tensor rows({count, matrix.columns()}, matrix.computed(), matrix.device());
  kernel::unpack(rows, matrix, first);
  return rows;
}

}  // namespace afina
