// Items that share most of their features, without comparing all with all: MinHash with bands
// (Broder 1997; Indyk and Motwani 1998).
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace afina {

struct NeighbourOptions {
  uint32_t bands = 8, rows = 4;  // pairs of similarity s meet with 1 - (1 - s^rows)^bands
  uint32_t most_of_each = 8;     // partners in one bucket, so that a big bucket stays linear
};
// Takes pairs (a < b) that may be similar, ascending; no list of them is held, as a file of copies
// has many. features: of an item, as numbers; none: no pair. The same on every machine.
void similar_pairs(uint32_t items,
                   const std::function<void(uint32_t, std::vector<uint64_t>&)>& features,
                   const NeighbourOptions& options,
                   const std::function<void(uint32_t a, uint32_t b)>& take);

// Of two sorted lists without repeats: what they share, as a part of what either has.
double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b);
void sort_unique(std::vector<uint64_t>& all);

}  // namespace afina
