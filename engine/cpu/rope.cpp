// Rotary position embedding, half-split.
#include "engine/ops/rope.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

static void rope(Tensor& y, const Tensor& x, const Tensor& table, const Tensor& positions,
                 bool backwards) {
  with_type(x.dtype(), [&](auto* type) {
    using T = AFINA_TYPE(type);
    using V = vector_of<T>;
    using S = sum_of<T>;
    T* out = y.data<T>();
    const T* in = x.data<T>();
    const S* angles = table.data<S>();
    const int32_t* at = positions.data<int32_t>();
    int64_t heads = x.shape()[2], dim = x.columns(), turned = table.columns(), half = turned / 2;
    each_row(positions.size(), 2 * heads * dim, [=](int64_t r) {
      const S *cosine = angles + int64_t(at[r]) * turned, *sine = cosine + half;
      columns16(half, [=](int64_t i, int n) {
        V c = take(cosine + i, n), s = take(sine + i, n);
        if (backwards) s = -s;
        for (int64_t h = r * heads; h < (r + 1) * heads; ++h) {
          V a = take(in + h * dim + i, n), b = take(in + h * dim + half + i, n);
          put(out + h * dim + i, v_fma(a, c, -(b * s)), n);
          put(out + h * dim + half + i, v_fma(b, c, a * s), n);
        }
      });
      for (int64_t h = r * heads; turned < dim && h < (r + 1) * heads; ++h)
        memcpy(out + h * dim + turned, in + h * dim + turned, size_t(dim - turned) * sizeof(T));
    });
  });
}

REGISTER_CPU(rope, rope);

}  // namespace afina::AFINA_ISA
