// Places in one range of addresses.
#include "engine/ranges.h"

#include <iterator>

namespace afina {

size_t Ranges::take(size_t bytes, size_t limit) {
  for (auto free = free_.begin(); free != free_.end(); ++free) {
    if (free->second < bytes) continue;
    size_t at = free->first, left = free->second - bytes;
    free_.erase(free);
    if (left) free_[at + bytes] = left;
    return at;
  }
  if (bytes > limit - end_) return none;
  size_t at = end_;
  end_ += bytes;
  return at;
}

void Ranges::give_back(size_t at, size_t bytes) {
  auto next = free_.lower_bound(at);
  if (next != free_.end() && at + bytes == next->first) bytes += next->second, next = free_.erase(next);
  if (next != free_.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == at) at = before->first, bytes += before->second, free_.erase(before);
  }
  if (at + bytes == end_) end_ = at;
  else free_[at] = bytes;
}

}  // namespace afina
