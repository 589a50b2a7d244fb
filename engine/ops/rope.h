// rope: rotary position embedding (Su et al., 2021), in the half-split form of Hugging Face: column
// i rotates with column i + turned / 2, where `turned` columns of each head rotate and the others
// stay as they are (partial rotary embedding).
#pragma once
#include "engine/ops.h"

namespace afina {

namespace kernel {
// x, y (B, T, heads, dim); table (positions, turned) of statistic dtype, turned <= dim: cosines in
// the first half of a row, sines in the second; positions i32 (B, T). backwards: rotates by the
// negative angle, which gives the gradient.
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& table,
                             const Tensor& positions, bool backwards)>
    rope{"rope"};
}  // namespace kernel

// The definition, in matrix products: x cos + x R sin, where R maps (a, b) to (-b, a).
inline Tensor rope_definition(const Tensor& x, const Tensor& table, const Tensor& positions) {
  int64_t dim = x.columns(), turned = table.columns(), half = turned / 2, heads = x.shape()[2],
          rows = x.rows();
  auto position = positions.integers();
  std::vector<double> angles = table.values64(), cos(size_t(rows * dim), 1.),
                      sin(size_t(rows * dim), 0.), rotation(size_t(dim * dim), 0.);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < turned; ++i) {
      size_t row = size_t(position[size_t(r / heads)] * turned + i % half);
      cos[size_t(r * dim + i)] = angles[row];
      sin[size_t(r * dim + i)] = angles[row + size_t(half)];
    }
  for (int64_t i = 0; i < half; ++i) {
    rotation[size_t((i + half) * dim + i)] = -1.;
    rotation[size_t(i * dim + i + half)] = 1.;
  }
  Tensor flat = reshape(x, {rows, dim});
  Tensor rotated = matmul(flat, Tensor::from(rotation, {dim, dim}, x.dtype(), x.device()));
  Tensor y = flat * Tensor::from(cos, {rows, dim}, x.dtype(), x.device()) +
             rotated * Tensor::from(sin, {rows, dim}, x.dtype(), x.device());
  return reshape(y, x.shape());
}

// x (B, T, heads, dim), table (positions, turned) of statistic dtype, positions i32 (B, T) within
// the table -> x's shape.
inline Tensor rope(const Tensor& x, const Tensor& table, const Tensor& positions) {
  require(x.shape().rank() == 4 && table.columns() <= x.columns() && table.columns() % 2 == 0,
          "rope: x ", x.shape().text(), " with a table ", table.shape().text());
  if (!kernel::rope.runs_on(x.device())) return rope_definition(x, table, positions);
  Tensor y = like(x);
  kernel::rope(y, x, table, positions, false);
  return Tape::record("rope", y, {x}, [x_grad = x.grad(), table, positions](const Tensor& dy) {
    Tensor dx = like(dy);
    kernel::rope(dx, dy, table, positions, true);
    x_grad += dx;
  });
}

}  // namespace afina
