// dropout: sets elements to zero by counter-based coins. A coin is keyed by sample and position and
// so does not depend on how samples are batched.
#pragma once
#include "engine/ops.h"
#include "engine/saved.h"
#include "engine/step_numbers.h"

namespace afina {

struct DropoutKey {
  uint64_t seed = 0;  // of the run
  uint64_t site = 0;  // hash of the layer's name
  Number<uint64_t> step{};
  // The part of a coin's key that stands for site and step.
  AFINA_ANYWHERE uint64_t place() const { return site ^ step.get() * 0x9E3779B97F4A7C15ull; }
};

namespace kernel {
// y = x / (1 - p) where the coin keeps the element, else 0. x, y (rows, n); keys i32 (rows, 2):
// sample and position of each row. The coin of column c is number c of the Philox stream (seed,
// site and step, sample, position). Linear in x: the same call on dy gives dx.
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& keys, double p,
                             DropoutKey key)>
    dropout{"dropout"};
}  // namespace kernel

// Dropout (Srivastava et al., 2014) with 0 <= p < 1 (an Error otherwise). x (B, T, n), keys i32
// (B * T, 2): sample and position of each row.
inline Tensor dropout(const Tensor& x, const Tensor& keys, double p, DropoutKey key) {
  require(p >= 0. && p < 1., "dropout must be in [0, 1), not ", p);
  if (p == 0.) return x;
  Tensor y = like(x);
  kernel::dropout(y, x, keys, p, key);
  y = with_recipe(y, [saved_x = Saved(x), keys, p, key] {
    Tensor x = saved_x.get(), y = like(x);
    kernel::dropout(y, x, keys, p, key);
    return y;
  });
  return Tape::record("dropout", y, {x}, [x_grad = x.grad(), keys, p, key](const Tensor& dy) {
    Tensor dx = like(dy);
    kernel::dropout(dx, dy, keys, p, key);
    x_grad += dx;
  });
}

}  // namespace afina
