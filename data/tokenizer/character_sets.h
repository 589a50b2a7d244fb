// What kinds of characters the expressions of tokenizers tell apart.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace afina {

// Sets of characters, as bits.
enum CharacterSet : uint8_t {
  upper_letter = 1,  // Lu, Lt
  lower_letter = 2,  // Ll
  other_letter = 4,  // Lm, Lo
  mark = 8,          // M
  number = 16,       // N
  white_space = 32,  // \s
  line_end = 64,     // \r, \n
  no_set = 128,      // in none of the sets above
  letter = upper_letter | lower_letter | other_letter,
};

// The sets of characters as class Regex sees them. A page of 256 characters is asked from it once.
class CharacterSets {
 public:
  static const CharacterSets& all();
  uint8_t of(uint32_t code) const {
    const Page* page = pages_[code >> 8].load(std::memory_order_acquire);
    return (page ? *page : made(code >> 8))[code & 255];
  }
  uint8_t of_ascii(uint8_t byte) const { return ascii_[byte]; }

 private:
  using Page = std::array<uint8_t, 256>;
  CharacterSets();
  const Page& made(uint32_t index) const;
  mutable std::array<std::atomic<const Page*>, 0x1100> pages_ = {};
  std::array<uint8_t, 128> ascii_;
};

}  // namespace afina
