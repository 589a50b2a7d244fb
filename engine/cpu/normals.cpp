// Normally distributed numbers for initialisation: thirty-two of the stream at a time, each with
// the bits of Random::normal.
#include "engine/normals.h"

#include "engine/cpu/loops.h"
#include "engine/cpu/philox.h"
#include "engine/sin_cos.h"

namespace afina::AFINA_ISA {

// Blocks first .. first + 15 of the stream.
AFINA_INLINE void blocks16(uint32_t (&a)[16], uint32_t (&b)[16], uint32_t (&c)[16],
                           uint32_t (&d)[16], NormalStream of, uint64_t first) {
  for (uint64_t i = 0; i < 16; ++i) {
    a[i] = uint32_t(first + i);
    b[i] = uint32_t((first + i) >> 32);
    c[i] = uint32_t(of.high);
    d[i] = uint32_t(of.high >> 32);
  }
  philox16(a, b, c, d, of.key0, of.key1);
}

// Box-Muller transform of sixteen pairs of numbers.
AFINA_INLINE void box_muller(float* out, int step, const uint32_t (&a)[16], const uint32_t (&b)[16],
                             float spread) {
  f64x16 u, angle, sin, cos;
  for (int i = 0; i < 16; ++i) {
    u.v[i] = (double(a[i]) + 0.5) * 0x1p-32;
    angle.v[i] = double(b[i]) * (0x1p-32 * 6.283185307179586);
  }
  f64x16 quarter = math::sin_cos_of_rest(angle, sin, cos),
         length = v_sqrt(f64x16(-2.) * math::log(u));
  for (int i = 0; i < 16; ++i) {
    int q = int(quarter.v[i]);
    double value = q & 1 ? sin.v[i] : cos.v[i];
    out[i * step] = spread * float(length.v[i] * ((q + 1) & 2 ? -value : value));
  }
}

static void normals(Tensor& values, NormalStream stream, int64_t first, float spread) {
  float* out = values.data<float>();
  const int64_t n = values.size(), groups = (n + 31) / 32;
  each_row(groups, 2048, [=](int64_t group) {
    uint32_t a[16], b[16], c[16], d[16];
    float some[32];
    blocks16(a, b, c, d, stream, uint64_t(first / 2 + group * 16));
    box_muller(some, 2, a, b, spread);
    box_muller(some + 1, 2, c, d, spread);
    for (int64_t i = 0; i < 32 && group * 32 + i < n; ++i) out[group * 32 + i] = some[i];
  });
}

REGISTER_CPU(normals, normals);

}  // namespace afina::AFINA_ISA
