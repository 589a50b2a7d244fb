// A gradient of which a step touches few rows, such as an embedding's: holds only those rows.
#pragma once
#include <vector>

#include "engine/tensor.h"

namespace afina {

// Sums of the touched rows of a matrix (rows, n), in slots in the order of first touch. Each row
// accumulates in the same order as in the full matrix, so the result does not depend on which rows
// are present or how the step is split. On a GPU every id gets a slot, and the ids of one row use
// the first of theirs: the device finds it without the host, so that a captured step works for
// other ids.
class RowSum {
 public:
  RowSum(Shape shape, Dtype dtype, Device device) : shape_(shape), dtype_(dtype), device_(device) {}
  // Makes sure that the rows `ids` (i32, any shape, within the matrix) have slots; new ones start
  // as zeros. Returns the sums (slots, n), and in `slots` (i32, of ids' shape) the slot of each id.
  // On a GPU the memory taken depends only on the number of ids, not on how many are equal.
  Tensor reserve(const Tensor& ids, Tensor& slots);
  bool touched() const { return added_ > 0; }
  // full (rows, n) += the sums, each to its row.
  void add_to(Tensor& full) const;
  // Forgets everything and frees the memory.
  void drop();

 private:
  void grow(int64_t slots);
  Tensor reserve_on_device(const Tensor& ids);
  Shape shape_;  // of the full matrix
  Dtype dtype_;
  Device device_;
  Tensor sum_;                    // (capacity, n)
  Tensor ids_;                    // (added_), on a GPU: all ids so far
  int64_t added_ = 0;             // number of ids so far
  std::vector<int32_t> row_of_;   // by slot
  std::vector<int32_t> slot_of_;  // by row, -1 for none
};

}  // namespace afina
