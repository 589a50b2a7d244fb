// Element types, and bfloat16 as bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "engine/anywhere.h"

namespace afina {

// Whoever branches on a dtype names every dtype it supports and throws for all others; switches
// over Dtype have no default, so that the compiler reports each one that misses a new enumerator.
// blocks: numbers of few bits that share scales (engine/blocks.h). A form of storage of frozen
// weights, which have no size per element; matrix products and the embedding read them, nothing
// else.
enum class Dtype : uint8_t { f32, bf16, f64, i32, blocks };
inline constexpr int dtype_count = 5;

// Throws an Error: `where`, a kernel or function, does not support this dtype, or two tensors of
// these dtypes together.
[[noreturn]] void unsupported_dtype(const char* where, Dtype t);
[[noreturn]] void unsupported_dtypes(const char* where, Dtype a, Dtype b);
// Throws an Error: the elements of a tensor were asked for as another dtype than they are.
[[noreturn]] void wrong_dtype(Dtype found, Dtype requested);

// Bytes of one element. Blocks have none: an Error.
AFINA_INLINE constexpr size_t size_of(Dtype t) {
  switch (t) {
    case Dtype::f32: return 4;
    case Dtype::bf16: return 2;
    case Dtype::f64: return 8;
    case Dtype::i32: return 4;
    case Dtype::blocks: break;
  }
  unsupported_dtype("size_of", t);
}
// "f32", "bf16", "f64", "i32", "blocks".
AFINA_INLINE constexpr const char* name(Dtype t) {
  switch (t) {
    case Dtype::f32: return "f32";
    case Dtype::bf16: return "bf16";
    case Dtype::f64: return "f64";
    case Dtype::i32: return "i32";
    case Dtype::blocks: return "blocks";
  }
  unsupported_dtype("name", t);
}
// What operations on this dtype compute and hold statistics, sums and master weights in: f64 for
// f64, f32 for f32, bf16 and blocks. Integers have none: an Error.
AFINA_INLINE constexpr Dtype statistic_dtype(Dtype t) {
  switch (t) {
    case Dtype::f32:
    case Dtype::blocks:
    case Dtype::bf16: return Dtype::f32;
    case Dtype::f64: return Dtype::f64;
    case Dtype::i32: break;
  }
  unsupported_dtype("statistic_dtype", t);
}

// The upper half of an f32. A storage format: arithmetic is done in f32.
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

// The Dtype of a C++ element type.
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

// A C++ type, const or not, that is the element type of a dtype.
template <class T>
concept Element = requires {
  dtype_of<std::remove_const_t<T>>::value;
};

}  // namespace afina
