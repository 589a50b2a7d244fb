// The ids of tokens by their text: one hash table over texts that lie one after the other.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/huge_pages.h"

namespace afina {

// A hash of some bytes; the same on every machine.
inline uint64_t token_hash(std::string_view text) {
  constexpr uint64_t multiplier = 0x9E3779B97F4A7C15ull;
  auto mixed = [](uint64_t a, uint64_t b) {
    a = (a ^ b) * multiplier;
    return a ^ a >> 29;
  };
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = left * multiplier, word = 0;
  for (; left >= 8; left -= 8) {
    std::memcpy(&word, at, 8);
    hash = mixed(hash, word);
    at += 8;
  }
  word = 0;
  if (left >= 4) {
    // Two overlapping halves: no loop over bytes.
    uint32_t low = 0, high = 0;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + left - 4, 4);
    word = uint64_t(high) << 32 | low;
  } else if (left > 0) {
    word = uint64_t(uint8_t(at[0])) << 16 | uint64_t(uint8_t(at[left / 2])) << 8 |
           uint8_t(at[left - 1]);
  }
  return mixed(mixed(hash, word), left);
}

// Texts and their ids; every text once. Like a map of the standard library where that is enough.
class TokenTable {
 public:
  struct Entry {
    std::string_view first;
    int32_t second;
  };
  using const_iterator = const Entry*;

  // Makes room, so that nothing is moved while so many are added.
  void reserve(size_t count);
  // Adds a text that has no entry yet; false where it has one, which then stays. The text is
  // copied, or kept as it is where `lasts`: then it must live as long as the table.
  bool emplace(std::string_view text, int32_t id, bool lasts = false);

  const_iterator find(std::string_view text) const { return find(text, token_hash(text)); }
  const_iterator find(std::string_view text, uint64_t hash) const {
    if (slots_.empty()) return end();
    const uint32_t mark = uint32_t(hash >> 32);
    for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.entry == 0) return end();
      if (slot.mark == mark && entries_[slot.entry - 1].first == text)
        return &entries_[slot.entry - 1];
    }
  }
  // The id of a text; -1 where it has none.
  int32_t id_of(std::string_view text) const {
    const_iterator found = find(text);
    return found == end() ? -1 : found->second;
  }
  // Fetches what find() will read first.
  void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]); }
  size_t count(std::string_view text) const { return find(text) != end(); }
  size_t size() const { return entries_.size(); }

  // In the order in which they were added.
  const_iterator begin() const { return entries_.data(); }
  const_iterator end() const { return entries_.data() + entries_.size(); }

 private:
  struct Slot {
    uint32_t mark = 0;   // upper half of the hash
    uint32_t entry = 0;  // 1 + index; 0: free
  };
  void grow(size_t slots);
  std::string_view copied(std::string_view text);
  HugeVector<Slot> slots_;  // open addressing; a power of two
  HugeVector<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // of copied texts
  size_t free_ = 0;                              // bytes left at the end of the last block
};

}  // namespace afina
