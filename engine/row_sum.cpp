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

// On the device, where every id so far has a place.
Tensor RowSum::places_there(const Tensor& ids) {
  Tensor all({added_}, Dtype::i32, device_), places = Tensor(ids.shape(), Dtype::i32, device_);
  int64_t before = added_ - ids.size();
  if (before) all.slice_rows(0, before).copy_from(ids_);
  all.slice_rows(before, ids.size()).copy_from(ids.viewed({ids.size()}));
  ids_ = all;
  kernel::first_places(places, ids_, before);
  return places;
}

Tensor RowSum::room_for(const Tensor& ids, Tensor& places) {
  added_ += ids.size();
  if (kernel::first_places.runs_on(device_)) {
    PurposeScope purpose(Purpose::gradients);
    grow(added_);
    places = places_there(ids);
    return sum_;
  }
  grow(std::min(added_, whole_.rows()));
  if (place_.empty()) place_.assign(size_t(whole_.rows()), -1);
  std::vector<int32_t> at = ids.integers();
  for (int32_t& id : at) {
    int32_t& place = place_[size_t(id)];
    if (place < 0) {
      place = int32_t(rows_.size());
      rows_.push_back(id);
    }
    id = place;
  }
  places = Tensor::from(at, ids.shape(), device_);
  return sum_;
}

void RowSum::add_to(Tensor& sum) const {
  if (!touched()) return;
  if (ids_)
    return kernel::embedding_backward(sum, sum_, ids_);  // places that are not the first hold zeros
  int64_t count = int64_t(rows_.size());
  kernel::embedding_backward(sum, sum_.slice_rows(0, count), Tensor::from(rows_, {count}, device_));
}

void RowSum::drop() {
  for (int32_t row : rows_) place_[size_t(row)] = -1;
  rows_.clear();
  sum_ = ids_ = Tensor();
  added_ = 0;
}

}  // namespace afina
