// prepend: rows of a trained matrix before the rows of every sequence; and the rows after them
// alone. Copies of whole rows, so they need no kernel of their own.
#pragma once
#include "engine/ops.h"

namespace afina {

// x (B, T, n), front (count, m) with m >= from + n: y (B, count + T, n) whose first rows are
// front's columns from .. from + n. front's gradient is added straight into its sum, sequence after
// sequence: micro-batch after micro-batch gives the bits of one large batch.
inline Tensor prepend(const Tensor& front, int64_t from, const Tensor& x) {
  require(x.shape().rank() == 3 && front.shape().rank() == 2 && front.dtype() == x.dtype() &&
              from >= 0 && from + x.columns() <= front.columns(),
          "prepend: columns from ", from, " of ", front.shape().text(), " ", name(front.dtype()),
          " before ", x.shape().text(), " ", name(x.dtype()));
  const int64_t B = x.shape()[0], T = x.shape()[1], n = x.columns(), count = front.rows(),
                L = count + T;
  Tensor y({B, L, n}, x.dtype(), x.device()), rows = y.viewed({B * L, n});
  Tensor head({count, n}, x.dtype(), x.device()), of_x = x.viewed({B * T, n});
  kernel::columns(head, front, from);
  for (int64_t b = 0; b < B; ++b) {
    rows.slice_rows(b * L, count).copy_from(head);
    rows.slice_rows(b * L + count, T).copy_from(of_x.slice_rows(b * T, T));
  }
  return Tape::record(
      "prepend", y, {front, x},
      [dfront = front.grad(), dx = x.grad(), B, T, n, count, L, from](const Tensor& dy) {
        Tensor rows = dy.viewed({B * L, n});
        for (int64_t b = 0; dfront && b < B; ++b) {
          Tensor sum = dfront.sum();
          kernel::add_columns(sum, rows.slice_rows(b * L, count).as(sum.dtype()), from);
        }
        if (!dx) return;
        Tensor part({B, T, n}, dy.dtype(), dy.device()), of_x = part.viewed({B * T, n});
        for (int64_t b = 0; b < B; ++b)
          of_x.slice_rows(b * T, T).copy_from(rows.slice_rows(b * L + count, T));
        dx += part;
      });
}

// x (B, T, n) -> (B, T - count, n): every sequence without its first `count` rows.
inline Tensor without_first(const Tensor& x, int64_t count) {
  require(x.shape().rank() == 3 && count >= 0 && count <= x.shape()[1], "the first ", count,
          " rows of ", x.shape().text());
  const int64_t B = x.shape()[0], L = x.shape()[1], n = x.columns(), T = L - count;
  Tensor y({B, T, n}, x.dtype(), x.device()), to = y.viewed({B * T, n}),
                                              rows = x.viewed({B * L, n});
  for (int64_t b = 0; b < B; ++b)
    to.slice_rows(b * T, T).copy_from(rows.slice_rows(b * L + count, T));
  return Tape::record("without_first", y, {x},
                      [dx = x.grad(), B, L, n, T, count](const Tensor& dy) {
                        Tensor part = Tensor::zeros({B, L, n}, dy.dtype(), dy.device()),
                               rows = part.viewed({B * L, n}), of_y = dy.viewed({B * T, n});
                        for (int64_t b = 0; b < B; ++b)
                          rows.slice_rows(b * L + count, T).copy_from(of_y.slice_rows(b * T, T));
                        dx += part;
                      });
}

}  // namespace afina
