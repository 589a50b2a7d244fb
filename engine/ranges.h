// Places in one range of addresses: which parts are taken and which are free. Knows offsets alone,
// so that every device's pool can use it.
#pragma once
#include <cstddef>
#include <map>

namespace afina {

// Hands out the upper end of the shortest free place that is long enough, and merges what comes
// back. Sizes repeat every step, so after the first step every request finds its place, and the
// highest place used stays near what was held at most: within 1 % in steps of SmolLM2, where the
// lowest place that is long enough left gaps of 5 %, as gradients that stay came between
// activations that go.
class Ranges {
 public:
  static constexpr size_t none = ~size_t(0);

  // The offset of `bytes` more, `none` when they would end beyond `limit`.
  size_t take(size_t bytes, size_t limit);
  void give_back(size_t at, size_t bytes);
  // The end of what is taken.
  size_t end() const { return end_; }
  // visit(from, to) for every free part below end().
  template <class Visit>
  void each_free(Visit visit) const {
    for (auto& [at, length] : free_) visit(at, at + length);
  }

 private:
  size_t end_ = 0;
  std::map<size_t, size_t> free_;  // offset -> length
};

}  // namespace afina
