// rope: rotary position embedding (Su et al., 2021), in the half-split form of Hugging Face: column
// i turns with column i + dim / 2.
#pragma once
#include "engine/ops.h"

namespace afina {

namespace kernel {
// x, y (B, T, heads, dim); table f32 (f64) (positions, dim): cosines in the first half of a row,
// sines in the second; positions i32 (B, T). backwards: turn by the negative angle, which is the
// gradient.
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& table,
                             const Tensor& positions, bool backwards)>
    rope{"rope"};
}  // namespace kernel

// By matrix products: x cos + x R sin, where R sends (a, b) to (-b, a).
inline Tensor rope_definition(const Tensor& x, const Tensor& table, const Tensor& positions) {
  int64_t dim = x.columns(), half = dim / 2, heads = x.shape()[2], rows = x.rows();
  auto at = positions.integers();
  std::vector<double> all = table.values64(), cos(size_t(rows * dim)), sin(cos),
                      turn(size_t(dim * dim), 0.);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < dim; ++i) {
      cos[size_t(r * dim + i)] = all[size_t(at[size_t(r / heads)] * dim + i % half)];
      sin[size_t(r * dim + i)] = all[size_t(at[size_t(r / heads)] * dim + half + i % half)];
    }
  for (int64_t i = 0; i < half; ++i) {
    turn[size_t((i + half) * dim + i)] = -1.;
    turn[size_t(i * dim + i + half)] = 1.;
  }
  Tensor flat = reshape(x, {rows, dim});
  Tensor turned = matmul(flat, Tensor::from(turn, {dim, dim}, x.dtype(), x.device()));
  Tensor y = flat * Tensor::from(cos, {rows, dim}, x.dtype(), x.device()) +
             turned * Tensor::from(sin, {rows, dim}, x.dtype(), x.device());
  return reshape(y, x.shape());
}

inline Tensor rope(const Tensor& x, const Tensor& table, const Tensor& positions) {
  require(x.shape().rank() == 4 && table.columns() == x.columns(), "rope: x ", x.shape().text(),
          " with a table ", table.shape().text());
  if (!kernel::rope.runs_on(x.device())) return rope_definition(x, table, positions);
  Tensor y = like(x);
  kernel::rope(y, x, table, positions, false);
  return Tape::record("rope", y, {x}, [dx = x.grad(), table, positions](const Tensor& dy) {
    Tensor part = like(dy);
    kernel::rope(part, dy, table, positions, true);
    dx += part;
  });
}

}  // namespace afina
