// Sums of the touched rows of a large gradient.
#include "engine/row_sum.h"

#include <algorithm>

#include "engine/ops/embedding.h"

namespace afina {

void RowSum::grow(int64_t places) {
  int64_t held = sum_ ? sum_.rows() : 0;
  if (places <= held) return;
  PurposeScope purpose(Purpose::gradients);
  Tensor bigger({places, whole_.columns()}, dtype_, device_);
  if (held) bigger.slice_rows(0, held).copy_from(sum_);
  bigger.slice_rows(held, places - held).zero();
  sum_ = bigger;
}

Tensor RowSum::room_for(const Tensor& ids, Tensor& places) {
  added_ += ids.size();
  grow(std::min(added_, whole_.rows()));
  if (place_.empty()) place_.assign(size_t(whole_.rows()), -1);
  std::vector<int32_t> at = ids.integers();
  for (int32_t& id : at) {
    int32_t& place = place_[size_t(id)];
    if (place < 0) place = int32_t(rows_.size()), rows_.push_back(id);
    id = place;
  }
  places = Tensor::from(at, ids.shape(), device_);
  return sum_;
}

void RowSum::add_to(Tensor& sum) const {
  if (!touched()) return;
  int64_t count = int64_t(rows_.size());
  kernel::embedding_backward(sum, sum_.slice_rows(0, count), Tensor::from(rows_, {count}, device_));
}

void RowSum::drop() {
  for (int32_t row : rows_) place_[size_t(row)] = -1;
  rows_.clear();
  sum_ = Tensor(), added_ = 0;
}

}  // namespace afina
