// Byte-pair encoding of one word: the merges of a vocabulary, applied lowest rank first, leftmost
// first.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace afina {

// A token of a word and where in the word it ends.
struct BpeToken {
  int32_t id;
  uint32_t end;
};

class Bpe {
 public:
  // What a word's smallest parts are: bytes (byte-level; words are raw bytes and so is the
  // vocabulary) or characters.
  enum class Symbols { bytes, characters };
  struct Options {
    Symbols symbols = Symbols::bytes;
    std::string unknown;         // token for symbols the vocabulary lacks; empty: they are dropped
    bool fuse_unknown = false;   // one unknown token for a run of them
    bool byte_fallback = false;  // <0xE2> tokens for characters the vocabulary lacks
    bool ignore_merges = false;  // a word that is in the vocabulary is one token, merges or not
  };
  // Tokens as they stand in text (raw bytes where symbols are bytes) with their ids; merges by
  // rank, as pairs of such tokens.
  Bpe(const std::unordered_map<std::string, int32_t>& vocabulary,
      const std::vector<std::pair<std::string, std::string>>& merges, const Options& options,
      const std::string& where);
  ~Bpe();

  // Appends the tokens of a word. May be called from several threads at once.
  void encode(std::string_view word, std::vector<BpeToken>& out) const;

 private:
  struct Merge {
    uint64_t pair = ~uint64_t(0);
    uint32_t rank = 0;
    int32_t merged = -1;
  };
  struct Cache;
  void insert(int32_t left, int32_t right, uint32_t rank, int32_t merged);
  const Merge* find(int32_t left, int32_t right) const;
  void split(std::string_view word, std::vector<BpeToken>& symbols) const;
  void merge(std::vector<BpeToken>& symbols) const;

  Options options_;
  std::unordered_map<std::string, int32_t> whole_words_;  // for ignore_merges
  std::unordered_map<std::string, int32_t> characters_;
  std::array<int32_t, 256>
      bytes_;  // symbol of a byte, or its fallback token; -1 when there is none
  int32_t unknown_ = -1;
  std::vector<Merge> merges_;  // open addressing, a power of two
  std::unique_ptr<Cache> cache_;
};

}  // namespace afina
