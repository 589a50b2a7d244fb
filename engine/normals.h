// Many normally distributed numbers at once: initial weights.
#pragma once
#include "engine/kernel.h"
#include "engine/random.h"

namespace afina {

// A Random's key and counter in a form for kernels.
struct NormalStream {
  uint32_t key0, key1;
  uint64_t high;
  explicit NormalStream(const Random& random)
      : key0(random.key()[0]), key1(random.key()[1]), high(random.high()) {}
};

namespace kernel {
// values[i] = spread · Random::normal(first + i), bit for bit; values f32 (n), first even. On the
// CPU only, where weights are initialised.
inline constinit Kernel<void(Tensor& values, NormalStream stream, int64_t first, float spread)>
    normals{"normals"};
}  // namespace kernel

}  // namespace afina
