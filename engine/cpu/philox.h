// Philox as in engine/random.h, sixteen counters at a time, on arrays that the compiler vectorises.
#pragma once
#include "engine/cpu/simd.h"

namespace afina::AFINA_ISA {

// Ten rounds in place on the counters (a, b, c, d)[i] with the key (k0, k1).
AFINA_INLINE void philox16(uint32_t (&a)[16], uint32_t (&b)[16], uint32_t (&c)[16],
                           uint32_t (&d)[16], uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    for (int i = 0; i < 16; ++i) {
      uint64_t p = uint64_t(0xD2511F53u) * a[i], q = uint64_t(0xCD9E8D57u) * c[i];
      a[i] = uint32_t(q >> 32) ^ b[i] ^ k0;
      b[i] = uint32_t(q);
      c[i] = uint32_t(p >> 32) ^ d[i] ^ k1;
      d[i] = uint32_t(p);
    }
}

}  // namespace afina::AFINA_ISA
