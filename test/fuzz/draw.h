// Random numbers of one fuzzing input.
#pragma once
#include <cstdint>
#include <string_view>

#include "engine/random.h"

namespace afina {

// Draws the numbers of one input, one after the other: they depend on seed, target and run alone.
class Draw {
 public:
  Draw(uint64_t seed, std::string_view target, uint64_t run)
      : random_(seed ^ hash_of(target), "fuzz", run) {}
  // 0 .. n-1; 0 for n = 0.
  size_t below(size_t n) { return n == 0 ? 0 : size_t((uint64_t(bits()) * uint32_t(n)) >> 32); }
  uint32_t bits() {
    if (position_ % 4 == 0) block_ = random_.block(position_ / 4);
    return block_[position_++ % 4];
  }

 private:
  Random random_;
  std::array<uint32_t, 4> block_ = {};
  uint64_t position_ = 0;
};

}  // namespace afina
