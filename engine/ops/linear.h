// linear: y = x Wᵀ + bias, and the same with a low-rank path beside it. A frozen weight costs no
// gradient and keeps no input.
#pragma once
#include "engine/ops.h"

namespace afina {

inline Tensor linear_definition(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y = matmul(reshape(x, {x.rows(), x.columns()}), weight, false, true);
  return bias ? y + bias : y;
}

// x (..., in), weight (out, in), bias (out) f32 (f64 with f64) or empty -> (..., out) in x's dtype.
// Gradients of weight and bias are added straight into their sums, row after row: micro-batch after
// micro-batch gives the bits of one large batch.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

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

// dx += a b for an input of `shape` (..., columns of b): a (rows, n), b (n, columns). On a GPU a
// product that adds, without a pass of its own over what is there already; the CPU rounds the
// product and adds it.
void add_product(const Gradient& dx, const Tensor& a, const Tensor& b, const Shape& shape);
// gradient += dyᵀ x for a weight (out, in): the chain over rows of dy (rows, out) and x (rows, in).
void add_outer(const Gradient& gradient, const Tensor& dy, const Tensor& x);

}  // namespace afina
