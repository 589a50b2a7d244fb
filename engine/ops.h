// The primitive operations: differentiable, on any device, in f32, bf16 and f64. Each returns a new
// tensor and throws an Error when shapes or dtypes do not fit.
#pragma once
#include "engine/primitives.h"
#include "engine/tape.h"

namespace afina {

// One function per line of the scalar table: tanh(x), silu(x), ...
#define ENTRY(name, f, df) Tensor name(const Tensor& x);
SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY

// Element by element, in a's shape. b has a's shape or is broadcast: one row (n), one column
// (rows, 1) or one number (1).
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, double s);
Tensor operator+(const Tensor& a, double s);
// Records c = a + b when a fused kernel has already computed c.
Tensor added(Tensor c, const Tensor& a, const Tensor& b);
Tensor sum_columns(const Tensor& x);  // (rows, n) -> (rows, 1)
Tensor sum(const Tensor& x);          // -> (1)
// op(a) (m, k) times op(b) (k, n) -> (m, n), where op transposes if ta or tb is set.
Tensor matmul(const Tensor& a, const Tensor& b, bool ta = false, bool tb = false);
// The slots kernel::matmul and kernel::matmul2 with their FLOPs counted (engine/meter.h), for
// operations and their backward passes. Not recorded.
void product_into(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
                  const Tensor& bias);
void product2_into(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                   bool tb, const Tensor& bias);
Tensor reshape(const Tensor& x, Shape shape);                  // shares x's memory
Tensor columns(const Tensor& x, int64_t from, int64_t count);  // (..., n) -> (..., count)
// The columns of all parts, which have the same rows: (..., a), (..., b), ... -> (..., a + b +
// ...).
Tensor side_by_side(const std::vector<Tensor>& parts);
// Rows, or columns, from .. from + count of x (rows, n), as a product with a 0/1 matrix: for
// definitions, not for speed.
Tensor choose_rows(const Tensor& x, int64_t from, int64_t count);
Tensor choose_columns(const Tensor& x, int64_t from, int64_t count);

}  // namespace afina
