// A gradient of which a step touches few rows, as that of an embedding: only these rows are held.
#pragma once
#include <vector>

#include "engine/tensor.h"

namespace afina {

// Sums of rows of a whole (rows, n), one place for each row that was touched, in order of first
// touch. What is added to one row is the same chain as in the whole, so which rows share the sum,
// and how a step is split, shows in no bit. On a GPU every id has a place of its own, and those of
// one row share the first: the device finds it without the host, so that a captured step holds for
// other ids.
class RowSum {
 public:
  RowSum(Shape whole, Dtype dtype, Device device) : whole_(whole), dtype_(dtype), device_(device) {}
  // Makes room for rows `ids` (i32, any shape) of the whole. Gives the sum (places, n), new rows as
  // zeros, and in `places` (as ids) where in it the row of each id lies. The memory taken depends
  // on the number of ids alone, not on how many of them are equal.
  Tensor room_for(const Tensor& ids, Tensor& places);
  bool touched() const { return added_ > 0; }
  // sum (whole) += the gathered rows.
  void add_to(Tensor& sum) const;
  // To nothing, memory given back.
  void drop();

 private:
  void grow(int64_t places);
  Tensor places_there(const Tensor& ids);
  Shape whole_;
  Dtype dtype_;
  Device device_;
  Tensor sum_;                  // (capacity, n)
  Tensor ids_;                  // (added) on a GPU: all ids so far
  int64_t added_ = 0;           // ids so far
  std::vector<int32_t> rows_;   // of the whole, by place
  std::vector<int32_t> place_;  // by row of the whole, -1 for none
};

}  // namespace afina
