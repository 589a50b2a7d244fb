// Allocation within one address range: which parts are allocated and which are free. Works on
// offsets only, so that every device's pool can use it.
#pragma once
#include <cstddef>
#include <map>

namespace afina {

// Best fit: allocates the upper end of the shortest free part that is long enough, and merges freed
// parts. Sizes repeat every step, so after the first step every request fits into a free part, and
// the end of the range stays near the peak of allocated bytes: within 1 % in steps of SmolLM2,
// where first fit left gaps of 5 % because long-lived gradients were placed between short-lived
// activations.
class Ranges {
 public:
  static constexpr size_t none = ~size_t(0);

  // Allocates `bytes` and returns their offset; `none` if they would end beyond `limit`.
  size_t take(size_t bytes, size_t limit);
  void give_back(size_t offset, size_t bytes);
  // The end of the last allocated part.
  size_t end() const { return end_; }
  // Calls visit(from, to) for every free part below end().
  template <class Visit>
  void each_free(Visit visit) const {
    for (auto& [offset, length] : free_) visit(offset, offset + length);
  }

 private:
  size_t end_ = 0;
  std::map<size_t, size_t> free_;  // offset -> length
};

}  // namespace afina
