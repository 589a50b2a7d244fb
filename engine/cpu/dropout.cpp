// Dropout: random bits come from a Philox stream keyed by each row's sample and position, sixteen
// blocks at a time.
#include "engine/ops/dropout.h"

#include "engine/cpu/loops.h"
#include "engine/cpu/philox.h"

namespace afina::AFINA_ISA {

// Numbers 64 group .. 64 group + 63 of the stream with counter (block, position, sample, site) and
// key (seed + site).
AFINA_INLINE void coins64(uint32_t* out, uint32_t group, uint32_t sample, uint32_t position,
                          uint64_t seed, uint64_t site) {
  uint32_t a[16], b[16], c[16], d[16];
  for (uint32_t i = 0; i < 16; ++i) {
    a[i] = group * 16 + i;
    b[i] = position;
    c[i] = sample;
    d[i] = uint32_t(site);
  }
  philox16(a, b, c, d, uint32_t(seed) ^ uint32_t(site >> 32), uint32_t(seed >> 32));
  for (int i = 0; i < 16; ++i) {
    out[4 * i] = a[i];
    out[4 * i + 1] = b[i];
    out[4 * i + 2] = c[i];
    out[4 * i + 3] = d[i];
  }
}

static void dropout(Tensor& y, const Tensor& x, const Tensor& keys, double p, DropoutKey key) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    const int32_t* at = keys.data<int32_t>();
    int64_t n = x.columns();
    uint32_t least = uint32_t(p * 16777216. + 0.5);  // in units of 2^-24
    S grow = S(1. / (1. - p));
    uint64_t seed = key.seed, site = key.place();
    each_row(x.rows(), 4 * n, [=](int64_t r) {
      for (int64_t from = 0; from < n; from += 64) {
        uint32_t coins[64];
        S factors[64];
        coins64(coins, uint32_t(from / 64), uint32_t(at[2 * r]), uint32_t(at[2 * r + 1]), seed,
                site);
        for (int i = 0; i < 64; ++i) factors[i] = coins[i] >> 8 < least ? S(0) : grow;
        columns16(n - from < 64 ? n - from : 64, [=, &factors](int64_t i, int m) {
          V factor = load(factors + i);
          put(out + r * n + from + i, take(in + r * n + from + i, m) * factor, m);
        });
      }
    });
  });
}

REGISTER_CPU(dropout, dropout);

}  // namespace afina::AFINA_ISA
