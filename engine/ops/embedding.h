// embedding: looks up a row of a table for each token.
#pragma once
#include "engine/ops.h"
#include "engine/row_sum.h"

namespace afina {

namespace kernel {
// y (rows, n) = table[ids]; table (vocabulary, n), in blocks too, ids i32 (rows), each within the
// table.
inline constinit Kernel<void(Tensor& y, const Tensor& table, const Tensor& ids)> embedding{
    "embedding"};
// dtable[ids[i]] += dy[i] for i in order, so each row of dtable is a chain over tokens. dtable has
// statistic dtype.
inline constinit Kernel<void(Tensor& dtable, const Tensor& dy, const Tensor& ids)>
    embedding_backward{"embedding_backward"};
// first[i] = the smallest j with ids[j] == ids[from + i]; ids i32 (n), first i32 (count). For GPUs:
// needs no values on the host.
inline constinit Kernel<void(Tensor& first, const Tensor& ids, int64_t from)> first_places{
    "first_places"};
}  // namespace kernel

// The definition: one-hot rows times the table.
inline Tensor embedding_definition(const Tensor& table, const Tensor& ids) {
  std::vector<float> one_hot(size_t(ids.size() * table.rows()), 0.f);
  auto chosen = ids.integers();
  for (size_t i = 0; i < chosen.size(); ++i)
    one_hot[i * size_t(table.rows()) + size_t(chosen[i])] = 1.f;
  return matmul(Tensor::from(one_hot, {ids.size(), table.rows()}, table.dtype(), table.device()),
                table);
}

// table (vocabulary, n), ids i32 (B, T) -> (B, T, n) in the table's dtype (of one in blocks, that
// which it is computed in). Ids outside the table
// are not checked here; batches are checked when they are made (data/batches.h).
inline Tensor embedding(const Tensor& table, const Tensor& ids) {
  std::vector<int64_t> extents;
  for (int i = 0; i < ids.shape().rank(); ++i) extents.push_back(ids.shape()[i]);
  extents.push_back(table.columns());
  Tensor y(Shape(extents), table.computed(), table.device());
  kernel::embedding(y, table, ids);
  return Tape::record("embedding", y, {table}, [table_grad = table.grad(), ids](const Tensor& dy) {
    RowSum* touched = table_grad.rows();
    Tensor slots = ids, dtable = touched ? touched->reserve(ids, slots) : table_grad.sum();
    kernel::embedding_backward(dtable, dy, slots);
  });
}

}  // namespace afina
