// scale_columns: every column of a matrix times a number of its own, for vectors that are trained.
#pragma once
#include "engine/ops/linear.h"
#include "engine/saved.h"

namespace afina {

// The definition of scale_columns below, where all have one dtype.
inline Tensor scale_columns_definition(const Tensor& x, const Tensor& v, const Tensor& over,
                                       const Tensor& bias) {
  Tensor factor = reshape(v, {v.size()});
  Tensor y = x * (over ? factor / over : factor);
  return bias ? y + bias : y;
}

// y = x ⊙ (v / over) + bias, where column i of x (..., n) meets number i of v, over and bias. v (n
// numbers in any shape), over and bias (n) are f32 (f64 with f64); over, a constant, and bias may
// be empty. Computed in f32 (f64) and rounded to x's dtype once. The gradients of v and bias are
// chains over rows that go straight into their sums: micro-batch after micro-batch gives the bits
// of one large batch.
Tensor scale_columns(const Tensor& x, const Tensor& v, const Tensor& over = {},
                     const Tensor& bias = {});

}  // namespace afina
