// MinHash sketches, and the pairs that fall into one bucket of any band.
#include "data/checks/neighbours.h"

#include <algorithm>

namespace afina {

namespace {

uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ull;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
  return h ^ (h >> 31);
}

}  // namespace

std::vector<std::pair<uint32_t, uint32_t>> similar_pairs(
    uint32_t items, const std::function<void(uint32_t, std::vector<uint64_t>&)>& features,
    const NeighbourOptions& options) {
  const uint32_t count = options.bands * options.rows;
  std::vector<uint32_t> sketches(size_t(items) * count, UINT32_MAX);
  std::vector<uint8_t> empty(items, 1);
  std::vector<uint64_t> own;
  for (uint32_t i = 0; i < items; ++i) {
    own.clear();
    features(i, own);
    uint32_t* sketch = sketches.data() + size_t(i) * count;
    empty[i] = own.empty();
    for (uint64_t feature : own) {
      const uint64_t base = mixed(feature);
      uint64_t step = mixed(base ^ 0x9E3779B97F4A7C15ull) | 1, h = base;
      for (uint32_t k = 0; k < count; ++k) {
        h += step;
        const uint32_t value = uint32_t((h * 0xD6E8FEB86659FD93ull) >> 32);
        if (value < sketch[k]) sketch[k] = value;
      }
    }
  }
  std::vector<uint64_t> pairs;
  std::vector<std::pair<uint64_t, uint32_t>> buckets;
  for (uint32_t band = 0; band < options.bands; ++band) {
    buckets.clear();
    for (uint32_t i = 0; i < items; ++i) {
      if (empty[i]) continue;
      uint64_t h = band + 1;
      for (uint32_t k = 0; k < options.rows; ++k)
        h = mixed(h ^ sketches[size_t(i) * count + band * options.rows + k]);
      buckets.emplace_back(h, i);
    }
    std::sort(buckets.begin(), buckets.end());
    for (size_t a = 0; a < buckets.size(); ++a)
      for (size_t b = a + 1; b < buckets.size() && b <= a + options.most_of_each &&
                             buckets[b].first == buckets[a].first;
           ++b)
        pairs.push_back(uint64_t(buckets[a].second) << 32 | buckets[b].second);
    sort_unique(pairs);
  }
  std::vector<std::pair<uint32_t, uint32_t>> out;
  out.reserve(pairs.size());
  for (uint64_t pair : pairs) out.emplace_back(uint32_t(pair >> 32), uint32_t(pair));
  return out;
}

double jaccard(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  size_t common = 0, i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i] == b[j]) {
      ++common;
      ++i;
      ++j;
    } else if (a[i] < b[j]) {
      ++i;
    } else {
      ++j;
    }
  }
  const size_t all = a.size() + b.size() - common;
  return all ? double(common) / double(all) : 0;
}

void sort_unique(std::vector<uint64_t>& all) {
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

}  // namespace afina
