// torch.randperm without torch.
#include "model/methods/sparse_places.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace afina {

std::vector<int32_t> first_of_permutation(int64_t size, int64_t count, uint64_t seed) {
  std::vector<int32_t> all(size_t(size), 0);
  std::iota(all.begin(), all.end(), 0);
  std::mt19937 twister(static_cast<uint32_t>(seed));
  // What follows place `count` is never moved before it.
  for (int64_t i = 0; i < std::min(count, size - 1); ++i)
    std::swap(all[size_t(i)], all[size_t(i + int64_t(twister() % uint64_t(size - i)))]);
  all.resize(size_t(count));
  return all;
}

}  // namespace afina
