// embedding: rows of a table, chosen by token.
#pragma once
#include "engine/ops.h"
#include "engine/row_sum.h"

namespace afina {

namespace kernel {
// y (rows, n) = table[ids]; ids i32 (rows), each within the table.
inline constinit Kernel<void(Tensor& y, const Tensor& table, const Tensor& ids)> embedding{
    "embedding"};
// dtable[ids[i]] += dy[i] for i in order: each row of the table is a chain over tokens. dtable f32
// (f64).
inline constinit Kernel<void(Tensor& dtable, const Tensor& dy, const Tensor& ids)>
    embedding_backward{"embedding_backward"};
// places[i] = the first position at which ids (all) has the id that stands at `from` + i; places
// i32 (count). For GPUs: reads no host's memory.
inline constinit Kernel<void(Tensor& places, const Tensor& ids, int64_t from)> first_places{
    "first_places"};
}  // namespace kernel

inline Tensor embedding_definition(const Tensor& table, const Tensor& ids) {
  std::vector<float> one(size_t(ids.size() * table.rows()), 0.f);
  auto chosen = ids.integers();
  for (size_t i = 0; i < chosen.size(); ++i)
    one[i * size_t(table.rows()) + size_t(chosen[i])] = 1.f;
  return matmul(Tensor::from(one, {ids.size(), table.rows()}, table.dtype(), table.device()),
                table);
}

// table (vocabulary, n), ids i32 (B, T) -> (B, T, n). Ids must lie within the table (batches are
// checked where they are made).
inline Tensor embedding(const Tensor& table, const Tensor& ids) {
  std::vector<int64_t> extents;
  for (int i = 0; i < ids.shape().rank(); ++i) extents.push_back(ids.shape()[i]);
  extents.push_back(table.columns());
  Tensor y(Shape(extents), table.dtype(), table.device());
  kernel::embedding(y, table, ids);
  return Tape::record("embedding", y, {table}, [dtable = table.grad(), ids](const Tensor& dy) {
    Tensor places = ids, sum = dtable.rows() ? dtable.rows()->room_for(ids, places) : dtable.sum();
    kernel::embedding_backward(sum, dy, places);
  });
}

}  // namespace afina
