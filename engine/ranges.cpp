// Best fit with merging.
#include "engine/ranges.h"

#include <iterator>

namespace afina {

size_t Ranges::take(size_t bytes, size_t limit) {
  auto best = free_.end();
  for (auto free = free_.begin(); free != free_.end(); ++free)
    if (free->second >= bytes && (best == free_.end() || free->second <= best->second)) best = free;
  if (best != free_.end()) {
    size_t offset = best->first + (best->second -= bytes);
    if (!best->second) free_.erase(best);
    return offset;
  }
  if (bytes > limit - end_) return none;
  size_t offset = end_;
  end_ += bytes;
  return offset;
}

void Ranges::give_back(size_t offset, size_t bytes) {
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && offset + bytes == next->first) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second == offset) {
      offset = before->first;
      bytes += before->second;
      free_.erase(before);
    }
  }
  if (offset + bytes == end_) end_ = offset;
  else free_[offset] = bytes;
}

}  // namespace afina
