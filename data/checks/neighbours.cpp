// MinHash sketches, and the pairs that fall into one bucket of any band.
#include "data/checks/neighbours.h"

#include <algorithm>

namespace afina {

namespace {

constexpr uint32_t no_item = UINT32_MAX;

uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9ull;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBull;
  return h ^ (h >> 31);
}

}  // namespace

void similar_pairs(uint32_t items,
                   const std::function<void(uint32_t, std::vector<uint64_t>&)>& features,
                   const NeighbourOptions& options,
                   const std::function<void(uint32_t, uint32_t)>& take) {
  const uint32_t count = options.bands * options.rows;
  // Of each sketch only the buckets that it falls into are kept, one for each band.
  std::vector<std::vector<uint64_t>> buckets(options.bands, std::vector<uint64_t>(items));
  std::vector<uint32_t> sketch(count);
  std::vector<uint8_t> empty(items, 1);
  std::vector<uint64_t> own;
  for (uint32_t i = 0; i < items; ++i) {
    own.clear();
    features(i, own);
    std::fill(sketch.begin(), sketch.end(), UINT32_MAX);
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
    for (uint32_t band = 0; band < options.bands; ++band) {
      uint64_t h = band + 1;
      for (uint32_t k = 0; k < options.rows; ++k) h = mixed(h ^ sketch[band * options.rows + k]);
      buckets[band][i] = h;
    }
  }
  // Of each item and band the next item of its bucket, in the items' order.
  std::vector<std::vector<uint32_t>> next(options.bands);
  std::vector<uint32_t> order;
  for (uint32_t band = 0; band < options.bands; ++band) {
    const std::vector<uint64_t>& bucket = buckets[band];
    order.clear();
    for (uint32_t i = 0; i < items; ++i)
      if (!empty[i]) order.push_back(i);
    std::sort(order.begin(), order.end(), [&](uint32_t x, uint32_t y) {
      return bucket[x] != bucket[y] ? bucket[x] < bucket[y] : x < y;
    });
    next[band].assign(items, no_item);
    for (size_t at = 0; at + 1 < order.size(); ++at)
      if (bucket[order[at]] == bucket[order[at + 1]]) next[band][order[at]] = order[at + 1];
    std::vector<uint64_t>().swap(buckets[band]);
  }
  std::vector<uint32_t> partners;
  for (uint32_t i = 0; i < items; ++i) {
    partners.clear();
    for (const std::vector<uint32_t>& of : next) {
      uint32_t other = of[i];
      for (uint32_t k = 0; k < options.most_of_each && other != no_item; ++k) {
        partners.push_back(other);
        other = of[other];
      }
    }
    std::sort(partners.begin(), partners.end());
    partners.erase(std::unique(partners.begin(), partners.end()), partners.end());
    for (uint32_t other : partners) take(i, other);
  }
}

double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b) {
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
