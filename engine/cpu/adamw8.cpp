// AdamW on moments in 8 bits: a block is unpacked, updated and packed within the cache.
#include "engine/ops/adamw8.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

namespace {

AFINA_INLINE uint32_t bits_of_one(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

// One moment of a weight. Bytes: indices lie in the order of the elements, as the machine is
// little-endian.
struct Packed {
  uint8_t* index;
  float* scale;
  const MomentCode* code;
};

AFINA_INLINE void unpack_block(float* to, const Packed& from, int64_t block, int count) {
  const uint8_t* index = from.index + block * moment_block;
  const float scale = from.scale[block];
  for (int i = 0; i < count; ++i) to[i] = from.code->value[index[i]] * scale;
}

// never_zero: what is not 0 does not become 0.
AFINA_INLINE void pack_block(const Packed& to, int64_t block, const float* x, int count,
                             bool never_zero) {
  uint32_t greatest = 0;  // magnitudes order as their bits do
  for (int i = 0; i < count; ++i) {
    const uint32_t magnitude = bits_of_one(x[i]) & 0x7fffffffu;
    greatest = magnitude > greatest ? magnitude : greatest;
  }
  float scale;
  __builtin_memcpy(&scale, &greatest, 4);
  to.scale[block] = scale;
  uint8_t* index = to.index + block * moment_block;
  for (int i = 0; i < count; ++i) {
    const float share = x[i] / scale;
    int at = to.code->start[bits_of_one(share) >> 16];
    while (at < 255 && to.code->boundary[at] < share) ++at;
    index[i] = uint8_t(at == 0 && never_zero && x[i] > 0.f ? 1 : at);
  }
}

template <class Value>
AFINA_INLINE void adamw8_pass(float* w, Value* value, const float* gradient, const Packed& m,
                              const Packed& v, int64_t size, const AdamWStep& step) {
  using V = vector_of<float>;
  double lr = double(step.lr), beta1 = double(step.beta1), beta2 = double(step.beta2);
  double own = double(step.rate);
  V keep = float(1. - lr * own * double(step.decay)), rate = float(-lr / double(step.bias1) * own),
    scale = step.gradient_scale, eps = step.eps;
  V b1 = float(beta1), rest1 = float(1. - beta1), b2 = float(beta2), rest2 = float(1. - beta2),
    shrink = float(1. / double(step.bias2_root));
  parallel_for(moment_blocks(size), piece / moment_block, [=](int64_t begin, int64_t end) {
    alignas(64) float first[moment_block], second[moment_block];
    for (int64_t block = begin; block < end; ++block) {
      const int64_t from = block * moment_block, left = size - from;
      const int count = int(left < moment_block ? left : moment_block);
      unpack_block(first, m, block, count);
      unpack_block(second, v, block, count);
      columns16(count, [&](int64_t i, int n) {
        V g = take(gradient + from + i, n) * scale;
        V one = v_fma(b1, take(first + i, n), rest1 * g),
          two = v_fma(b2, take(second + i, n), rest2 * g * g);
        V now = v_fma(rate, one / v_fma(v_sqrt(two), shrink, eps), take(w + from + i, n) * keep);
        put(first + i, one, n);
        put(second + i, two, n);
        put(w + from + i, now, n);
        if constexpr (!std::is_same_v<float, Value>) put(value + from + i, now, n);
      });
      pack_block(m, block, first, count, false);
      pack_block(v, block, second, count, true);
    }
  });
}

void adamw8(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m_index, Tensor& m_scale,
            Tensor& v_index, Tensor& v_scale, const Tensor&, const AdamWStep& step) {
  auto bytes = [](Tensor& t) { return reinterpret_cast<uint8_t*>(t.data<int32_t>()); };
  const Packed m = {bytes(m_index), m_scale.data<float>(), &first_moment_code()},
               v = {bytes(v_index), v_scale.data<float>(), &second_moment_code()};
  auto are = [&](Dtype a, Dtype b) { return master.dtype() == a && value.dtype() == b; };
  if (are(Dtype::f32, Dtype::bf16))
    adamw8_pass(master.data<float>(), value.data<bf16>(), gradient.data<float>(), m, v,
                master.size(), step);
  else if (are(Dtype::f32, Dtype::f32))
    adamw8_pass(master.data<float>(), master.data<float>(), gradient.data<float>(), m, v,
                master.size(), step);
  else unsupported_dtypes("adamw8", master.dtype(), value.dtype());
}

}  // namespace

REGISTER_CPU(adamw8, adamw8);

}  // namespace afina::AFINA_ISA
