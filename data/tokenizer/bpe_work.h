// What a thread needs while it encodes words: a cache of the words that it saw, and buffers.
#pragma once
#include <algorithm>
#include <cstring>

#include "data/tokenizer/bpe.h"

namespace afina {

// The first and the last bytes of a word; together with its length they are the whole word.
struct WordKey {
  static constexpr size_t longest_word = 32;
  uint64_t parts[4];
  uint64_t hash;
  explicit WordKey(std::string_view word) {
    WordKey& key = *this;
    std::memset(parts, 0, sizeof parts);
    const char* at = word.data();
    const size_t size = word.size();
    auto part = [](const char* from) {
      uint64_t value;
      std::memcpy(&value, from, 8);
      return value;
    };
    if (size >= 16) {
      key.parts[0] = part(at);
      key.parts[1] = part(at + 8);
      key.parts[2] = part(at + size - 16);
      key.parts[3] = part(at + size - 8);
    } else if (size >= 8) {
      key.parts[0] = part(at);
      key.parts[1] = part(at + size - 8);
    } else if (size >= 4) {
      uint32_t first, last;
      std::memcpy(&first, at, 4);
      std::memcpy(&last, at + size - 4, 4);
      key.parts[0] = uint64_t(last) << 32 | first;
    } else {
      key.parts[0] = uint64_t(uint8_t(at[size - 1])) << 16 | uint64_t(uint8_t(at[size / 2])) << 8 |
                     uint8_t(at[0]);
    }
    uint64_t hash = (key.parts[0] ^ size) * 0x9E3779B97F4A7C15ull;
    hash ^= (key.parts[1] + (hash >> 31)) * 0xC2B2AE3D27D4EB4Full;
    hash ^= (key.parts[2] + (hash >> 29)) * 0x165667B19E3779F9ull;
    hash ^= (key.parts[3] + (hash >> 30)) * 0xD6E8FEB86659FD93ull;
    key.hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15ull;
  }
};

// A cache of short words: text repeats itself, so that nearly every word is found here. Pairs of
// places; the older of a pair makes room.
template <size_t most_tokens>
class WordCache {
 public:
  using Key = WordKey;

  explicit WordCache(size_t pairs) : places_(2 * pairs) {}

  // Appends the tokens of a word of 1 to longest_word bytes; false if it is not here.
  bool get(const Key& key, size_t size, std::vector<BpeToken>& out) {
    Place* pair = pair_of(key);
    if (!pair[0].holds(key, size)) {
      if (!pair[1].holds(key, size)) return false;
      std::swap(pair[0], pair[1]);
    }
    const Place& place = pair[0];
    const size_t before = out.size();
    out.resize(before + place.count);
    BpeToken* to = out.data() + before;
    for (size_t i = 0; i < place.count; ++i) to[i] = {place.ids[i], place.ends[i]};
    return true;
  }
  void put(const Key& key, size_t size, const BpeToken* tokens, size_t count) {
    if (count > most_tokens) return;
    Place* pair = pair_of(key);
    pair[1] = pair[0];
    Place& place = pair[0];
    std::memcpy(place.parts, key.parts, sizeof place.parts);
    place.size = uint8_t(size);
    place.count = uint8_t(count);
    for (size_t i = 0; i < count; ++i) {
      place.ids[i] = tokens[i].id;
      place.ends[i] = uint8_t(tokens[i].end);
    }
  }

 private:
  struct alignas(64) Place {
    uint64_t parts[4] = {};
    int32_t ids[most_tokens] = {};
    uint8_t ends[most_tokens] = {};
    uint8_t size = 0, count = 0;  // size 0: free
    bool holds(const Key& key, size_t bytes) const {
      return size == bytes && ((parts[0] ^ key.parts[0]) | (parts[1] ^ key.parts[1]) |
                               (parts[2] ^ key.parts[2]) | (parts[3] ^ key.parts[3])) == 0;
    }
  };
  static_assert(sizeof(Place) % 64 == 0 && sizeof(Place) <= 128);
  Place* pair_of(const Key& key) {
    return &places_[2 * (key.hash >> 32 & (places_.size() / 2 - 1))];
  }
  HugeVector<Place> places_;  // a power of two
};

struct Bpe::Work {
  // Longer words are encoded in windows of about so many symbols.
  static constexpr size_t window = 64;
  explicit Work(size_t pairs) : few(pairs), more(pairs / 4) {}
  WordCache<5> few;
  WordCache<14> more;  // words of more tokens
  std::vector<BpeToken> symbols, part, pair;
  std::vector<uint32_t> firsts;  // for each token of a long word, its first symbol
  std::string text;
};

}  // namespace afina
