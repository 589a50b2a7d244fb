// swiglu: silu(gate) · up, the gated unit of Llama's MLP (Shazeer, 2020).
#pragma once
#include "engine/ops.h"
#include "engine/saved.h"

namespace afina {

namespace kernel {
// y = silu(gate) · up, element by element; all of one shape.
inline constinit Kernel<void(Tensor& y, const Tensor& gate, const Tensor& up)> swiglu{"swiglu"};
// Both gradients from dy; dgate and dup are overwritten.
inline constinit Kernel<void(Tensor& dgate, Tensor& dup, const Tensor& dy, const Tensor& gate,
                             const Tensor& up)>
    swiglu_backward{"swiglu_backward"};
}  // namespace kernel

// What the kernels compute, in primitives: runs where a device has no kernel, and tests the rest.
inline Tensor swiglu_definition(const Tensor& gate, const Tensor& up) { return silu(gate) * up; }

// gate, up: of one shape and dtype. The result is not saved for backward, but recomputed from them.
inline Tensor swiglu(const Tensor& gate, const Tensor& up) {
  require(gate.shape() == up.shape() && gate.dtype() == up.dtype(), "swiglu: gate ",
          gate.shape().text(), " ", name(gate.dtype()), " and up ", up.shape().text(), " ",
          name(up.dtype()));
  if (!kernel::swiglu.runs_on(gate.device())) return swiglu_definition(gate, up);
  Tensor y = like(gate);
  kernel::swiglu(y, gate, up);
  y = with_recipe(y, [saved_gate = Saved(gate), saved_up = Saved(up)] {
    Tensor gate = saved_gate.get(), y = like(gate);
    kernel::swiglu(y, gate, saved_up.get());
    return y;
  });
  return Tape::record("swiglu", y, {gate, up},
                      [gate_grad = gate.grad(), up_grad = up.grad(), saved_gate = Saved(gate),
                       saved_up = Saved(up)](const Tensor& dy) {
                        Tensor gate = saved_gate.get(), up = saved_up.get();
                        Tensor dgate = like(gate), dup = like(up);
                        kernel::swiglu_backward(dgate, dup, dy, gate, up);
                        if (gate_grad) gate_grad += dgate;
                        if (up_grad) up_grad += dup;
                      });
}

}  // namespace afina
