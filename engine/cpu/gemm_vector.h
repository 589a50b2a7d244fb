// f32 vectors for the matmul: the same operations at each width. A unit is 32 bits: an f32, or a
// pair of bf16 of successive k.
#pragma once
#include <cstdint>
#include <cstring>

#include "engine/dtype.h"
#if defined(AFINA_ISA_avx2) || defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
#include <immintrin.h>
#endif

namespace afina::AFINA_ISA {

// Eight floats in plain C++: the reference for the vector types below.
struct Plain8 {
  static constexpr int width = 8;
  struct F {
    float x[8];
  };
  AFINA_INLINE static F zero() { return F{}; }
  AFINA_INLINE static F load(const void* p) {
    F v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  AFINA_INLINE static F load_part(const void* p, int n) {
    F v{};
    for (int i = 0; i < n; ++i) std::memcpy(&v.x[i], (const char*)p + 4 * i, 4);
    return v;
  }
  AFINA_INLINE static void store(void* p, F v) { std::memcpy(p, &v, sizeof v); }
  AFINA_INLINE static void store_part(void* p, F v, int n) {
    for (int i = 0; i < n; ++i) std::memcpy((char*)p + 4 * i, &v.x[i], 4);
  }
  AFINA_INLINE static F broadcast(const void* p) {
    F v;
    for (int i = 0; i < 8; ++i) std::memcpy(&v.x[i], p, 4);
    return v;
  }
  AFINA_INLINE static F fma(F a, F b, F c) {
    for (int i = 0; i < 8; ++i) c.x[i] = __builtin_fmaf(a.x[i], b.x[i], c.x[i]);
    return c;
  }
  // The same with the float at a in all lanes.
  AFINA_INLINE static F fma_at(const void* a, F b, F c) { return fma(broadcast(a), b, c); }
  AFINA_INLINE static F add(F a, F b) {
    for (int i = 0; i < 8; ++i) a.x[i] += b.x[i];
    return a;
  }
  // n bf16 (at most 8) widened to f32, followed by zeros.
  AFINA_INLINE static F widen(const void* p, int n) {
    F v{};
    for (int i = 0; i < n; ++i) {
      bf16 b;
      std::memcpy(&b, (const char*)p + 2 * i, 2);
      v.x[i] = to_float(b);
    }
    return v;
  }
  AFINA_INLINE static void store_bf16(void* p, F v, int n) {
    for (int i = 0; i < n; ++i) {
      bf16 b = to_bf16(v.x[i]);
      std::memcpy((char*)p + 2 * i, &b, 2);
    }
  }
  // Loads 128-bit lanes of four floats: the first from p, each next one `apart` bytes further.
  AFINA_INLINE static F lanes(const char* p, int64_t apart) {
    F v;
    std::memcpy(v.x, p, 16);
    std::memcpy(v.x + 4, p + apart, 16);
    return v;
  }
  // Transposes each 4 x 4 block, lane by lane.
  AFINA_INLINE static void turn_lanes(F (&r)[4]) {
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < i; ++j)
        for (int lane = 0; lane < 8; lane += 4) {
          float t = r[i].x[lane + j];
          r[i].x[lane + j] = r[j].x[lane + i];
          r[j].x[lane + i] = t;
        }
  }
  AFINA_INLINE static F swap_pairs(F v) {
    return {{v.x[1], v.x[0], v.x[3], v.x[2], v.x[5], v.x[4], v.x[7], v.x[6]}};
  }
  AFINA_INLINE static void transpose(F (&r)[8]) {
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < i; ++j) {
        float t = r[i].x[j];
        r[i].x[j] = r[j].x[i];
        r[j].x[i] = t;
      }
  }
};

#if defined(AFINA_ISA_avx2) || defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
struct Avx8 {
  static constexpr int width = 8;
  using F = __m256;
  AFINA_INLINE static F zero() { return _mm256_setzero_ps(); }
  AFINA_INLINE static F load(const void* p) { return _mm256_loadu_ps((const float*)p); }
  AFINA_INLINE static __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  AFINA_INLINE static F load_part(const void* p, int n) {
    return _mm256_maskload_ps((const float*)p, first(n));
  }
  AFINA_INLINE static void store(void* p, F v) { _mm256_storeu_ps((float*)p, v); }
  AFINA_INLINE static void store_part(void* p, F v, int n) {
    if (n >= 8) return store(p, v);
    float* to = (float*)p;  // stores halves of halves: masked stores are slow on some processors
    __m128 h = _mm256_castps256_ps128(v);
    if (n & 4) {
      _mm_storeu_ps(to, h);
      to += 4;
      h = _mm256_extractf128_ps(v, 1);
    }
    if (n & 2) {
      _mm_storel_pi((__m64*)to, h);
      to += 2;
      h = _mm_movehl_ps(h, h);
    }
    if (n & 1) _mm_store_ss(to, h);
  }
  AFINA_INLINE static F broadcast(const void* p) { return _mm256_broadcast_ss((const float*)p); }
  AFINA_INLINE static F fma(F a, F b, F c) {
#if defined(AFINA_ISA_avx2)
    // The compiler may leave the sum in a's or b's register; with 15 of 16 registers in use it then
    // spills sums to memory.
    asm("vfmadd231ps %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
    return c;
#else
    return _mm256_fmadd_ps(a, b, c);
#endif
  }
  AFINA_INLINE static F fma_at(const void* a, F b, F c) { return fma(broadcast(a), b, c); }
  AFINA_INLINE static F add(F a, F b) { return _mm256_add_ps(a, b); }
  AFINA_INLINE static F widen(const void* p, int n) {
    __m128i h;
    if (n >= 8) {
      h = _mm_loadu_si128((const __m128i*)p);
    } else {
      alignas(16) uint16_t part[8] = {};
      for (int i = 0; i < n; ++i) std::memcpy(&part[i], (const char*)p + 2 * i, 2);
      h = _mm_load_si128((const __m128i*)part);
    }
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
  }
  AFINA_INLINE static void store_bf16(void* p, F v, int n) {
    __m256i u = _mm256_castps_si256(v), one = _mm256_set1_epi32(1);
    __m256i magnitude = _mm256_and_si256(u, _mm256_set1_epi32(0x7fffffff));
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), one);
    __m256i rounded = _mm256_srli_epi32(
        _mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), odd), 16);
    __m256i upper = _mm256_srli_epi32(u, 16);
    __m256i nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f800000));
    __m256i small = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x00800000), magnitude);
    rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), nan);
    rounded =
        _mm256_blendv_epi8(rounded, _mm256_and_si256(upper, _mm256_set1_epi32(0x8000)), small);
    __m128i h =
        _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    if (n >= 8) {
      _mm_storeu_si128((__m128i*)p, h);
    } else {
      alignas(16) uint16_t part[8];
      _mm_store_si128((__m128i*)part, h);
      for (int i = 0; i < n; ++i) std::memcpy((char*)p + 2 * i, &part[i], 2);
    }
  }
  AFINA_INLINE static F swap_pairs(F v) { return _mm256_permute_ps(v, 0xB1); }
  AFINA_INLINE static F lanes(const char* p, int64_t apart) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps((const float*)p)),
                                _mm_loadu_ps((const float*)(p + apart)), 1);
  }
  AFINA_INLINE static void turn_lanes(F (&r)[4]) {
    F a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]),
      c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    r[0] = _mm256_shuffle_ps(a, c, 0x44);
    r[1] = _mm256_shuffle_ps(a, c, 0xEE);
    r[2] = _mm256_shuffle_ps(b, d, 0x44);
    r[3] = _mm256_shuffle_ps(b, d, 0xEE);
  }
  AFINA_INLINE static void transpose(F (&r)[8]) {
    F t[8], s[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 8
      for (int j = 0; j < 2; ++j) {
        s[i + 2 * j] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0x44);
        s[i + 2 * j + 1] = _mm256_shuffle_ps(t[i + j], t[i + j + 2], 0xEE);
      }
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm256_permute2f128_ps(s[i], s[i + 4], 0x20);
      r[i + 4] = _mm256_permute2f128_ps(s[i], s[i + 4], 0x31);
    }
  }
};
#endif

#if defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
struct Avx16 {
  static constexpr int width = 16;
  using F = __m512;
  AFINA_INLINE static F zero() { return _mm512_setzero_ps(); }
  AFINA_INLINE static F load(const void* p) { return _mm512_loadu_ps(p); }
  AFINA_INLINE static __mmask16 first(int n) {
    return n >= 16 ? __mmask16(0xffff) : __mmask16((1u << n) - 1);
  }
  AFINA_INLINE static F load_part(const void* p, int n) {
    return _mm512_maskz_loadu_ps(first(n), p);
  }
  AFINA_INLINE static void store(void* p, F v) { _mm512_storeu_ps(p, v); }
  AFINA_INLINE static void store_part(void* p, F v, int n) {
    _mm512_mask_storeu_ps(p, first(n), v);
  }
  AFINA_INLINE static F broadcast(const void* p) { return _mm512_set1_ps(*(const float*)p); }
  // As for AVX2 above, or sums pass through memory here, too (a twentieth of the speed).
  AFINA_INLINE static F fma(F a, F b, F c) {
    asm("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
    return c;
  }
  AFINA_INLINE static F fma_at(const void* a, F b, F c) {
    asm("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(c) : "m"(*(const float*)a), "v"(b));
    return c;
  }
  AFINA_INLINE static F add(F a, F b) { return _mm512_add_ps(a, b); }
  AFINA_INLINE static F widen(const void* p, int n) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first(n), p)), 16));
  }
  AFINA_INLINE static void store_bf16(void* p, F v, int n) {
#if defined(AFINA_ISA_avx512bf16)
    __m256i h = (__m256i)_mm512_cvtneps_pbh(v);
#else
    __m512i u = _mm512_castps_si512(v), upper = _mm512_srli_epi32(u, 16);
    __m512i magnitude = _mm512_and_si512(u, _mm512_set1_epi32(0x7fffffff));
    __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    __m512i rounded = _mm512_srli_epi32(
        _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), odd), 16);
    __mmask16 nan = _mm512_cmpgt_epi32_mask(magnitude, _mm512_set1_epi32(0x7f800000));
    __mmask16 small = _mm512_cmplt_epi32_mask(magnitude, _mm512_set1_epi32(0x00800000));
    rounded = _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40));
    rounded = _mm512_mask_and_epi32(rounded, small, upper, _mm512_set1_epi32(0x8000));
    __m256i h = _mm512_cvtepi32_epi16(rounded);
#endif
    if (n >= 16) _mm256_storeu_si256((__m256i*)p, h);
    else _mm256_mask_storeu_epi16(p, first(n), h);  // many times slower on some processors
  }
  AFINA_INLINE static F swap_pairs(F v) { return _mm512_permute_ps(v, 0xB1); }
  AFINA_INLINE static F lanes(const char* p, int64_t apart) {
    F v = _mm512_castps128_ps512(_mm_loadu_ps((const float*)p));
    v = _mm512_insertf32x4(v, _mm_loadu_ps((const float*)(p + apart)), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps((const float*)(p + 2 * apart)), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps((const float*)(p + 3 * apart)), 3);
  }
  AFINA_INLINE static void turn_lanes(F (&r)[4]) {
    F a = _mm512_unpacklo_ps(r[0], r[1]), b = _mm512_unpackhi_ps(r[0], r[1]),
      c = _mm512_unpacklo_ps(r[2], r[3]), d = _mm512_unpackhi_ps(r[2], r[3]);
    r[0] = _mm512_shuffle_ps(a, c, 0x44);
    r[1] = _mm512_shuffle_ps(a, c, 0xEE);
    r[2] = _mm512_shuffle_ps(b, d, 0x44);
    r[3] = _mm512_shuffle_ps(b, d, 0xEE);
  }
  AFINA_INLINE static void transpose(F (&r)[16]) {
    F t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 16
      for (int j = 0; j < 2; ++j) {
        r[i + 2 * j] = _mm512_shuffle_ps(t[i + j], t[i + j + 2], 0x44);
        r[i + 2 * j + 1] = _mm512_shuffle_ps(t[i + j], t[i + j + 2], 0xEE);
      }
#pragma GCC unroll 16
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
      t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xDD);
      t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
      t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xDD);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 8; ++i) {
      r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
      r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
    }
  }
#if defined(AFINA_ISA_avx512bf16)
  // c + a[1] b[1], then + a[0] b[0], for pairs of bf16.
  AFINA_INLINE static F dot(F a, F b, F c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
  // The same with the pair at a in all lanes. The compiler does not generate this form, and a
  // separate broadcast costs a quarter of the speed.
  AFINA_INLINE static F dot_at(const void* a, F b, F c) {
    asm("vdpbf16ps %1%{1to16%}, %2, %0" : "+v"(c) : "m"(*(const uint32_t*)a), "v"(b));
    return c;
  }
  // The bf16 of two rows as pairs, row 0 in the lower halves.
  AFINA_INLINE static F interleave(const void* row0, const void* row1, int n) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first(n), row0));
    if (!row1) return _mm512_castsi512_ps(low);
    __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first(n), row1));
    return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
  // 32 columns of two rows as two vectors of pairs.
  AFINA_INLINE static void interleave(const void* row0, const void* row1, F (&to)[2]) {
    constexpr auto pairs_from = [](int first) {
      struct {
        alignas(64) uint16_t at[32];
      } order{};
      for (int i = 0; i < 16; ++i) {
        order.at[2 * i] = uint16_t(first + i);
        order.at[2 * i + 1] = uint16_t(32 + first + i);
      }
      return order;
    };
    static constexpr auto lower = pairs_from(0), upper = pairs_from(16);
    __m512i a = _mm512_loadu_si512(row0), b = _mm512_loadu_si512(row1);
    to[0] = _mm512_castsi512_ps(_mm512_permutex2var_epi16(a, _mm512_load_si512(lower.at), b));
    to[1] = _mm512_castsi512_ps(_mm512_permutex2var_epi16(a, _mm512_load_si512(upper.at), b));
  }
  // n successive bf16 (at most 32) as pairs, followed by zeros.
  AFINA_INLINE static F pairs(const void* p, int n) {
    __mmask32 some = n >= 32 ? 0xffffffffu : (1u << n) - 1;
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(some, p));
  }
#endif
};
#endif

#if defined(AFINA_ISA_avx512bf16)
struct Avx8Pairs : Avx8 {
  AFINA_INLINE static F dot(F a, F b, F c) { return _mm256_dpbf16_ps(c, (__m256bh)a, (__m256bh)b); }
  AFINA_INLINE static F dot_at(const void* a, F b, F c) {
    asm("vdpbf16ps %1%{1to8%}, %2, %0" : "+v"(c) : "m"(*(const uint32_t*)a), "v"(b));
    return c;
  }
};
#endif

}  // namespace afina::AFINA_ISA
