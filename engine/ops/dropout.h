// dropout: elements set to zero by a counter-based coin that is keyed by sample and position, never
// by place in the batch.
#pragma once
#include "engine/kept.h"
#include "engine/ops.h"
#include "engine/step_numbers.h"

namespace afina {

struct DropoutKey {
  uint64_t seed = 0;  // of the run
  uint64_t site = 0;  // hash of the layer's name
  Number<uint64_t> step{};
  // What the coins of this site and step are keyed by.
  AFINA_ANYWHERE uint64_t place() const { return site ^ step.get() * 0x9E3779B97F4A7C15ull; }
};

namespace kernel {
// y = x / (1 - p) where the coin says keep, else 0. keys i32 (rows, 2): sample and position of each
// row of x (rows, n). The coin of column c is number c of the Philox stream (seed, site and step,
// sample, position); linear in x, so that the same call is its own gradient.
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& keys, double p,
                             DropoutKey key)>
    dropout{"dropout"};
}  // namespace kernel

// Dropout (Srivastava et al., 2014) with 0 <= p < 1. x (B, T, n), keys i32 (B * T, 2).
inline Tensor dropout(const Tensor& x, const Tensor& keys, double p, DropoutKey key) {
  require(p >= 0. && p < 1., "dropout must lie in [0, 1), not at ", p);
  if (p == 0.) return x;
  Tensor y = like(x);
  kernel::dropout(y, x, keys, p, key);
  y = remade_by(y, [x = Kept(x), keys, p, key] {
    Tensor of_x = x.get(), again = like(of_x);
    kernel::dropout(again, of_x, keys, p, key);
    return again;
  });
  return Tape::record("dropout", y, {x}, [dx = x.grad(), keys, p, key](const Tensor& dy) {
    Tensor part = like(dy);
    kernel::dropout(part, dy, keys, p, key);
    dx += part;
  });
}

}  // namespace afina
