// Single numbers of matrices in blocks (engine/blocks.h), for kernels: as engine/cpu/blocks.h and
// engine/files/block_decoders.h have them, bit for bit, but a few neighbours at a time in place of
// whole blocks, so that neighbouring threads write neighbouring numbers.
//
// Small tables of a format are words of bits here: an array that is indexed by a number lies in
// memory, on a GPU in that of each thread.
#pragma once
#include "cuda/elements.cuh"
#include "engine/blocks_on_gpu.h"

namespace afina::AFINA_GPU {

// Blocks as kernels read them: every address is the device's and begins a line of 64 bytes.
struct DeviceBlocks {
  Blocks::Kind kind;
  StoredType type, rounded;
  int64_t columns, block, scale_block;
  const uint8_t *data, *scales;  // scales: f32, or 8 bits where there are scale_scales
  const float *scale_scales, *code, *scale_map;
  const int32_t* order;
  float offset;
};

__device__ inline float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
__device__ inline uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}
// An f16 at an even address.
__device__ inline float half_at(const uint8_t* from) {
  const uint32_t half = *reinterpret_cast<const uint16_t*>(from), exponent = half >> 10 & 31,
                 fraction = half & 1023;
  uint32_t bits;
  if (exponent == 0) bits = bits_of_float(float(fraction) * 0x1p-24f);  // exact, and normal in f32
  else bits = (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
  return from_bits(bits | (half & 0x8000u) << 16);
}
// v rounded to f16, to nearest even; infinite from 65520 on.
__device__ inline float rounded_to_half(float v) {
  const uint32_t bits = bits_of_float(v), sign = bits & 0x80000000u, size = bits ^ sign;
  if (size >= 0x477ff000u) return from_bits(sign | 0x7f800000u);
  if (size >= 0x38800000u) return from_bits(sign | ((size + 0xfffu + (size >> 13 & 1)) & ~0x1fffu));
  // Denormal in f16: a multiple of 2^-24, which is the distance between numbers just above 1/2.
  return from_bits(sign | bits_of_float((from_bits(size) + 0.5f) - 0.5f));
}
// a / by, both below 2^63: divisions of 64 bits would take longer than all else.
__device__ inline int64_t divided(int64_t a, int64_t by) {
  if ((a | by) >> 32 == 0) return uint32_t(a) / uint32_t(by);
  return a / by;
}

// A block, and the place of a number in it.
struct Place {
  const uint8_t* block;
  int at;
};
template <int elements, int bytes>
__device__ Place place_of(const DeviceBlocks& b, int64_t e) {
  return {b.data + e / elements * bytes, int(e % elements)};
}

// Numbers at .. at + w of a block, where `at` is a multiple of w and w is 1 or 8: of every format
// these share a scale, and a half of their bytes.

template <int w, bool minimum, bool fifth>
__device__ void nibbles(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const float d = half_at(block), m = minimum ? half_at(block + 2) : 0.f;
  const uint8_t* quants = block + 2 + 2 * minimum;
  uint32_t high = 0;
  if constexpr (fifth) {
    for (int i = 0; i < 4; ++i) high |= uint32_t(quants[i]) << (8 * i);
    high >>= at;
    quants += 4;
  }
  const int shift = at / 16 * 4;
  for (int j = 0; j < w; ++j) {
    int q = quants[at % 16 + j] >> shift & 15;
    if constexpr (fifth) q |= int(high >> j & 1) << 4;
    v[j] = minimum ? d * float(q) + m : d * float(q - (fifth ? 16 : 8));
  }
}

template <int w>
__device__ void q8_0(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const float d = half_at(block);
  for (int j = 0; j < w; ++j) v[j] = d * float(int8_t(block[2 + at + j]));
}

template <int w>
__device__ void q2_k(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const int scales = block[at / 16], shift = at % 128 / 32 * 2;
  const float step = half_at(block + 80) * float(scales & 15),
              least = half_at(block + 82) * float(scales >> 4);
  const uint8_t* quants = block + 16 + at / 128 * 32 + at % 32;
  for (int j = 0; j < w; ++j) v[j] = step * float(quants[j] >> shift & 3) - least;
}

template <int w>
__device__ void q3_k(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const uint8_t* scales = block + 96;
  const int s = at / 16, part = at / 128, row = at % 128 / 32;
  const int low = s < 8 ? scales[s] & 15 : scales[s - 8] >> 4,
            high = scales[8 + s % 4] >> (2 * (s / 4)) & 3;
  const float step = half_at(block + 108) * float((low | high << 4) - 32);
  const uint8_t* quants = block + 32 + 32 * part + at % 32;
  const uint8_t* third = block + at % 32;
  for (int j = 0; j < w; ++j) {
    const int q = quants[j] >> (2 * row) & 3;
    v[j] = step * float(q - (third[j] >> (4 * part + row) & 1 ? 0 : 4));
  }
}

// Q4_K, and Q5_K, which has 32 bytes of fifth bits before the nibbles.
template <int w, bool fifth>
__device__ void q45_k(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const uint8_t* packed = block + 4;
  const int s = at / 32;
  int scale, minimum;
  if (s < 4) {
    scale = packed[s] & 63;
    minimum = packed[s + 4] & 63;
  } else {
    scale = (packed[s + 4] & 15) | (packed[s - 4] >> 6) << 4;
    minimum = packed[s + 4] >> 4 | (packed[s] >> 6) << 4;
  }
  const float step = half_at(block) * float(scale), least = half_at(block + 2) * float(minimum);
  const uint8_t* quants = block + (fifth ? 48 : 16) + s / 2 * 32 + at % 32;
  const int shift = s % 2 * 4;
  for (int j = 0; j < w; ++j) {
    int q = quants[j] >> shift & 15;
    if constexpr (fifth) q |= (block[16 + at % 32 + j] >> s & 1) << 4;
    v[j] = step * float(q) - least;
  }
}

template <int w>
__device__ void q6_k(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const int part = at / 128, row = at % 128 / 32;
  const float step = half_at(block + 208) * float(int8_t(block[192 + at / 16]));
  const uint8_t *low = block + 64 * part + row % 2 * 32 + at % 32,
                *high = block + 128 + 32 * part + at % 32;
  for (int j = 0; j < w; ++j) {
    const int q = (low[j] >> (row / 2 * 4) & 15) | (high[j] >> (2 * row) & 3) << 4;
    v[j] = step * float(q - 32);
  }
}

// The 16 values of IQ4_NL and IQ4_XS: -127, -104, -83, -65, -49, -35, -22, -10 and 1, 13, 25, 38,
// 53, 69, 89, 113, a byte each from the lowest on.
__device__ inline float uneven(int q) {
  const uint64_t values = q < 8 ? 0xf6eaddcfbfad9881ull : 0x7159453526190d01ull;
  return float(int8_t(values >> (q % 8 * 8)));
}
template <int w>
__device__ void iq4_nl(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const float d = half_at(block);
  const int shift = at / 16 * 4;
  for (int j = 0; j < w; ++j) v[j] = d * uneven(block[2 + at % 16 + j] >> shift & 15);
}
template <int w>
__device__ void iq4_xs(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const int s = at / 32, high = block[2 + s / 4] >> (s % 4 * 2) & 3,
            scale = (block[4 + s / 2] >> (s % 2 * 4) & 15) | high << 4;
  const float step = half_at(block) * float(scale - 32);
  const uint8_t* quants = block + 8 + 16 * s + at % 16;
  const int shift = at % 32 / 16 * 4;
  for (int j = 0; j < w; ++j) v[j] = step * uneven(quants[j] >> shift & 15);
}

// k * 2^exponent, k within -15 .. 15, +0 for 0; denormals are put together from their bits, as
// arithmetic flushes them.
__device__ inline float scaled_power(int k, int exponent) {
  if (k == 0) return 0.f;
  const uint32_t sign = k < 0 ? 0x80000000u : 0u;
  k = k < 0 ? -k : k;
  const int top = k >= 8 ? 3 : k >= 4 ? 2 : k >= 2 ? 1 : 0, own = top + exponent;
  if (own > 127) return from_bits(sign | 0x7f800000u);
  if (own >= -126)
    return from_bits(sign | uint32_t(own + 127) << 23 | (uint32_t(k) << (23 - top) & 0x7fffffu));
  return from_bits(sign | uint32_t(k) << (exponent + 149));
}
template <int w>
__device__ void mxfp4(float (&v)[w], const Place& p) {
  const auto [block, at] = p;
  const int exponent = int(block[0]) - 128, shift = at / 16 * 4;
  for (int j = 0; j < w; ++j) {
    const int q = block[1 + at % 16 + j] >> shift & 15;
    // 0, 1, 2, 3, 4, 6, 8, 12: the values doubled, 4 bits each.
    const int k = int(0xc8643210u >> (q % 8 * 4) & 15);
    v[j] = scaled_power(q & 8 ? -k : k, exponent);
  }
}

template <int w>
__device__ void stored_numbers(float (&v)[w], const DeviceBlocks& b, int64_t e) {
  switch (b.type) {
    case StoredType::f16:
      for (int j = 0; j < w; ++j) v[j] = half_at(b.data + 2 * (e + j));
      return;
    case StoredType::bf16:
      for (int j = 0; j < w; ++j)
        v[j] = from_bits(uint32_t(reinterpret_cast<const uint16_t*>(b.data)[e + j]) << 16);
      return;
    case StoredType::q4_0: return nibbles<w, false, false>(v, place_of<32, 18>(b, e));
    case StoredType::q4_1: return nibbles<w, true, false>(v, place_of<32, 20>(b, e));
    case StoredType::q5_0: return nibbles<w, false, true>(v, place_of<32, 22>(b, e));
    case StoredType::q5_1: return nibbles<w, true, true>(v, place_of<32, 24>(b, e));
    case StoredType::q8_0: return q8_0(v, place_of<32, 34>(b, e));
    case StoredType::q2_k: return q2_k(v, place_of<256, 84>(b, e));
    case StoredType::q3_k: return q3_k(v, place_of<256, 110>(b, e));
    case StoredType::q4_k: return q45_k<w, false>(v, place_of<256, 144>(b, e));
    case StoredType::q5_k: return q45_k<w, true>(v, place_of<256, 176>(b, e));
    case StoredType::q6_k: return q6_k(v, place_of<256, 210>(b, e));
    case StoredType::iq4_nl: return iq4_nl(v, place_of<32, 18>(b, e));
    case StoredType::iq4_xs: return iq4_xs(v, place_of<256, 136>(b, e));
    case StoredType::mxfp4: return mxfp4(v, place_of<32, 17>(b, e));
    default: return;  // takes_blocks() lets none through
  }
}
// Is it a type of stored_numbers()?
inline bool takes_type(StoredType type) {
  switch (type) {
    case StoredType::f16:
    case StoredType::bf16:
    case StoredType::q4_0:
    case StoredType::q4_1:
    case StoredType::q5_0:
    case StoredType::q5_1:
    case StoredType::q8_0:
    case StoredType::q2_k:
    case StoredType::q3_k:
    case StoredType::q4_k:
    case StoredType::q5_k:
    case StoredType::q6_k:
    case StoredType::iq4_nl:
    case StoredType::iq4_xs:
    case StoredType::mxfp4: return true;
    default: return false;
  }
}

// 4 bits that name a value of the code, times the scale of their block, of which all w are.
template <int w>
__device__ void coded_numbers(float (&v)[w], const DeviceBlocks& b, int64_t e) {
  const int64_t block = divided(e, b.block);
  float scale;
  if (b.scale_scales)
    scale = b.scale_map[b.scales[block]] * b.scale_scales[divided(block, b.scale_block)] + b.offset;
  else scale = reinterpret_cast<const float*>(b.scales)[block];
  for (int j = 0; j < w; ++j) {
    const uint8_t two = b.data[(e + j) / 2];
    v[j] = b.code[(e + j) % 2 ? two & 15 : two >> 4] * scale;
    if (b.rounded == StoredType::bf16) v[j] = rounded<bf16>(v[j]);
    else if (b.rounded == StoredType::f16) v[j] = rounded_to_half(v[j]);
  }
}

// Columns column .. column + w of a row, w being 1, or 8 where takes_eight() says so.
template <int w>
__device__ void numbers_of(float (&v)[w], const DeviceBlocks& b, int64_t row, int64_t column) {
  if (b.order) row = b.order[row];
  const int64_t e = row * b.columns + column;
  if (b.kind == Blocks::Kind::stored) return stored_numbers(v, b, e);
  if (b.kind == Blocks::Kind::coded) return coded_numbers(v, b, e);
  const float scale = reinterpret_cast<const float*>(b.scales)[row];
  constexpr float share = 7.874015718698502e-3f;  // 1 / 127
  for (int j = 0; j < w; ++j) v[j] = float(int8_t(b.data[e + j])) * scale * share;
}

}  // namespace afina::AFINA_GPU
