// Blocks of GGUF to f32: each format is one function from its bytes to its numbers, in ggml's
// layout. In a namespace without a name, as files that are compiled for several instruction sets
// include it.
#pragma once
#include <cstdint>
#include <cstring>

#include "engine/dtype.h"
#include "engine/files/dequantize.h"

namespace afina {
namespace {

template <class T>
T value_at(const uint8_t* from) {
  T value;
  memcpy(&value, from, sizeof(T));
  return value;
}
float half_at(const uint8_t* from) { return f16_to_float(value_at<uint16_t>(from)); }

void f32_block(const uint8_t* block, float* to) { *to = value_at<float>(block); }
void f16_block(const uint8_t* block, float* to) { *to = half_at(block); }
void bf16_block(const uint8_t* block, float* to) {
  *to = to_float(bf16{value_at<uint16_t>(block)});
}
// 32 numbers: scale (f16), [minimum (f16)], [fifth bits (32)], low nibbles of numbers 0-15 with
// high nibbles of 16-31.
template <bool minimum, bool fifth>
void nibble_block(const uint8_t* block, float* to) {
  float d = half_at(block), m = minimum ? half_at(block + 2) : 0;
  const uint8_t* quants = block + 2 + 2 * minimum;
  uint32_t high = 0;
  if constexpr (fifth) {
    high = value_at<uint32_t>(quants);
    quants += 4;
  }
  for (int i = 0; i < 32; ++i) {
    int q = i < 16 ? quants[i] & 15 : quants[i - 16] >> 4;
    if constexpr (fifth) q |= int(high >> i & 1) << 4;
    to[i] = minimum ? d * float(q) + m : d * float(q - (fifth ? 16 : 8));
  }
}

// 32 numbers: scale (f16), 32 signed bytes.
void q8_0_block(const uint8_t* block, float* to) {
  float d = half_at(block);
  for (int i = 0; i < 32; ++i) to[i] = d * float(int8_t(block[2 + i]));
}

// The scale and minimum (6 bits each) of sub-block j of 8, packed into 12 bytes.
void scale_and_minimum(const uint8_t* packed, int j, int& scale, int& minimum) {
  if (j < 4) {
    scale = packed[j] & 63;
    minimum = packed[j + 4] & 63;
  } else {
    scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    minimum = packed[j + 4] >> 4 | (packed[j] >> 6) << 4;
  }
}

// 256 numbers in 8 sub-blocks of 32: scale of scales and of minima (f16), 12 bytes of both, 128
// bytes of nibbles.
void q4_k_block(const uint8_t* block, float* to) {
  float d = half_at(block), dmin = half_at(block + 2);
  for (int j = 0; j < 8; ++j) {
    int scale, minimum;
    scale_and_minimum(block + 4, j, scale, minimum);
    float step = d * float(scale), least = dmin * float(minimum);
    const uint8_t* quants = block + 16 + 32 * (j / 2);
    for (int i = 0; i < 32; ++i)
      to[32 * j + i] = step * float(j % 2 ? quants[i] >> 4 : quants[i] & 15) - least;
  }
}

// 256 numbers of 6 bits in 16 sub-blocks of 16: 128 bytes of low nibbles, 64 of high pairs of bits,
// 16 signed scales, their scale (f16).
void q6_k_block(const uint8_t* block, float* to) {
  float d = half_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    int part = i / 128, row = i % 128 / 32, column = i % 32;
    int low = block[64 * part + 32 * (row % 2) + column] >> (row / 2 * 4) & 15;
    int high = block[128 + 32 * part + column] >> (2 * row) & 3;
    float step = d * float(int8_t(block[192 + i / 16]));
    to[i] = step * float((low | high << 4) - 32);
  }
}

// 256 numbers of 2 bits in 16 sub-blocks of 16: 16 bytes of scales (low 4 bits) and minima (high),
// 64 bytes of quants, their scales (f16).
void q2_k_block(const uint8_t* block, float* to) {
  float d = half_at(block + 80), dmin = half_at(block + 82);
  for (int i = 0; i < 256; ++i) {
    int scales = block[i / 16], part = i / 128, row = i % 128 / 32;
    float step = d * float(scales & 15), least = dmin * float(scales >> 4);
    to[i] = step * float(block[16 + 32 * part + i % 32] >> (2 * row) & 3) - least;
  }
}

// 256 numbers of 3 bits in 16 sub-blocks of 16: 32 bytes of third bits, 64 of low pairs, 12 of
// scales (6 bits each: the low 4 of two in a byte, the high pairs of four in a byte), their scale
// (f16).
void q3_k_block(const uint8_t* block, float* to) {
  float d = half_at(block + 108);
  const uint8_t* scales = block + 96;
  for (int i = 0; i < 256; ++i) {
    int j = i / 16, part = i / 128, row = i % 128 / 32, column = i % 32;
    int low = j < 8 ? scales[j] & 15 : scales[j - 8] >> 4;
    int high = scales[8 + j % 4] >> (2 * (j / 4)) & 3;
    float step = d * float((low | high << 4) - 32);
    int q = block[32 + 32 * part + column] >> (2 * row) & 3;
    to[i] = step * float(q - (block[column] >> (4 * part + row) & 1 ? 0 : 4));
  }
}

// As Q4_K, with 32 bytes of fifth bits before the nibbles.
void q5_k_block(const uint8_t* block, float* to) {
  float d = half_at(block), dmin = half_at(block + 2);
  for (int j = 0; j < 8; ++j) {
    int scale, minimum;
    scale_and_minimum(block + 4, j, scale, minimum);
    float step = d * float(scale), least = dmin * float(minimum);
    const uint8_t* quants = block + 48 + 32 * (j / 2);
    for (int i = 0; i < 32; ++i) {
      int q = (j % 2 ? quants[i] >> 4 : quants[i] & 15) | (block[16 + i] >> j & 1) << 4;
      to[32 * j + i] = step * float(q) - least;
    }
  }
}

// The 16 values of IQ4_NL and IQ4_XS, denser around zero.
constexpr int8_t uneven[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                               1,    13,   25,  38,  53,  69,  89,  113};

// 32 numbers: scale (f16), nibbles that name one of the uneven values.
void iq4_nl_block(const uint8_t* block, float* to) {
  float d = half_at(block);
  for (int i = 0; i < 16; ++i) {
    to[i] = d * float(uneven[block[2 + i] & 15]);
    to[16 + i] = d * float(uneven[block[2 + i] >> 4]);
  }
}

// 256 numbers in 8 sub-blocks of 32: scale of scales (f16), 16 bits with the high pairs of the
// scales (6 bits each), 4 bytes with their low nibbles, 128 bytes as those of IQ4_NL.
void iq4_xs_block(const uint8_t* block, float* to) {
  float d = half_at(block);
  int high = value_at<uint16_t>(block + 2);
  for (int j = 0; j < 8; ++j) {
    int scale = (block[4 + j / 2] >> (4 * (j % 2)) & 15) | (high >> (2 * j) & 3) << 4;
    float step = d * float(scale - 32);
    const uint8_t* quants = block + 8 + 16 * j;
    for (int i = 0; i < 16; ++i) {
      to[32 * j + i] = step * float(uneven[quants[i] & 15]);
      to[32 * j + 16 + i] = step * float(uneven[quants[i] >> 4]);
    }
  }
}

// k * 2^exponent in f32. The smallest are denormals, which a thread may flush: they are put
// together from their bits.
float scaled_power(int k, int exponent) {
  const uint32_t size = uint32_t(k < 0 ? -k : k), sign = k < 0 ? 0x80000000u : 0u;
  uint32_t bits = 0;
  if (size != 0) {
    const int top = 31 - __builtin_clz(size), own = top + exponent;
    if (own > 127) bits = 0x7f800000u;
    else if (own >= -126) bits = uint32_t(own + 127) << 23 | (size << (23 - top) & 0x7fffffu);
    else bits = size << (exponent + 149);
  }
  bits |= sign;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

// 32 numbers of E2M1 (OCP Microscaling, 2023) by nibbles, doubled so that they are whole, with half
// the scale, a power of two of 8 bits.
void mxfp4_block(const uint8_t* block, float* to) {
  constexpr int8_t doubled[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  const int exponent = int(block[0]) - 128;
  for (int i = 0; i < 32; ++i) {
    int q = i < 16 ? block[1 + i] & 15 : block[i - 15] >> 4;
    to[i] = scaled_power(q & 8 ? -doubled[q & 7] : doubled[q & 7], exponent);
  }
}

// Converts one block of this type; null for types that hold no weights.
using BlockDecoder = void (*)(const uint8_t* block, float* to);
BlockDecoder decoder_of(StoredType type) {
  switch (type) {
    case StoredType::f32: return f32_block;
    case StoredType::f16: return f16_block;
    case StoredType::bf16: return bf16_block;
    case StoredType::q4_0: return nibble_block<false, false>;
    case StoredType::q4_1: return nibble_block<true, false>;
    case StoredType::q5_0: return nibble_block<false, true>;
    case StoredType::q5_1: return nibble_block<true, true>;
    case StoredType::q8_0: return q8_0_block;
    case StoredType::q4_k: return q4_k_block;
    case StoredType::q6_k: return q6_k_block;
    case StoredType::q2_k: return q2_k_block;
    case StoredType::q3_k: return q3_k_block;
    case StoredType::q5_k: return q5_k_block;
    case StoredType::iq4_nl: return iq4_nl_block;
    case StoredType::iq4_xs: return iq4_xs_block;
    case StoredType::mxfp4: return mxfp4_block;
    default: return nullptr;
  }
}

}  // namespace
}  // namespace afina
