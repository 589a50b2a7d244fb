// Element types, and bfloat16 as bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/anywhere.h"

namespace afina {

enum class Dtype : uint8_t { f32, bf16, f64, i32 };

inline constexpr size_t size_of(Dtype t) { return t == Dtype::f64 ? 8 : t == Dtype::bf16 ? 2 : 4; }
const char* name(Dtype t);

// The upper half of an f32. Arithmetic is done in f32; this is a form of storage.
struct bf16 {
  uint16_t bits;
};

// Round to nearest, ties to even; denormals become zero and NaN stays NaN: what VCVTNEPS2BF16 does.
AFINA_ANYWHERE bf16 to_bf16(float x) {
  uint32_t u;
  memcpy(&u, &x, 4);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {uint16_t((u >> 16) | 0x40u)};
  if ((u & 0x7f800000u) == 0) return {uint16_t((u >> 16) & 0x8000u)};
  return {uint16_t((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}
AFINA_ANYWHERE float to_float(bf16 x) {
  uint32_t u = uint32_t(x.bits) << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

template <class T>
struct dtype_of;
template <>
struct dtype_of<float> {
  static constexpr Dtype value = Dtype::f32;
};
template <>
struct dtype_of<bf16> {
  static constexpr Dtype value = Dtype::bf16;
};
template <>
struct dtype_of<double> {
  static constexpr Dtype value = Dtype::f64;
};
template <>
struct dtype_of<int32_t> {
  static constexpr Dtype value = Dtype::i32;
};

}  // namespace afina
