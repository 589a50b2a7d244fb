// SHA-256 by the SHA extensions of x86, some five times as fast: digests of all trained values are
// taken often.
#include "engine/files/sha256_compress.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace afina {

#if defined(__x86_64__)
namespace {

// The instructions keep the state as (a, b, e, f) and (c, d, g, h), highest lane first.
[[gnu::target("sha,sse4.1")]] void compress(std::array<uint32_t, 8>& state, const uint8_t* blocks,
                                            size_t count) {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  __m128i low = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&state[0])),
                                  0xB1);  // c d a b
  __m128i high = _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(&state[4])),
                                   0x1B);  // e f g h
  __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xF0);
  for (; count > 0; --count, blocks += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if (i < 4)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i),
                                big_endian);
      else
        w[i] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w[i - 4], w[i - 3]),
                                                  _mm_alignr_epi8(w[i - 1], w[i - 2], 4)),
                                    w[i - 1]);
      __m128i add = _mm_add_epi32(
          w[i], _mm_loadu_si128(reinterpret_cast<const __m128i*>(sha256_constants) + i));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, add);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(add, 0x0E));
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  low = _mm_shuffle_epi32(abef, 0x1B);
  high = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[0]), _mm_blend_epi16(low, high, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(&state[4]), _mm_alignr_epi8(high, low, 8));
}

}  // namespace

Sha256Compress sha256_by_instructions() {
  // GCC 12's __builtin_cpu_supports does not know "sha": leaf 7, EBX bit 29.
  unsigned a = 0, b = 0, c = 0, d = 0;
  bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
  return sha && __builtin_cpu_supports("sse4.1") ? compress : nullptr;
}
#else
Sha256Compress sha256_by_instructions() { return nullptr; }
#endif

}  // namespace afina
