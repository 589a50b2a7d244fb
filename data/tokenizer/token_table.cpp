// The ids of tokens by their text: one hash table over texts that lie one after the other.
#include "data/tokenizer/token_table.h"

#include <algorithm>

namespace afina {

namespace {
constexpr size_t block_bytes = 1 << 16;
}

void TokenTable::grow(size_t slots) {
  slots_.assign(slots, {});
  for (size_t i = 0; i < entries_.size(); ++i) {
    const uint64_t hash = token_hash(entries_[i].first);
    size_t at = hash & (slots - 1);
    while (slots_[at].entry) at = (at + 1) & (slots - 1);
    slots_[at] = {uint32_t(hash >> 32), uint32_t(i + 1)};
  }
}

void TokenTable::reserve(size_t count) {
  entries_.reserve(count);
  if (slots_.size() < 2 * count) grow(std::bit_ceil(2 * count));
}

std::string_view TokenTable::copied(std::string_view text) {
  if (text.size() > free_) {
    free_ = std::max(block_bytes, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(free_));
    // What is left of a block is known from its end.
    if (free_ > block_bytes) {
      std::memcpy(blocks_.back().get(), text.data(), text.size());
      free_ = 0;
      return {blocks_.back().get(), text.size()};
    }
  }
  char* place = blocks_.empty() ? nullptr : blocks_.back().get() + (block_bytes - free_);
  if (!text.empty()) std::memcpy(place, text.data(), text.size());
  free_ -= text.size();
  return {place, text.size()};
}

bool TokenTable::emplace(std::string_view text, int32_t id, bool lasts) {
  if (slots_.size() < 2 * (entries_.size() + 1))
    grow(std::bit_ceil(std::max<size_t>(16, 4 * entries_.size())));
  const uint64_t hash = token_hash(text);
  const uint32_t mark = uint32_t(hash >> 32);
  size_t at = hash & (slots_.size() - 1);
  for (; slots_[at].entry; at = (at + 1) & (slots_.size() - 1))
    if (slots_[at].mark == mark && entries_[slots_[at].entry - 1].first == text) return false;
  entries_.push_back({lasts ? text : copied(text), id});
  slots_[at] = {mark, uint32_t(entries_.size())};
  return true;
}

}  // namespace afina
