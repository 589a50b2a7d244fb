// An inverted index of texts by their word stems, for cosines of weighted stems (Salton and Buckley
// 1988) without comparing all with all.
#pragma once
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace afina {

class StemIndex {
 public:
  // The next item's stems, sorted and without repeats; at most 65,535 items.
  void add(const std::vector<uint64_t>& stems);
  // After the last one. What every `common`-th item has tells nothing apart and is not looked up.
  void finish(uint32_t common);

  uint32_t size() const { return uint32_t(first_.size()) - 1; }
  std::span<const uint64_t> stems(uint32_t item) const {
    return {all_.data() + first_[item], first_[item + 1] - first_[item]};
  }
  // How many items have the stem.
  uint32_t uses(uint64_t stem) const;
  // Of a stem that so many items have: the logarithm of how rare it is.
  double weight(uint32_t uses) const { return weights_[uses]; }
  // The sum of squares of the weights of the item's stems.
  double norm(uint32_t item) const { return norms_[item]; }
  // Adds to each item's sum the squares of the weights of the stems that it shares; returns the
  // squares of all of them.
  double add_shared(std::span<const uint64_t> stems, std::vector<double>& sums) const;

 private:
  struct Use {
    uint32_t first = 0, uses = 0;  // where its items begin in the list, and how many have it
  };
  bool is_common(uint32_t uses) const { return uses >= size() / common_ + 4; }

  uint32_t common_ = 1;
  std::vector<uint64_t> all_;  // stems, item after item
  std::vector<uint32_t> first_{0};
  std::unordered_map<uint64_t, Use> uses_;
  std::vector<uint16_t> list_;  // items, by stem
  std::vector<double> norms_, weights_;
};

}  // namespace afina
