// Sixteen floats (or doubles) at a time on every instruction set. The lane count is part of the bit
// contract (docs/numerics.md): a sum is 16 interleaved lanes and a fixed tree, so the width of the
// machine does not affect the bits. Only this file and the gemm kernels use intrinsics.
#pragma once
#include "engine/dtype.h"
#include "engine/math.h"

#if defined(AFINA_ISA_avx2) || defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
#include <immintrin.h>
#endif
#if defined(AFINA_ISA_avx512) || defined(AFINA_ISA_avx512bf16)
#define AFINA_WIDE 1
#endif

namespace afina::AFINA_ISA {

inline constexpr int lanes = 16;

#if defined(AFINA_WIDE)

struct f32x16 {
  __m512 v;
  AFINA_INLINE f32x16() {}
  AFINA_INLINE f32x16(__m512 x) : v(x) {}
  AFINA_INLINE f32x16(float x) : v(_mm512_set1_ps(x)) {}
  AFINA_INLINE f32x16(double x) : v(_mm512_set1_ps(float(x))) {}
};
AFINA_INLINE f32x16 operator+(f32x16 a, f32x16 b) { return _mm512_add_ps(a.v, b.v); }
AFINA_INLINE f32x16 operator-(f32x16 a, f32x16 b) { return _mm512_sub_ps(a.v, b.v); }
AFINA_INLINE f32x16 operator*(f32x16 a, f32x16 b) { return _mm512_mul_ps(a.v, b.v); }
AFINA_INLINE f32x16 operator/(f32x16 a, f32x16 b) { return _mm512_div_ps(a.v, b.v); }
AFINA_INLINE f32x16 operator-(f32x16 a) { return _mm512_xor_ps(a.v, _mm512_set1_ps(-0.f)); }
AFINA_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
AFINA_INLINE f32x16 v_sqrt(f32x16 a) { return _mm512_sqrt_ps(a.v); }
AFINA_INLINE f32x16 v_max(f32x16 a, f32x16 b) { return _mm512_max_ps(a.v, b.v); }
AFINA_INLINE f32x16 v_min(f32x16 a, f32x16 b) { return _mm512_min_ps(a.v, b.v); }
AFINA_INLINE f32x16 v_if_positive(f32x16 x, f32x16 a, f32x16 b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.v, _mm512_setzero_ps(), _CMP_GT_OQ), b.v, a.v);
}
AFINA_INLINE f32x16 v_power_of_two(f32x16 n) {
  return _mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvttps_epi32(n.v), _mm512_set1_epi32(127)), 23));
}
AFINA_INLINE f32x16 v_split(f32x16 x, f32x16& e) {
  __m512i base = _mm512_set1_epi32(0x3f3504f3),
          shifted = _mm512_sub_epi32(_mm512_castps_si512(x.v), base);
  e = _mm512_cvtepi32_ps(_mm512_srai_epi32(shifted, 23));
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_and_si512(shifted, _mm512_set1_epi32(0x007fffff)), base));
}
AFINA_INLINE __mmask16 first(int n) { return __mmask16((1u << n) - 1u); }
AFINA_INLINE f32x16 load(const float* p) { return _mm512_loadu_ps(p); }
AFINA_INLINE f32x16 load(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
AFINA_INLINE void store(float* p, f32x16 x) { _mm512_storeu_ps(p, x.v); }
AFINA_INLINE void store(float* p, f32x16 x, int n) { _mm512_mask_storeu_ps(p, first(n), x.v); }
AFINA_INLINE f32x16 widen(__m256i bits) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
AFINA_INLINE f32x16 load(const bf16* p) { return widen(_mm256_loadu_si256((const __m256i*)p)); }
AFINA_INLINE f32x16 load(const bf16* p, int n) {
  return widen(_mm256_maskz_loadu_epi16(first(n), p));
}
// Of a table of 16 those that the nibbles of 8 bytes name, the first in the high nibble.
AFINA_INLINE f32x16 looked_up(f32x16 table, const uint8_t* codes) {
  const __m128i four = _mm_set1_epi8(15), all = _mm_loadl_epi64((const __m128i*)codes),
                high = _mm_and_si128(_mm_srli_epi16(all, 4), four), low = _mm_and_si128(all, four);
  return _mm512_permutexvar_ps(_mm512_cvtepu8_epi32(_mm_unpacklo_epi8(high, low)), table.v);
}
// to_bf16 of engine/dtype.h, sixteen at a time.
AFINA_INLINE __m256i narrow(f32x16 x) {
#if defined(AFINA_ISA_avx512bf16)
  return (__m256i)_mm512_cvtneps_pbh(x.v);
#else
  __m512i u = _mm512_castps_si512(x.v), upper = _mm512_srli_epi32(u, 16);
  __m512i even = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), even), 16);
  __mmask16 nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
  __mmask16 tiny = _mm512_testn_epi32_mask(u, _mm512_set1_epi32(0x7f800000));
  rounded = _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40));
  rounded = _mm512_mask_and_epi32(rounded, tiny, upper, _mm512_set1_epi32(0x8000));
  return _mm512_cvtepi32_epi16(rounded);
#endif
}
AFINA_INLINE void store(bf16* p, f32x16 x) { _mm256_storeu_si256((__m256i*)p, narrow(x)); }
AFINA_INLINE void store(bf16* p, f32x16 x, int n) {
  _mm256_mask_storeu_epi16(p, first(n), narrow(x));
}

#else  // two vectors of eight, or sixteen plain floats

#if defined(AFINA_ISA_avx2)
struct f32x16 {
  __m256 a, b;
  AFINA_INLINE f32x16() {}
  AFINA_INLINE f32x16(__m256 x, __m256 y) : a(x), b(y) {}
  AFINA_INLINE f32x16(float x) : a(_mm256_set1_ps(x)), b(a) {}
  AFINA_INLINE f32x16(double x) : f32x16(float(x)) {}
};
AFINA_INLINE f32x16 operator+(f32x16 x, f32x16 y) {
  return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)};
}
AFINA_INLINE f32x16 operator-(f32x16 x, f32x16 y) {
  return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)};
}
AFINA_INLINE f32x16 operator*(f32x16 x, f32x16 y) {
  return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)};
}
AFINA_INLINE f32x16 operator/(f32x16 x, f32x16 y) {
  return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)};
}
AFINA_INLINE f32x16 operator-(f32x16 x) {
  __m256 s = _mm256_set1_ps(-0.f);
  return {_mm256_xor_ps(x.a, s), _mm256_xor_ps(x.b, s)};
}
AFINA_INLINE f32x16 v_fma(f32x16 x, f32x16 y, f32x16 z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
AFINA_INLINE f32x16 v_sqrt(f32x16 x) { return {_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)}; }
AFINA_INLINE f32x16 v_max(f32x16 x, f32x16 y) {
  return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)};
}
AFINA_INLINE f32x16 v_min(f32x16 x, f32x16 y) {
  return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)};
}
AFINA_INLINE f32x16 v_if_positive(f32x16 x, f32x16 y, f32x16 z) {
  __m256 zero = _mm256_setzero_ps();
  return {_mm256_blendv_ps(z.a, y.a, _mm256_cmp_ps(x.a, zero, _CMP_GT_OQ)),
          _mm256_blendv_ps(z.b, y.b, _mm256_cmp_ps(x.b, zero, _CMP_GT_OQ))};
}
AFINA_INLINE __m256 power_of_two(__m256 n) {
  return _mm256_castsi256_ps(
      _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvttps_epi32(n), _mm256_set1_epi32(127)), 23));
}
AFINA_INLINE f32x16 v_power_of_two(f32x16 n) { return {power_of_two(n.a), power_of_two(n.b)}; }
AFINA_INLINE __m256 split(__m256 x, __m256& e) {
  __m256i base = _mm256_set1_epi32(0x3f3504f3),
          shifted = _mm256_sub_epi32(_mm256_castps_si256(x), base);
  e = _mm256_cvtepi32_ps(_mm256_srai_epi32(shifted, 23));
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_and_si256(shifted, _mm256_set1_epi32(0x007fffff)), base));
}
AFINA_INLINE f32x16 v_split(f32x16 x, f32x16& e) { return {split(x.a, e.a), split(x.b, e.b)}; }
AFINA_INLINE f32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
AFINA_INLINE void store(float* p, f32x16 x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
AFINA_INLINE __m256 widen(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
AFINA_INLINE f32x16 load(const bf16* p) {
  return {widen(_mm_loadu_si128((const __m128i*)p)),
          widen(_mm_loadu_si128((const __m128i*)(p + 8)))};
}
AFINA_INLINE __m256 looked_up(f32x16 table, __m128i codes) {
  const __m256i index = _mm256_cvtepu8_epi32(codes);
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(table.a, index),
                          _mm256_permutevar8x32_ps(table.b, index),
                          _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
}
AFINA_INLINE f32x16 looked_up(f32x16 table, const uint8_t* codes) {
  const __m128i four = _mm_set1_epi8(15), all = _mm_loadl_epi64((const __m128i*)codes),
                high = _mm_and_si128(_mm_srli_epi16(all, 4), four), low = _mm_and_si128(all, four),
                each = _mm_unpacklo_epi8(high, low);
  return {looked_up(table, each), looked_up(table, _mm_srli_si128(each, 8))};
}
AFINA_INLINE __m256i narrow(__m256 x) {
  __m256i u = _mm256_castps_si256(x), upper = _mm256_srli_epi32(u, 16),
          zero = _mm256_setzero_si256();
  __m256i even = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), even), 16);
  __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  __m256i tiny = _mm256_cmpeq_epi32(_mm256_and_si256(u, _mm256_set1_epi32(0x7f800000)), zero);
  rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), nan);
  return _mm256_blendv_epi8(rounded, _mm256_and_si256(upper, _mm256_set1_epi32(0x8000)), tiny);
}
AFINA_INLINE void store(bf16* p, f32x16 x) {
  __m256i packed =
      _mm256_packus_epi32(narrow(x.a), narrow(x.b));  // by halves of 128 bits: put them in order
  _mm256_storeu_si256((__m256i*)p, _mm256_permute4x64_epi64(packed, 0xd8));
}
#else
struct f32x16 {
  float v[16];
  AFINA_INLINE f32x16() {}
  AFINA_INLINE f32x16(float x) {
    for (int i = 0; i < 16; ++i) v[i] = x;
  }
  AFINA_INLINE f32x16(double x) : f32x16(float(x)) {}
};
#define AFINA_EACH(expression)                        \
  f32x16 y;                                           \
  for (int i = 0; i < 16; ++i) y.v[i] = (expression); \
  return y
AFINA_INLINE f32x16 operator+(f32x16 a, f32x16 b) { AFINA_EACH(a.v[i] + b.v[i]); }
AFINA_INLINE f32x16 operator-(f32x16 a, f32x16 b) { AFINA_EACH(a.v[i] - b.v[i]); }
AFINA_INLINE f32x16 operator*(f32x16 a, f32x16 b) { AFINA_EACH(a.v[i] * b.v[i]); }
AFINA_INLINE f32x16 operator/(f32x16 a, f32x16 b) { AFINA_EACH(a.v[i] / b.v[i]); }
AFINA_INLINE f32x16 operator-(f32x16 a) { AFINA_EACH(-a.v[i]); }
AFINA_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c) {
  AFINA_EACH(math::v_fma(a.v[i], b.v[i], c.v[i]));
}
AFINA_INLINE f32x16 v_sqrt(f32x16 a) { AFINA_EACH(math::v_sqrt(a.v[i])); }
AFINA_INLINE f32x16 v_max(f32x16 a, f32x16 b) { AFINA_EACH(math::v_max(a.v[i], b.v[i])); }
AFINA_INLINE f32x16 v_min(f32x16 a, f32x16 b) { AFINA_EACH(math::v_min(a.v[i], b.v[i])); }
AFINA_INLINE f32x16 v_if_positive(f32x16 x, f32x16 a, f32x16 b) {
  AFINA_EACH(math::v_if_positive(x.v[i], a.v[i], b.v[i]));
}
AFINA_INLINE f32x16 v_power_of_two(f32x16 n) { AFINA_EACH(math::v_power_of_two(n.v[i])); }
AFINA_INLINE f32x16 v_split(f32x16 x, f32x16& e) { AFINA_EACH(math::v_split(x.v[i], e.v[i])); }
AFINA_INLINE f32x16 load(const float* p) { AFINA_EACH(p[i]); }
AFINA_INLINE f32x16 load(const bf16* p) { AFINA_EACH(to_float(p[i])); }
AFINA_INLINE f32x16 looked_up(f32x16 table, const uint8_t* codes) {
  AFINA_EACH(table.v[i % 2 ? codes[i / 2] & 15 : codes[i / 2] >> 4]);
}
#undef AFINA_EACH
AFINA_INLINE void store(float* p, f32x16 x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
AFINA_INLINE void store(bf16* p, f32x16 x) {
  for (int i = 0; i < 16; ++i) p[i] = to_bf16(x.v[i]);
}
#endif

// The first n elements; the remaining lanes are zero.
template <class T>
AFINA_INLINE f32x16 load(const T* p, int n) {
  alignas(64) T whole[16] = {};
  for (int i = 0; i < n; ++i) whole[i] = p[i];
  return load(whole);
}
template <class T>
AFINA_INLINE void store(T* p, f32x16 x, int n) {
  alignas(64) T whole[16];
  store(whole, x);
  for (int i = 0; i < n; ++i) p[i] = whole[i];
}
#endif

AFINA_INLINE f32x16 v_round(f32x16 a) { return (a + f32x16(12582912.f)) - f32x16(12582912.f); }

// Sixteen doubles in plain C++: gradient checks run the same kernel source in a precision where
// finite differences can be trusted.
struct f64x16 {
  double v[16];
  AFINA_INLINE f64x16() {}
  AFINA_INLINE f64x16(double x) {
    for (int i = 0; i < 16; ++i) v[i] = x;
  }
};
#define AFINA_EACH(expression)                        \
  f64x16 y;                                           \
  for (int i = 0; i < 16; ++i) y.v[i] = (expression); \
  return y
AFINA_INLINE f64x16 operator+(f64x16 a, f64x16 b) { AFINA_EACH(a.v[i] + b.v[i]); }
AFINA_INLINE f64x16 operator-(f64x16 a, f64x16 b) { AFINA_EACH(a.v[i] - b.v[i]); }
AFINA_INLINE f64x16 operator*(f64x16 a, f64x16 b) { AFINA_EACH(a.v[i] * b.v[i]); }
AFINA_INLINE f64x16 operator/(f64x16 a, f64x16 b) { AFINA_EACH(a.v[i] / b.v[i]); }
AFINA_INLINE f64x16 operator-(f64x16 a) { AFINA_EACH(-a.v[i]); }
AFINA_INLINE f64x16 v_fma(f64x16 a, f64x16 b, f64x16 c) {
  AFINA_EACH(math::v_fma(a.v[i], b.v[i], c.v[i]));
}
AFINA_INLINE f64x16 v_sqrt(f64x16 a) { AFINA_EACH(math::v_sqrt(a.v[i])); }
AFINA_INLINE f64x16 v_max(f64x16 a, f64x16 b) { AFINA_EACH(math::v_max(a.v[i], b.v[i])); }
AFINA_INLINE f64x16 v_min(f64x16 a, f64x16 b) { AFINA_EACH(math::v_min(a.v[i], b.v[i])); }
AFINA_INLINE f64x16 v_if_positive(f64x16 x, f64x16 a, f64x16 b) {
  AFINA_EACH(math::v_if_positive(x.v[i], a.v[i], b.v[i]));
}
AFINA_INLINE f64x16 v_power_of_two(f64x16 n) { AFINA_EACH(math::v_power_of_two(n.v[i])); }
AFINA_INLINE f64x16 v_split(f64x16 x, f64x16& e) { AFINA_EACH(math::v_split(x.v[i], e.v[i])); }
AFINA_INLINE f64x16 v_round(f64x16 a) { AFINA_EACH(math::v_round(a.v[i])); }
AFINA_INLINE f64x16 load(const double* p) { AFINA_EACH(p[i]); }
AFINA_INLINE f64x16 load(const double* p, int n) { AFINA_EACH(i < n ? p[i] : 0.); }
#undef AFINA_EACH
AFINA_INLINE void store(double* p, f64x16 x) {
  for (int i = 0; i < 16; ++i) p[i] = x.v[i];
}
AFINA_INLINE void store(double* p, f64x16 x, int n) {
  for (int i = 0; i < n; ++i) p[i] = x.v[i];
}

// T: stored type. V: vector type used in computation. S: type of statistics, sums and scalars.
template <class T>
struct compute;
template <>
struct compute<float> {
  using V = f32x16;
  using S = float;
};
template <>
struct compute<bf16> {
  using V = f32x16;
  using S = float;
};
template <>
struct compute<double> {
  using V = f64x16;
  using S = double;
};
template <class T>
using vector_of = typename compute<T>::V;
template <class T>
using sum_of = typename compute<T>::S;

AFINA_INLINE void to_lanes(float* p, f32x16 x) { store(p, x); }
AFINA_INLINE void to_lanes(double* p, f64x16 x) { store(p, x); }
// The fixed tree: lane i plus lane i + 8, then i + 4, i + 2, i + 1.
template <class S, class V>
AFINA_INLINE S sum_lanes(V x) {
  alignas(64) S a[16];
  to_lanes(a, x);
  for (int half = 8; half; half /= 2)
    for (int i = 0; i < half; ++i) a[i] = a[i] + a[i + half];
  return a[0];
}
template <class S, class V>
AFINA_INLINE S max_lanes(V x) {
  alignas(64) S a[16];
  to_lanes(a, x);
  for (int half = 8; half; half /= 2)
    for (int i = 0; i < half; ++i) a[i] = math::v_max(a[i], a[i + half]);
  return a[0];
}
AFINA_INLINE float load_one(const float* p) { return *p; }
AFINA_INLINE float load_one(const bf16* p) { return to_float(*p); }
AFINA_INLINE double load_one(const double* p) { return *p; }

// Calls body(i, n) for each group of at most 16 columns; n == 16 except for the last.
template <class Body>
AFINA_INLINE void columns16(int64_t count, Body body) {
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(i, lanes);
  if (i < count) body(i, int(count - i));
}
// Loads and stores with a fast path for full groups.
template <class T>
AFINA_INLINE vector_of<T> take(const T* p, int n) {
  return n == lanes ? load(p) : load(p, n);
}
template <class T, class V>
AFINA_INLINE void put(T* p, V x, int n) {
  if (n == lanes) store(p, x);
  else store(p, x, n);
}

// x rounded to T and back.
template <class T, class V>
AFINA_INLINE V rounded(V x) {
  if constexpr (dtype_of<T>::value == Dtype::bf16) {
    alignas(32) T kept[lanes];
    store(kept, x);
    return load(kept);
  } else {
    return x;
  }
}

// Calls body with a null pointer of the element type: with_type(x.dtype(), [&](auto* t) { using T =
// std::remove_pointer_t<decltype(t)>; }). Throws an Error for other dtypes than f32, bf16 and f64;
// it names `kernel`, by default the calling function.
template <class Body>
AFINA_INLINE void with_type(Dtype dtype, Body body, const char* kernel = __builtin_FUNCTION()) {
  switch (dtype) {
    case Dtype::f32: return body((float*)nullptr);
    case Dtype::bf16: return body((bf16*)nullptr);
    case Dtype::f64: return body((double*)nullptr);
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype(kernel, dtype);
}

}  // namespace afina::AFINA_ISA

namespace afina::math {
template <>
struct is_double<AFINA_ISA::f64x16> {
  static constexpr bool value = true;
};
}  // namespace afina::math
