// Byte-pair encoding of one word: applies a vocabulary's merges, lowest rank first, leftmost first.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/huge_pages.h"
#include "data/tokenizer/token_table.h"

namespace afina {

// A token of a word, and the byte offset in the word where it ends.
struct BpeToken {
  int32_t id;
  uint32_t end;
  bool operator==(const BpeToken&) const = default;
};

// A vocabulary with its merges (byte-pair encoding: Sennrich et al., 2016).
class Bpe {
 public:
  // The initial symbols of a word: bytes (byte-level: words are raw bytes, the vocabulary writes
  // each byte as a character) or characters.
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
  // Ids of two tokens and of the token that both are together.
  struct Merge {
    int32_t left, right, merged;
  };
  // `vocabulary`: the model's tokens; it must live as long as this, and what is added to it later
  // is not seen. `merges`: in order of rank; of two with the same pair the later counts. `where`
  // begins error messages.
  Bpe(const TokenTable& vocabulary, const std::vector<Merge>& merges, const Options& options,
      const std::string& where);
  ~Bpe();

  // Appends the tokens of a word (valid UTF-8 where symbols are characters). Thread-safe.
  void encode(std::string_view word, std::vector<BpeToken>& out) const;
  // The same by the definition alone: symbols, then the pair of lowest rank again and again. Slow;
  // the tests hold encode() against it.
  void encode_by_definition(std::string_view word, std::vector<BpeToken>& out) const;

  struct Work;  // memory for one thread at a time: a cache of words among it
  // Encodes many words in a row; for one thread.
  class Words {
   public:
    explicit Words(const Bpe& bpe);
    ~Words();
    Words(const Words&) = delete;
    Words& operator=(const Words&) = delete;
    void encode(std::string_view word, std::vector<BpeToken>& out);

   private:
    const Bpe& bpe_;
    std::unique_ptr<Work> work_;
  };

 private:
  struct Rule {
    uint64_t pair = ~uint64_t(0);
    uint32_t rank = 0;
    int32_t merged = -1;
  };
  void fill_rules(const std::vector<Merge>& merges);
  void find_cuts(const std::vector<Merge>& merges);
  void find_closed(const std::vector<Merge>& merges);
  void split_closed(std::string_view word, std::vector<BpeToken>& symbols) const;
  void set_character(uint32_t code, int32_t id);
  int32_t character_id(uint32_t code) const {
    const int32_t page = pages_[code >> 8];
    return page < 0 ? -1 : characters_[size_t(page) + (code & 255)];
  }
  int32_t whole(std::string_view word, std::string& store) const;
  // Where the search for a pair begins, what its rule is.
  uint64_t hash_of_pair(int32_t left, int32_t right) const;
  bool may_be(uint64_t hash) const { return filter_[hash / 64 & filter_mask_] >> hash % 64 & 1; }
  const Rule* find(int32_t left, int32_t right) const;
  const Rule* find(int32_t left, int32_t right, uint64_t hash) const;
  bool split(std::string_view word, std::vector<BpeToken>& symbols) const;
  size_t merge_few(BpeToken* symbols, size_t count) const;
  void merge(std::vector<BpeToken>& symbols) const;
  void merge_many(std::vector<BpeToken>& symbols) const;
  bool merge_in_windows(const std::vector<BpeToken>& symbols, Work& work,
                        std::vector<BpeToken>& out) const;
  void encode_piece(std::string_view word, Work& work, std::vector<BpeToken>& out) const;
  void encode_uncached(std::string_view word, Work& work, std::vector<BpeToken>& out) const;
  void encode_cut(std::string_view word, Work& work, std::vector<BpeToken>& out) const;

  const TokenTable& vocabulary_;
  size_t known_;              // entries of the vocabulary that count
  size_t longest_token_ = 0;  // bytes
  Options options_;
  // Token of each byte, or its fallback token; -1 if there is none.
  std::array<int32_t, 256> bytes_;
  bool all_bytes_ = false;  // all 256 have one
  int32_t unknown_ = -1;
  bool rules_few_ = true;  // few enough for the keys of merge_few
  // Which hashes of pairs there are, as bits: most pairs have no rule, and this is small enough to
  // be near.
  HugeVector<uint64_t> filter_;
  size_t filter_mask_ = 0;
  HugeVector<Rule> rules_;  // hash table with open addressing; its size is a power of two
  // Pairs of classes of characters between which some merge joins (bpe_long.cpp); empty: a word is
  // not cut between characters.
  std::vector<uint64_t> joins_;
  // Pairs of bytes between which some merge joins a part of a character (bpe_closed.cpp); empty:
  // no character is a symbol.
  std::vector<uint64_t> parts_join_;
  // Ids of single characters (those that are symbols), in pages of 256; pages_[code >> 8] is where
  // the page begins, or -1.
  std::vector<int32_t> pages_, characters_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Work>> idle_;
};

}  // namespace afina
