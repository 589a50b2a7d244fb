// Byte-pair encoding of one word: applies a vocabulary's merges, lowest rank first, leftmost first.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace afina {

// A token of a word, and the byte offset in the word where it ends.
struct BpeToken {
  int32_t id;
  uint32_t end;
};

// A vocabulary with its merges (byte-pair encoding: Sennrich et al., 2016).
class Bpe {
 public:
  // The initial symbols of a word: bytes (byte-level; words and vocabulary are raw bytes) or
  // characters.
  enum class Symbols { bytes, characters };
  struct Options {
    Symbols symbols = Symbols::bytes;
    std::string unknown;        // token for symbols missing from the vocabulary; empty: drop them
    bool fuse_unknown = false;  // a run of unknown symbols becomes one unknown token
    bool byte_fallback =
        false;  // spell characters missing from the vocabulary as byte tokens such as <0xE2>
    bool ignore_merges =
        false;  // a word that is in the vocabulary is one token, whatever the merges
  };
  // `vocabulary`: token text (raw bytes where symbols are bytes) to id. `merges`: pairs of tokens,
  // in order of rank. `where` begins error messages. Throws if a merge uses an unknown token.
  Bpe(const std::unordered_map<std::string, int32_t>& vocabulary,
      const std::vector<std::pair<std::string, std::string>>& merges, const Options& options,
      const std::string& where);
  ~Bpe();

  // Appends the tokens of a word. Thread-safe.
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
  std::unordered_map<std::string, int32_t> whole_words_;  // used with ignore_merges
  std::unordered_map<std::string, int32_t> characters_;
  // Token of each byte, or its fallback token; -1 if there is none.
  std::array<int32_t, 256> bytes_;
  int32_t unknown_ = -1;
  std::vector<Merge> merges_;  // hash table with open addressing; its size is a power of two
  std::unique_ptr<Cache> cache_;
};

}  // namespace afina
