// Many normal numbers at once: what weights begin with.
#pragma once
#include "engine/kernel.h"
#include "engine/random.h"

namespace afina {

// What Random's blocks are keyed and counted by, in a form that kernels take.
struct NormalStream {
  uint32_t key0, key1;
  uint64_t high;
  explicit NormalStream(const Random& random)
      : key0(random.key()[0]), key1(random.key()[1]), high(random.high()) {}
};

namespace kernel {
// values f32 (n), values[i] = spread · Random::normal(first + i) to the bit; first: even. On the
// CPU, where weights are made.
inline constinit Kernel<void(Tensor& values, NormalStream stream, int64_t first, float spread)>
    normals{"normals"};
}  // namespace kernel

}  // namespace afina
