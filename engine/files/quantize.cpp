// f32 to stored numbers. Each block format is one function from its numbers to its bytes, in ggml's
// layout.
#include "engine/files/quantize.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "engine/dtype.h"
#include "engine/error.h"
#include "engine/files/dequantize.h"
#include "engine/threads.h"

namespace afina {

namespace {

void store_f16(uint8_t* to, uint16_t bits) { std::memcpy(to, &bits, 2); }
bool fits_f16(float value) { return std::fabs(value) < 65520.f; }

bool f16_block(const float* from, uint8_t* block) {
  store_f16(block, float_to_f16(*from));
  return fits_f16(*from);
}

bool bf16_block(const float* from, uint8_t* block) {
  uint32_t bits;
  std::memcpy(&bits, from, 4);
  const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  store_f16(block, uint16_t(rounded >> 16));
  return (rounded & 0x7f800000u) != 0x7f800000u;
}

// 1 / d, and 0 for no scale at all.
float reciprocal(float d) { return d == 0.f ? 0.f : 1.f / d; }

// Low nibbles of numbers 0-15 with high nibbles of 16-31, and the fifth bits before them.
void put_nibbles(const uint8_t* q, uint8_t* to, bool fifth) {
  if (fifth) {
    uint32_t high = 0;
    for (int i = 0; i < 32; ++i) high |= uint32_t(q[i] >> 4 & 1) << i;
    std::memcpy(to, &high, 4);
    to += 4;
  }
  for (int i = 0; i < 16; ++i) to[i] = uint8_t((q[i] & 15) | (q[16 + i] & 15) << 4);
}

// Levels -n .. n - 1 of d, n = 8 or 16: the number of the largest size becomes -n exactly.
template <bool fifth>
bool symmetric_block(const float* from, uint8_t* block) {
  constexpr float levels = fifth ? 16.f : 8.f;
  float largest = from[0];
  for (int i = 1; i < 32; ++i)
    if (std::fabs(from[i]) > std::fabs(largest)) largest = from[i];
  const float d = largest / -levels, inverse = reciprocal(d);
  uint8_t q[32];
  for (int i = 0; i < 32; ++i)
    q[i] = uint8_t(
        std::clamp(std::trunc(from[i] * inverse + (levels + 0.5f)), 0.f, 2.f * levels - 1.f));
  store_f16(block, float_to_f16(d));
  put_nibbles(q, block + 2, fifth);
  return fits_f16(d);
}

// Levels 0 .. n of d above the least number, n = 15 or 31.
template <bool fifth>
bool shifted_block(const float* from, uint8_t* block) {
  constexpr float levels = fifth ? 31.f : 15.f;
  const auto [least, most] = std::minmax_element(from, from + 32);
  const float m = *least, d = (*most - m) / levels, inverse = reciprocal(d);
  uint8_t q[32];
  for (int i = 0; i < 32; ++i)
    q[i] = uint8_t(std::clamp(std::trunc((from[i] - m) * inverse + 0.5f), 0.f, levels));
  store_f16(block, float_to_f16(d));
  store_f16(block + 2, float_to_f16(m));
  put_nibbles(q, block + 4, fifth);
  return fits_f16(d) && fits_f16(m);
}

// d = the largest size / 127, levels -127 .. 127, rounded to nearest, halves away from zero.
bool q8_0_block(const float* from, uint8_t* block) {
  float largest = 0.f;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(from[i]));
  const float d = largest / 127.f, inverse = reciprocal(d);
  store_f16(block, float_to_f16(d));
  for (int i = 0; i < 32; ++i) {
    const float scaled = from[i] * inverse, size = std::fabs(scaled), whole = std::floor(size);
    const float rounded = whole + std::floor(2.f * (size - whole));
    block[2 + i] = uint8_t(int8_t(scaled < 0.f ? -rounded : rounded));
  }
  return fits_f16(d);
}

using Block = bool (*)(const float* from, uint8_t* block);
Block block_of(StoredType type) {
  switch (type) {
    case StoredType::f16: return f16_block;
    case StoredType::bf16: return bf16_block;
    case StoredType::q4_0: return symmetric_block<false>;
    case StoredType::q5_0: return symmetric_block<true>;
    case StoredType::q4_1: return shifted_block<false>;
    case StoredType::q5_1: return shifted_block<true>;
    case StoredType::q8_0: return q8_0_block;
    case StoredType::q4_k: return q4_k_to_block;
    case StoredType::q5_k: return q5_k_to_block;
    case StoredType::q6_k: return q6_k_to_block;
    default: return nullptr;
  }
}

}  // namespace

uint16_t float_to_f16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint16_t sign = uint16_t(bits >> 16 & 0x8000u);
  const uint32_t size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return uint16_t(sign | 0x7e00u);   // NaN
  if (size >= 0x477ff000u) return uint16_t(sign | 0x7c00u);  // from 65520 on
  if (size >= 0x38800000u) {                                 // normal: from 2^-14 on
    const uint32_t rounded = size + 0xfffu + (size >> 13 & 1);
    return uint16_t(sign | ((rounded >> 13) - (112u << 10)));
  }
  // Denormal: units of 2^-24.
  const int exponent = int(size >> 23);
  if (exponent < 102) return sign;  // below 2^-25
  const uint32_t fraction = (size & 0x7fffffu) | 0x800000u;
  const int shift = 126 - exponent;  // fraction * 2^(exponent - 150) = units * 2^-24
  const uint32_t units = fraction >> shift, rest = fraction & ((1u << shift) - 1),
                 half = 1u << (shift - 1);
  return uint16_t(sign | (units + (rest > half || (rest == half && (units & 1)))));
}

bool can_quantize(StoredType type) { return type == StoredType::f32 || block_of(type) != nullptr; }

void from_f32(StoredType type, const float* from, void* to, int64_t count,
              const std::string& where) {
  const StoredTypeInfo& t = info(type);
  require(can_quantize(type), where, ": cannot be written as ", t.name,
          "; expected F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K");
  require(count >= 0 && count % t.block_elements == 0, where, ": ", count,
          " numbers are no whole blocks of ", t.block_elements, " of type ", t.name);
  const int64_t bad = first_not_finite(from, count);
  require(bad == count, where, ": number ", bad, " is ",
          bad < count && from[bad] != from[bad] ? "NaN" : "infinite",
          ", as after a training that diverged; such a model is not written");
  if (type == StoredType::f32) {
    if (count > 0) std::memcpy(to, from, size_t(count) * 4);
    return;
  }
  const Block encode = block_of(type);
  uint8_t* blocks = static_cast<uint8_t*>(to);
  const int64_t all = count / t.block_elements;
  std::atomic<int64_t> first_bad = all;
  parallel_for(all, t.block_elements == 1 ? 1 << 15 : 64, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      if (encode(from + b * t.block_elements, blocks + b * t.block_bytes)) continue;
      int64_t known = first_bad;
      while (b < known && !first_bad.compare_exchange_weak(known, b)) {}
      return;
    }
  });
  if (first_bad == all) return;
  const float* block = from + first_bad * t.block_elements;
  const float* largest = std::max_element(block, block + t.block_elements, [](float x, float y) {
    return std::fabs(x) < std::fabs(y);
  });
  fail(where, ": number ", largest - from, " is ", *largest, ", too large for ", t.name,
       type == StoredType::f16 ? ", which ends at 65504" : "", "; write it as BF16 or F32");
}

}  // namespace afina
