// Unpacks parts of matrices in blocks (engine/blocks.h) to f32, or to bf16 by rounding these.
#pragma once
#include "engine/blocks.h"
#include "engine/cpu/simd.h"
#include "engine/files/block_decoders.h"
#include "engine/files/quantize.h"

namespace afina::AFINA_ISA {
namespace {

AFINA_INLINE float f32_at(const uint8_t* from, int64_t i) {
  float value;
  memcpy(&value, from + 4 * i, 4);
  return value;
}
AFINA_INLINE void put_one(float* to, float x) { *to = x; }
AFINA_INLINE void put_one(bf16* to, float x) { *to = to_bf16(x); }

AFINA_INLINE float scale_of(const Unpacking& u, int64_t block) {
  const Blocks& b = u.b;
  if (!b.scale_scales) return f32_at(b.scales, block);
  return u.scale_map[b.scales[block]] * f32_at(b.scale_scales, block / b.scale_block) + b.offset;
}

// The 16 values that the codes of a block stand for.
AFINA_INLINE f32x16 values_of(const Unpacking& u, int64_t block) {
  f32x16 all = load(u.code) * f32x16(scale_of(u, block));
  if (u.b.rounded == StoredType::bf16) return rounded<bf16>(all);
  if (u.b.rounded != StoredType::f16) return all;
  alignas(64) float each[lanes];
  store(each, all);
  for (float& x : each) x = f16_to_float(float_to_f16(x));
  return load(each);
}

// Numbers e .. e + n, counted through all rows.
template <class T>
static void unpack_coded(const Unpacking& u, int64_t e, int64_t n, T* to) {
  const int64_t size = u.b.block, end = e + n;
  alignas(64) float each[lanes];
  while (e < end) {
    const int64_t block = e / size, last = (block + 1) * size < end ? (block + 1) * size : end;
    const f32x16 values = values_of(u, block);
    store(each, values);
    if (e % 2) put_one(to++, each[u.b.data[e++ / 2] & 15]);
    for (; e + lanes <= last; e += lanes) {
      store(to, looked_up(values, u.b.data + e / 2));
      to += lanes;
    }
    for (; e < last; ++e) {
      const uint8_t two = u.b.data[e / 2];
      put_one(to++, each[e % 2 ? two & 15 : two >> 4]);
    }
  }
}

// Columns c .. c + n of a row.
template <class T>
static void unpack_row(const Unpacking& u, int64_t row, int64_t c, int64_t n, T* to) {
  const int8_t* from = (const int8_t*)u.b.data + row * u.b.columns + c;
  const float scale = f32_at(u.b.scales, row);
  constexpr float share = 7.874015718698502e-3f;  // 1 / 127
  alignas(64) float each[lanes];
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int j = 0; j < lanes; ++j) each[j] = float(from[i + j]);
    store(to + i, load(each) * f32x16(scale) * f32x16(share));
  }
  for (; i < n; ++i) put_one(to + i, float(from[i]) * scale * share);
}

AFINA_INLINE void put_all(float* to, const float* from, int64_t n) {
  memcpy(to, from, size_t(n) * 4);
}
AFINA_INLINE void put_all(bf16* to, const float* from, int64_t n) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(to + i, load(from + i));
  for (; i < n; ++i) to[i] = to_bf16(from[i]);
}

template <class T>
static void unpack_stored(const Unpacking& u, int64_t e, int64_t n, T* to) {
  constexpr int64_t most = 256;  // numbers of the largest block
  const StoredTypeInfo& type = info(u.b.type);
  const BlockDecoder decode = decoder_of(u.b.type);
  const int64_t size = type.block_elements, bytes = type.block_bytes, end = e + n;
  alignas(64) float some[most];
  while (e < end) {
    // As many blocks as fit; of the first and the last perhaps a part.
    const int64_t first = e / size, skip = e - first * size,
                  count = end - first * size < most ? end - first * size : most;
    for (int64_t i = 0; i < count; i += size)
      decode(u.b.data + (first + i / size) * bytes, some + i);
    put_all(to, some + skip, count - skip);
    to += count - skip;
    e += count - skip;
  }
}

// Rows r0 .. r1 and columns c0 .. c1 to `to`, `ld` elements from row to row.
template <class T>
static void unpack_part(const Unpacking& u, int64_t r0, int64_t r1, int64_t c0, int64_t c1, T* to,
                        int64_t ld) {
  if (c0 >= c1) return;
  for (int64_t r = r0; r < r1; ++r, to += ld) {
    const int64_t row = u.order ? u.order[r] : r, e = row * u.b.columns + c0;
    switch (u.b.kind) {
      case Blocks::Kind::stored: unpack_stored(u, e, c1 - c0, to); break;
      case Blocks::Kind::coded: unpack_coded(u, e, c1 - c0, to); break;
      case Blocks::Kind::rows: unpack_row(u, row, c0, c1 - c0, to); break;
    }
  }
}

}  // namespace
}  // namespace afina::AFINA_ISA
