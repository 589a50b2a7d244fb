// adamw: one pass of the optimizer over one weight, and the norm that clipping needs.
#pragma once
#include "engine/kernel.h"

namespace afina {

struct AdamWStep {
  float lr, beta1, beta2, eps;
  float decay;              // weight decay of this weight: 0 for vectors
  float bias1, bias2_root;  // 1 - beta1^t and sqrt(1 - beta2^t), computed in f64
  float gradient_scale;     // from clipping; 1 when it does nothing
};

namespace kernel {
// AdamW (Loshchilov and Hutter, 2019), element by element, as torch.optim.AdamW: g = gradient · gradient_scale; w *= 1 - lr · decay;
// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; w -= lr / bias1 · m / (sqrt(v) / bias2_root + eps). All f32 (f64) but value,
// which is master itself or its bf16 copy and is refreshed in the same pass.
inline constinit Kernel<void(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m, Tensor& v, const AdamWStep& step)> adamw{
    "adamw"};
// norm (1) f64 = the sum of squares of x: blocks of 4096 elements, 16 lanes of f64 each and a tree, blocks added in order.
inline constinit Kernel<void(Tensor& norm, const Tensor& x)> squared_norm{"squared_norm"};
}  // namespace kernel

}  // namespace afina
