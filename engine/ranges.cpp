// Places in one range of addresses.
#include "engine/ranges.h"

#include <iterator>

namespace afina {

size_t Ranges::take(size_t bytes, size_t limit) {
  auto best = free_.end();
  for (auto free = free_.begin(); free != free_.end(); ++free)
    if (free->second >= bytes && (best == free_.end() || free->second <= best->second)) best = free;
  if (best != free_.end()) {
    size_t at = best->first + (best->second -= bytes);
    if (!best->second) free_.erase(best);
    return at;
  }
  if (bytes > limit - end_) return none;
  size_t at = end_;
  end_ += bytes;
  return at;
}

void Ranges::give_back(size_t at, size_t bytes) {
  auto next = free_.lower_bound(at);
  if (next != free_.end() && at + bytes == next->first) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == at) {
      at = before->first;
      bytes += before->second;
      free_.erase(before);
    }
  }
  if (at + bytes == end_) end_ = at;
  else free_[at] = bytes;
}

}  // namespace afina
