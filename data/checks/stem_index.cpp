// Lists of items by stem, one list behind the other.
#include "data/checks/stem_index.h"

#include "engine/math.h"

namespace afina {

void StemIndex::add(const std::vector<uint64_t>& stems) {
  for (uint64_t stem : stems) ++uses_[stem].uses;
  all_.insert(all_.end(), stems.begin(), stems.end());
  first_.push_back(uint32_t(all_.size()));
}

void StemIndex::finish(uint32_t common) {
  common_ = common;
  for (uint32_t uses = 0; uses <= size(); ++uses)
    weights_.push_back(math::log((double(size()) + 1) / (double(uses) + 1)));
  uint32_t begin = 0;
  for (auto& [stem, use] : uses_) {
    use.first = begin;
    if (!is_common(use.uses)) begin += use.uses;
  }
  list_.resize(begin);
  norms_.assign(size(), 0);
  std::unordered_map<uint64_t, uint32_t> filled;
  for (uint32_t i = 0; i < size(); ++i)
    for (uint64_t stem : stems(i)) {
      const Use& use = uses_.find(stem)->second;
      norms_[i] += weight(use.uses) * weight(use.uses);
      if (!is_common(use.uses)) list_[use.first + filled[stem]++] = uint16_t(i);
    }
}

uint32_t StemIndex::uses(uint64_t stem) const {
  const auto found = uses_.find(stem);
  return found == uses_.end() ? 0 : found->second.uses;
}

double StemIndex::add_shared(std::span<const uint64_t> stems, std::vector<double>& sums) const {
  double norm = 0;
  for (uint64_t stem : stems) {
    const auto found = uses_.find(stem);
    const uint32_t uses = found == uses_.end() ? 0 : found->second.uses;
    const double both = weight(uses) * weight(uses);
    norm += both;
    if (uses == 0 || is_common(uses)) continue;
    const uint16_t* list = &list_[found->second.first];
    for (uint32_t k = 0; k < uses; ++k) sums[list[k]] += both;
  }
  return norm;
}

}  // namespace afina
