// swiglu: silu(gate) · up, the gated unit of Llama's MLP (Shazeer, 2020).
#pragma once
#include "engine/kept.h"
#include "engine/ops.h"

namespace afina {

namespace kernel {
inline constinit Kernel<void(Tensor& y, const Tensor& gate, const Tensor& up)> swiglu{"swiglu"};
inline constinit Kernel<void(Tensor& dgate, Tensor& dup, const Tensor& dy, const Tensor& gate,
                             const Tensor& up)>
    swiglu_backward{"swiglu_backward"};
}  // namespace kernel

inline Tensor swiglu_definition(const Tensor& gate, const Tensor& up) { return silu(gate) * up; }

inline Tensor swiglu(const Tensor& gate, const Tensor& up) {
  if (!kernel::swiglu.runs_on(gate.device())) return swiglu_definition(gate, up);
  Tensor y = like(gate);
  kernel::swiglu(y, gate, up);
  y = remade_by(y, [gate = Kept(gate), up = Kept(up)] {
    Tensor of_gate = gate.get(), again = like(of_gate);
    kernel::swiglu(again, of_gate, up.get());
    return again;
  });
  return Tape::record(
      "swiglu", y, {gate, up},
      [dgate = gate.grad(), dup = up.grad(), gate = Kept(gate), up = Kept(up)](const Tensor& dy) {
        Tensor g = gate.get(), u = up.get(), of_gate = like(g), of_up = like(u);
        kernel::swiglu_backward(of_gate, of_up, dy, g, u);
        if (dgate) dgate += of_gate;
        if (dup) dup += of_up;
      });
}

}  // namespace afina
