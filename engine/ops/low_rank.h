// Linear layers with a low-rank path beside the weight, y = x Wᵀ + bias + scale (xa Aᵀ) Bᵀ, alone
// and for several layers with a common input.
#pragma once
#include "engine/ops/linear.h"

namespace afina {

// The definition of linear_lora below.
inline Tensor linear_lora_definition(const Tensor& x, const Tensor& xa, const Tensor& weight,
                                     const Tensor& bias, const Tensor& a, const Tensor& b,
                                     double scale) {
  Tensor low = matmul(matmul(reshape(xa, {xa.rows(), xa.columns()}), a, false, true) * scale, b,
                      false, true);
  return linear_definition(x, weight, bias) + low;
}

// LoRA (Hu et al., 2021): y = x Wᵀ + bias + scale (xa Aᵀ) Bᵀ, where xa is x or x after dropout, a
// (r, in), b (out, r). The low-rank path lengthens the chain over k of the same matmul (rounded
// once, no second pass over y), forward and for dx.
Tensor linear_lora(const Tensor& x, const Tensor& xa, const Tensor& weight, const Tensor& bias,
                   const Tensor& a, const Tensor& b, double scale);

// What layers that take the same x share of linear_lora: the low-rank paths' first halves, x [A1;
// A2; ...]ᵀ (rows, r1 + r2 + ...), as one product, and one for the gradients of the As. Its part of
// dx is, on a GPU, one product for all; on the CPU each layer's product takes in its own.
Tensor lora_low(const Tensor& x, const std::vector<Tensor>& as);
// linear_lora(x, x, ...) of the layer whose A's part of `low` begins at column `from`, with the
// same bits.
Tensor linear_lora_of(const Tensor& x, const Tensor& low, int64_t from, const Tensor& weight,
                      const Tensor& bias, const Tensor& a, const Tensor& b, double scale);

// The squared length of each row of a weight (out, in): (out), f32 (f64 with f64). Not recorded.
Tensor row_squares(const Tensor& weight);
// The length of each row of W + scale B A: (out), f32 (f64). squares: row_squares(W). That sum is
// never formed: its rows' squares are those of W + 2 scale <W Aᵀ, B> + scale² <B A Aᵀ, B>. Not
// recorded: a constant to whatever uses it.
Tensor low_rank_row_norms(const Tensor& weight, const Tensor& squares, const Tensor& a,
                          const Tensor& b, double scale);

}  // namespace afina
