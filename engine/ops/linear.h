// linear: y = x Wᵀ + bias. A frozen weight costs no gradient and keeps no input.
#pragma once
#include "engine/ops.h"

namespace afina {

inline Tensor linear_definition(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensor y = matmul(reshape(x, {x.rows(), x.columns()}), weight, false, true);
  return bias ? y + bias : y;
}

// x (..., in), weight (out, in) or a matrix in blocks (engine/blocks.h), bias (out) f32 (f64 with
// f64) or empty -> (..., out) in x's dtype. Gradients of weight and bias are added straight into
// their sums, row after row: micro-batch after micro-batch gives the bits of one large batch.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

// The rest is what operations with a weight are made of (engine/ops/low_rank.h).

// x (..., n) as a matrix (rows, n), outside the graph.
Tensor flat(const Tensor& x);
// The shape with another last extent.
Shape with_columns(const Shape& shape, int64_t columns);
// Error unless x (..., in) and weight (out, in) agree in width and dtype.
void check_linear(const Tensor& x, const Tensor& weight);
// a b, or a bᵀ with tb, in a's dtype; not recorded.
Tensor product_of(const Tensor& a, const Tensor& b, bool tb);
// dbias += the sum of the rows of dy (rows, out): one chain over rows.
void add_bias_gradient(const Gradient& dbias, const Tensor& dy);
// dx += a b for an input of `shape` (..., columns of b): a (rows, n), b (n, columns). On a GPU a
// product that adds, without a pass of its own over what is there already; the CPU rounds the
// product and adds it.
void add_product(const Gradient& dx, const Tensor& a, const Tensor& b, const Shape& shape);
// gradient += dyᵀ x for a weight (out, in): the chain over rows of dy (rows, out) and x (rows, in).
void add_outer(const Gradient& gradient, const Tensor& dy, const Tensor& x);

}  // namespace afina
