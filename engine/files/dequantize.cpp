// Stored numbers to f32.
#include "engine/files/dequantize.h"

#include <cmath>
#include <cstring>

#include "engine/dtype.h"
#include "engine/error.h"
#include "engine/files/block_decoders.h"

namespace afina {

namespace {

void f64_block(const uint8_t* block, float* to) {
  double value = value_at<double>(block);
  // Whether the processor flushes denormals depends on the thread's mode; the result must not.
  *to = std::fabs(value) < 0x1p-126 ? std::copysign(0.0f, float(value)) : float(value);
}

constexpr const char* readable =
    "F32, F16, BF16, F64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, "
    "IQ4_XS or MXFP4";

BlockDecoder block_of(StoredType type) {
  return type == StoredType::f64 ? f64_block : decoder_of(type);
}

}  // namespace

float f16_to_float(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000u) << 16, exponent = bits >> 10 & 31,
           fraction = bits & 1023;
  uint32_t wide = 0;
  if (exponent == 31) {
    wide = 0x7f800000u | fraction << 13;
  } else if (exponent > 0) {
    wide = (exponent + 112) << 23 | fraction << 13;
  } else if (fraction > 0) {
    // fraction * 2^-24: shifted until its first one is the implicit bit.
    int shift = __builtin_clz(fraction) - 21;
    wide = uint32_t(113 - shift) << 23 | (fraction << shift & 1023) << 13;
  }
  wide |= sign;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

int64_t first_not_finite(const float* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, 4);
    if ((bits & 0x7f800000u) == 0x7f800000u) return i;
  }
  return count;
}

bool can_dequantize(StoredType type) { return block_of(type) != nullptr; }

void to_f32(StoredType type, const void* source, float* to, int64_t count) {
  const StoredTypeInfo& t = info(type);
  BlockDecoder decode = block_of(type);
  require(decode, "numbers stored as ", t.name, " cannot be read as weights; expected ", readable);
  require(count >= 0 && count % t.block_elements == 0, count, " numbers are no whole blocks of ",
          t.block_elements, " of type ", t.name);
  const uint8_t* from = static_cast<const uint8_t*>(source);
  if (type == StoredType::f32) {
    if (count > 0) std::memcpy(to, from, size_t(count) * 4);
    return;
  }
  for (int64_t i = 0; i < count; i += t.block_elements, from += t.block_bytes) decode(from, to + i);
}

void to_f32(const StoredTensor& tensor, int64_t first, int64_t count, float* to) {
  const StoredTypeInfo& t = info(tensor.type);
  int64_t total = tensor.count();
  require(first >= 0 && count >= 0 && first <= total && count <= total - first, tensor.where(),
          ": numbers ", first, " to ", first, " + ", count, " were asked for; it has ", total);
  require(can_dequantize(tensor.type), tensor.where(), " is stored as ", t.name,
          ", which cannot be read as weights; expected ", readable);
  require(first % t.block_elements == 0, tensor.where(), ": number ", first,
          " is not the first of a block of ", t.name);
  to_f32(tensor.type, tensor.data + first / t.block_elements * t.block_bytes, to, count);
  int64_t position = first_not_finite(to, count);
  require(position == count, tensor.where(), ": number ", first + position, " of ", total, " is ",
          position < count && to[position] != to[position] ? "NaN" : "infinite",
          "; the file is damaged or was saved after a training that diverged");
}

}  // namespace afina
