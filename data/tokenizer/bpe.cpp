// Byte-pair encoding of one word: applies a vocabulary's merges, lowest rank first, leftmost first.
#include "data/tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <mutex>
#include <queue>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

// Caches encoded words: text repeats itself, so nearly every word is found here. Sharded to keep
// lock contention low.
struct Bpe::Cache {
  static constexpr size_t shards = 16, words_per_shard = 8192, longest_word = 64;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<BpeToken>> words;
  };
  std::array<Shard, shards> all;
  Shard& shard_of(std::string_view word) {
    return all[(uint8_t(word[0]) * 7 + word.size() + uint8_t(word.back())) % shards];
  }
};

Bpe::~Bpe() = default;

Bpe::Bpe(const std::unordered_map<std::string, int32_t>& vocabulary,
         const std::vector<std::pair<std::string, std::string>>& merges, const Options& options,
         const std::string& where)
    : options_(options), cache_(std::make_unique<Cache>()) {
  auto id_of = [&](const std::string& token) {
    auto found = vocabulary.find(token);
    return found == vocabulary.end() ? -1 : found->second;
  };
  for (int b = 0; b < 256; ++b) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", b);
    bytes_[b] = options.symbols == Symbols::bytes ? id_of(std::string(1, char(b)))
                : options.byte_fallback           ? id_of(name)
                                                  : -1;
  }
  if (!options.unknown.empty()) {
    unknown_ = id_of(options.unknown);
    require(unknown_ >= 0, where, ": unk_token \"", options.unknown, "\" is not in the vocabulary");
  }
  for (auto& [token, id] : vocabulary)
    if (options.symbols == Symbols::characters && !token.empty() &&
        character_at(token, 0).bytes == token.size())
      characters_[token] = id;
  if (options.ignore_merges) whole_words_ = vocabulary;
  merges_.resize(std::bit_ceil(merges.size() * 2 + 2));
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    auto& [left, right] = merges[rank];
    int32_t l = id_of(left), r = id_of(right), merged = id_of(left + right);
    require(l >= 0 && r >= 0 && merged >= 0, where, ": merge ", rank, " (\"", left, "\" \"", right,
            "\") uses the token \"",
            l < 0   ? left
            : r < 0 ? right
                    : left + right,
            "\", which is not in the vocabulary");
    insert(l, r, uint32_t(rank), merged);
  }
}

namespace {
uint64_t pair_of(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}
size_t slot_of(uint64_t pair, size_t slots) {
  return size_t((pair * 0x9E3779B97F4A7C15ull) >> 20) & (slots - 1);
}
}  // namespace

void Bpe::insert(int32_t left, int32_t right, uint32_t rank, int32_t merged) {
  uint64_t pair = pair_of(left, right);
  size_t slot = slot_of(pair, merges_.size());
  while (merges_[slot].merged >= 0 && merges_[slot].pair != pair)
    slot = (slot + 1) & (merges_.size() - 1);
  merges_[slot] = {pair, rank, merged};
}

const Bpe::Merge* Bpe::find(int32_t left, int32_t right) const {
  uint64_t pair = pair_of(left, right);
  for (size_t slot = slot_of(pair, merges_.size()); merges_[slot].merged >= 0;
       slot = (slot + 1) & (merges_.size() - 1))
    if (merges_[slot].pair == pair) return &merges_[slot];
  return nullptr;
}

void Bpe::split(std::string_view word, std::vector<BpeToken>& symbols) const {
  bool after_unknown = false;
  for (size_t at = 0; at < word.size();) {
    uint32_t size = options_.symbols == Symbols::bytes ? 1 : character_at(word, at).bytes;
    int32_t id = -1;
    if (options_.symbols == Symbols::bytes) {
      id = bytes_[uint8_t(word[at])];
    } else if (auto found = characters_.find(std::string(word.substr(at, size)));
               found != characters_.end()) {
      id = found->second;
    } else if (options_.byte_fallback) {
      auto bytes = word.substr(at, size);
      if (std::all_of(bytes.begin(), bytes.end(),
                      [&](char c) { return bytes_[uint8_t(c)] >= 0; })) {
        for (uint32_t i = 0; i < size; ++i)
          symbols.push_back({bytes_[uint8_t(bytes[i])], uint32_t(at + i + 1)});
        at += size;
        after_unknown = false;
        continue;
      }
    }
    at += size;
    if (id >= 0) {
      symbols.push_back({id, uint32_t(at)});
    } else if (unknown_ >= 0 && after_unknown && options_.fuse_unknown) {
      symbols.back().end = uint32_t(at);
    } else if (unknown_ >= 0) {
      symbols.push_back({unknown_, uint32_t(at)});
    }
    after_unknown = id < 0;
  }
}

void Bpe::merge(std::vector<BpeToken>& symbols) const {
  struct Candidate {
    uint32_t rank, at;
    bool operator>(const Candidate& o) const { return rank != o.rank ? rank > o.rank : at > o.at; }
  };
  size_t n = symbols.size();
  std::vector<uint32_t> next(n), previous(n);
  std::vector<Candidate> storage;
  storage.reserve(n);
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates(
      std::greater<>(), std::move(storage));
  auto consider = [&](size_t at) {
    if (next[at] < n)
      if (auto found = find(symbols[at].id, symbols[next[at]].id))
        candidates.push({found->rank, uint32_t(at)});
  };
  for (size_t i = 0; i < n; ++i) {
    next[i] = uint32_t(i + 1);
    previous[i] = uint32_t(i - 1);
  }
  for (size_t i = 0; i < n; ++i) consider(i);
  while (!candidates.empty()) {
    auto [rank, at] = candidates.top();
    candidates.pop();
    if (symbols[at].id < 0 || next[at] >= n) continue;
    auto found = find(symbols[at].id, symbols[next[at]].id);
    if (!found || found->rank != rank) continue;  // stale: one of the two was merged meanwhile
    uint32_t right = next[at];
    symbols[at] = {found->merged, symbols[right].end};
    symbols[right].id = -1;
    next[at] = next[right];
    if (next[at] < n) previous[next[at]] = at;
    if (previous[at] < n) consider(previous[at]);
    consider(at);
  }
  std::erase_if(symbols, [](const BpeToken& symbol) { return symbol.id < 0; });
}

void Bpe::encode(std::string_view word, std::vector<BpeToken>& out) const {
  if (word.empty()) return;
  bool cached = word.size() <= Cache::longest_word;
  Cache::Shard& shard = cache_->shard_of(word);
  std::string key;
  if (cached) {
    key = word;
    std::lock_guard lock(shard.mutex);
    if (auto found = shard.words.find(key); found != shard.words.end()) {
      out.insert(out.end(), found->second.begin(), found->second.end());
      return;
    }
  }
  std::vector<BpeToken> symbols;
  if (auto whole =
          options_.ignore_merges ? whole_words_.find(std::string(word)) : whole_words_.end();
      whole != whole_words_.end()) {
    symbols.push_back({whole->second, uint32_t(word.size())});
  } else {
    split(word, symbols);
    merge(symbols);
  }
  out.insert(out.end(), symbols.begin(), symbols.end());
  if (!cached) return;
  std::lock_guard lock(shard.mutex);
  if (shard.words.size() < Cache::words_per_shard)
    shard.words.emplace(std::move(key), std::move(symbols));
}

}  // namespace afina
