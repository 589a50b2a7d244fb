// Dropout: random bits come from a Philox stream keyed by each row's sample and position, the same
// numbers as on the CPU. A thread draws four.
#include "engine/ops/dropout.h"

#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {
namespace {

struct Coins {
  uint32_t v[4];
};
// Ten rounds of Philox 4x32, as in engine/random.h.
__device__ Coins philox4(Coins c, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    uint32_t high0 = __umulhi(0xD2511F53u, c.v[0]), low0 = 0xD2511F53u * c.v[0];
    uint32_t high2 = __umulhi(0xCD9E8D57u, c.v[2]), low2 = 0xCD9E8D57u * c.v[2];
    c = {{high2 ^ c.v[1] ^ k0, low2, high0 ^ c.v[3] ^ k1, low0}};
  }
  return c;
}

template <class T>
__global__ void dropout_kernel(T* y, const T* x, const int32_t* keys, DropoutKey key,
                               uint32_t least, sum_of<T> grow, int64_t size, int64_t n,
                               bool whole) {
  int64_t groups = (n + 3) / 4, i = my_elements<1>();
  if (i >= size) return;
  int64_t row = i / groups, group = i % groups;
  uint32_t sample = uint32_t(keys[2 * row]), position = uint32_t(keys[2 * row + 1]);
  uint64_t site = key.place();
  Coins coins = philox4({{uint32_t(group), position, sample, uint32_t(site)}},
                        uint32_t(key.seed) ^ uint32_t(site >> 32), uint32_t(key.seed >> 32));
  sum_of<T> v[4];
  take<4>(v, x + row * n, group * 4, n, whole);
  for (int j = 0; j < 4; ++j) v[j] = v[j] * (coins.v[j] >> 8 < least ? sum_of<T>(0) : grow);
  put<4>(y + row * n, v, group * 4, n, whole);
}

void dropout(Tensor& y, const Tensor& x, const Tensor& keys, double p, DropoutKey key) {
  with_type(x.dtype(), [&](auto* type) {
    using T = pointed<decltype(type)>;
    int64_t n = x.columns(), size = x.rows() * ((n + 3) / 4);
    T* out = y.data<T>();
    const T* in = x.data<T>();
    uint32_t least = uint32_t(p * 16777216. + 0.5);  // in units of 2^-24
    launch(dropout_kernel<T>, grid_of(size, 1), element_threads, 0, out, in, keys.data<int32_t>(),
           key, least, sum_of<T>(1. / (1. - p)), size, n, whole(n, 4, out, in));
  });
}

REGISTER_CUDA(dropout, four_per_thread, 0, dropout);

}  // namespace
}  // namespace afina::AFINA_GPU
