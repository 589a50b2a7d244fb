// The primitive operations: differentiable, on any device, for f32, bf16 and f64.
#pragma once
#include "engine/primitives.h"
#include "engine/tape.h"

namespace afina {

// One function per line of the scalar table: tanh(x), silu(x), ...
#define ENTRY(name, f, df) Tensor name(const Tensor& x);
SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY

// b is shaped as a, or is one row (n), one column (rows, 1) or one number, and is then spread.
Tensor operator+(const Tensor& a, const Tensor& b);
// c, which a kernel computed as a + b together with something else, joins the graph as their sum.
Tensor added(Tensor c, const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, double s);
Tensor operator+(const Tensor& a, double s);
Tensor sum_columns(const Tensor& x);  // (rows, n) -> (rows, 1)
Tensor sum(const Tensor& x);          // -> (1)
// (m, k) and (k, n), each transposed when asked -> (m, n).
Tensor matmul(const Tensor& a, const Tensor& b, bool ta = false, bool tb = false);
// The matmul slots with their FLOPs counted (engine/meter.h): what operations and their backward
// passes call.
void product_into(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
                  const Tensor& bias);
void product2_into(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                   bool tb, const Tensor& bias);
Tensor reshape(const Tensor& x, Shape shape);
Tensor columns(const Tensor& x, int64_t from, int64_t count);  // (..., n) -> (..., count)
// Rows `from .. from + count` and columns likewise, as a matrix product with a choice of the
// identity: for definitions, not for speed.
Tensor choose_rows(const Tensor& x, int64_t from, int64_t count);
Tensor choose_columns(const Tensor& x, int64_t from, int64_t count);

}  // namespace afina
