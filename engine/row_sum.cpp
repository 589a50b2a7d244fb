// Sums of the touched rows of a large gradient.
#include "engine/row_sum.h"

#include <algorithm>

#include "engine/ops/embedding.h"

namespace afina {

void RowSum::grow(int64_t slots) {
  int64_t held = sum_ ? sum_.rows() : 0;
  if (slots <= held) return;
  PurposeScope purpose(Purpose::gradients);
  Tensor larger({slots, shape_.columns()}, dtype_, device_);
  if (held) larger.slice_rows(0, held).copy_from(sum_);
  larger.slice_rows(held, slots - held).zero();
  sum_ = larger;
}

// On a GPU, where every id has a slot: the slots of the ids' first occurrences.
Tensor RowSum::reserve_on_device(const Tensor& ids) {
  Tensor all({added_}, Dtype::i32, device_), slots = Tensor(ids.shape(), Dtype::i32, device_);
  int64_t before = added_ - ids.size();
  if (before) all.slice_rows(0, before).copy_from(ids_);
  all.slice_rows(before, ids.size()).copy_from(ids.viewed({ids.size()}));
  ids_ = all;
  kernel::first_places(slots, ids_, before);
  return slots;
}

Tensor RowSum::reserve(const Tensor& ids, Tensor& slots) {
  added_ += ids.size();
  if (kernel::first_places.runs_on(device_)) {
    PurposeScope purpose(Purpose::gradients);
    grow(added_);
    slots = reserve_on_device(ids);
    return sum_;
  }
  grow(std::min(added_, shape_.rows()));
  if (slot_of_.empty()) slot_of_.assign(size_t(shape_.rows()), -1);
  std::vector<int32_t> found = ids.integers();
  for (int32_t& id : found) {
    int32_t& slot = slot_of_[size_t(id)];
    if (slot < 0) {
      slot = int32_t(row_of_.size());
      row_of_.push_back(id);
    }
    id = slot;
  }
  slots = Tensor::from(found, ids.shape(), device_);
  return sum_;
}

void RowSum::add_to(Tensor& full) const {
  if (!touched()) return;
  if (ids_)  // slots of repeated ids hold zeros
    return kernel::embedding_backward(full, sum_, ids_);
  int64_t count = int64_t(row_of_.size());
  kernel::embedding_backward(full, sum_.slice_rows(0, count),
                             Tensor::from(row_of_, {count}, device_));
}

void RowSum::drop() {
  for (int32_t row : row_of_) slot_of_[size_t(row)] = -1;
  row_of_.clear();
  sum_ = ids_ = Tensor();
  added_ = 0;
}

}  // namespace afina
