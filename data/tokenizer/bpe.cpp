// Byte-pair encoding of one word: applies a vocabulary's merges, lowest rank first, leftmost first.
#include "data/tokenizer/bpe.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <queue>

#include "data/tokenizer/bpe_work.h"
#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

uint64_t pair_of(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

// As a byte-level vocabulary writes a byte.
struct ByteText {
  char text[2];
  uint8_t size;
};
const std::array<ByteText, 256>& byte_texts() {
  static const std::array<ByteText, 256> all = [] {
    std::array<ByteText, 256> made{};
    for (int b = 0; b < 256; ++b) {
      std::string text;
      append_utf8(text, character_of_byte(uint8_t(b)));
      made[size_t(b)] = {{text[0], text.back()}, uint8_t(text.size())};
    }
    return made;
  }();
  return all;
}

}  // namespace

Bpe::~Bpe() = default;

Bpe::Bpe(const TokenTable& vocabulary, const std::vector<Merge>& merges, const Options& options,
         const std::string& where)
    : vocabulary_(vocabulary), known_(vocabulary.size()), options_(options) {
  for (int b = 0; b < 256; ++b) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", b);
    const ByteText& text = byte_texts()[size_t(b)];
    bytes_[size_t(b)] = options.symbols == Symbols::bytes ? vocabulary.id_of({text.text, text.size})
                        : options.byte_fallback           ? vocabulary.id_of(name)
                                                          : -1;
  }
  all_bytes_ = std::all_of(bytes_.begin(), bytes_.end(), [](int32_t id) { return id >= 0; });
  if (!options.unknown.empty()) {
    unknown_ = vocabulary.id_of(options.unknown);
    require(unknown_ >= 0, where, ": unk_token \"", options.unknown, "\" is not in the vocabulary");
  }
  pages_.assign(0x1100, -1);
  for (auto& [token, id] : vocabulary) {
    longest_token_ = std::max(longest_token_, token.size());
    if (options.symbols != Symbols::characters || token.empty() || token.size() > 4) continue;
    const Character c = character_at(token, 0);
    if (!c.valid || c.bytes != token.size()) continue;
    set_character(c.code, id);
  }
  fill_rules(merges);
  find_cuts(merges);
  find_closed(merges);
}

void Bpe::set_character(uint32_t code, int32_t id) {
  int32_t& page = pages_[code >> 8];
  if (page < 0) {
    page = int32_t(characters_.size());
    characters_.resize(characters_.size() + 256, -1);
  }
  characters_[size_t(page) + (code & 255)] = id;
}

uint64_t Bpe::hash_of_pair(int32_t left, int32_t right) const {
  const uint64_t mixed = pair_of(left, right) * 0x9E3779B97F4A7C15ull;
  return mixed >> 20 ^ mixed >> 44;
}

void Bpe::fill_rules(const std::vector<Merge>& merges) {
  rules_.resize(std::bit_ceil(merges.size() * 2 + 2));
  rules_few_ = merges.size() < INT32_MAX >> 6;
  filter_.resize(std::max<size_t>(1, std::bit_ceil(merges.size() * 4) / 64));
  filter_mask_ = filter_.size() - 1;
  constexpr size_t ahead = 16;  // so far ahead places are fetched: nearly every one is a miss
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    if (rank + ahead < merges.size()) {
      const Merge& later = merges[rank + ahead];
      __builtin_prefetch(&rules_[hash_of_pair(later.left, later.right) & (rules_.size() - 1)], 1);
    }
    const uint64_t pair = pair_of(merges[rank].left, merges[rank].right),
                   hash = hash_of_pair(merges[rank].left, merges[rank].right);
    filter_[hash / 64 & filter_mask_] |= uint64_t(1) << hash % 64;
    size_t slot = hash & (rules_.size() - 1);
    while (rules_[slot].merged >= 0 && rules_[slot].pair != pair)
      slot = (slot + 1) & (rules_.size() - 1);
    rules_[slot] = {pair, uint32_t(rank), merges[rank].merged};
  }
}

const Bpe::Rule* Bpe::find(int32_t left, int32_t right, uint64_t hash) const {
  const uint64_t pair = pair_of(left, right);
  for (size_t slot = hash & (rules_.size() - 1); rules_[slot].merged >= 0;
       slot = (slot + 1) & (rules_.size() - 1))
    if (rules_[slot].pair == pair) return &rules_[slot];
  return nullptr;
}
const Bpe::Rule* Bpe::find(int32_t left, int32_t right) const {
  return find(left, right, hash_of_pair(left, right));
}

// The id of the token that is the whole word, where that counts; else -1.
int32_t Bpe::whole(std::string_view word, std::string& store) const {
  if (!options_.ignore_merges || word.size() > longest_token_) return -1;
  if (options_.symbols == Symbols::bytes) {
    store.clear();
    for (char c : word) {
      const ByteText& text = byte_texts()[uint8_t(c)];
      store.append(text.text, text.size);
    }
    word = store;
  }
  auto found = vocabulary_.find(word);
  return found != vocabulary_.end() && size_t(found - vocabulary_.begin()) < known_ ? found->second
                                                                                    : -1;
}

// Gives `symbols`, which is empty, those of a word; false if one of them is unknown.
bool Bpe::split(std::string_view word, std::vector<BpeToken>& symbols) const {
  if (options_.symbols == Symbols::bytes && all_bytes_) {
    symbols.resize(word.size());
    for (size_t i = 0; i < word.size(); ++i)
      symbols[i] = {bytes_[uint8_t(word[i])], uint32_t(i + 1)};
    return true;
  }
  bool after_unknown = false, all_known = true;
  for (size_t at = 0; at < word.size();) {
    const Character c =
        options_.symbols == Symbols::bytes ? Character{0, 1, true} : valid_character_at(word, at);
    const uint32_t size = c.bytes;
    const std::string_view bytes = word.substr(at, size);
    int32_t id =
        options_.symbols == Symbols::bytes ? bytes_[uint8_t(bytes[0])] : character_id(c.code);
    if (id < 0 && options_.symbols == Symbols::characters && options_.byte_fallback &&
        std::all_of(bytes.begin(), bytes.end(), [&](char c) { return bytes_[uint8_t(c)] >= 0; })) {
      for (uint32_t i = 0; i < size; ++i)
        symbols.push_back({bytes_[uint8_t(bytes[i])], uint32_t(at + i + 1)});
      at += size;
      after_unknown = false;
      continue;
    }
    at += size;
    all_known &= id >= 0;
    if (id >= 0) {
      symbols.push_back({id, uint32_t(at)});
    } else if (unknown_ >= 0 && after_unknown && options_.fuse_unknown) {
      symbols.back().end = uint32_t(at);
    } else if (unknown_ >= 0) {
      symbols.push_back({unknown_, uint32_t(at)});
    }
    after_unknown = id < 0;
  }
  return all_known;
}

// Merges at most Work::window symbols in place; returns how many are left. The least of so few
// ranks is found faster by looking at all of them than by a heap.
size_t Bpe::merge_few(BpeToken* symbols, size_t count) const {
  using Four = int32_t __attribute__((vector_size(16)));
  constexpr int32_t none = INT32_MAX;
  static_assert(Work::window == 64);
  if (count < 2) return count;
  if (count == 2) {
    const uint64_t hash = hash_of_pair(symbols[0].id, symbols[1].id);
    const Rule* rule = may_be(hash) ? find(symbols[0].id, symbols[1].id, hash) : nullptr;
    if (rule) symbols[0] = {rule->merged, symbols[1].end};
    return rule ? 1 : 2;
  }
  // Of each symbol with the next: rank << 6 | place, so that the least is the leftmost of the
  // lowest rank; and what both become.
  alignas(16) int32_t keys[64];
  int32_t merged[64];
  uint8_t next[64], previous[64];
  // In two turns, so that the memory of several pairs is fetched at once.
  uint64_t hashes[64];
  auto fetch = [&](size_t at, size_t behind) {
    hashes[at] = hash_of_pair(symbols[at].id, symbols[behind].id);
    const bool there = may_be(hashes[at]);
    __builtin_prefetch(&rules_[there ? hashes[at] & (rules_.size() - 1) : 0]);
    keys[at] = there ? 0 : none;
  };
  auto look = [&](size_t at, size_t behind) {
    if (keys[at] == none) return;
    const Rule* rule = find(symbols[at].id, symbols[behind].id, hashes[at]);
    keys[at] = rule ? int32_t(rule->rank << 6 | at) : none;
    if (rule) merged[at] = rule->merged;
  };
  const size_t fours = (count + 3) / 4;
  for (size_t i = 0; i + 1 < count; ++i) fetch(i, i + 1);
  for (size_t i = 0; i + 1 < count; ++i) {
    look(i, i + 1);
    next[i] = uint8_t(i + 1);
    previous[i + 1] = uint8_t(i);
  }
  for (size_t i = count - 1; i < 4 * fours; ++i) keys[i] = none;
  next[count - 1] = uint8_t(count);
  while (true) {
    Four least = {none, none, none, none};
    for (size_t i = 0; i < fours; ++i) {
      Four some;
      std::memcpy(&some, keys + 4 * i, sizeof some);
      least = some < least ? some : least;
    }
    const int32_t key = std::min(std::min(least[0], least[1]), std::min(least[2], least[3]));
    if (key == none) break;
    const size_t at = size_t(key & 63), right = next[at], behind = next[right];
    symbols[at] = {merged[at], symbols[right].end};
    keys[right] = keys[at] = none;
    next[at] = uint8_t(behind);
    if (behind < count) {
      previous[behind] = uint8_t(at);
      fetch(at, behind);
    }
    if (at > 0) {
      fetch(previous[at], at);
      look(previous[at], at);
    }
    look(at, behind);
  }
  size_t left = 0;
  for (size_t at = 0; at < count; at = next[at]) symbols[left++] = symbols[at];
  return left;
}

// Merges any number of symbols in place.
void Bpe::merge(std::vector<BpeToken>& symbols) const {
  if (symbols.size() <= Work::window && rules_few_) {
    symbols.resize(merge_few(symbols.data(), symbols.size()));
  } else {
    merge_many(symbols);
  }
}

// The same, with a heap of what can be merged.
void Bpe::merge_many(std::vector<BpeToken>& symbols) const {
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

void Bpe::encode_by_definition(std::string_view word, std::vector<BpeToken>& out) const {
  if (word.empty()) return;
  std::string store;
  if (int32_t id = whole(word, store); id >= 0) {
    out.push_back({id, uint32_t(word.size())});
    return;
  }
  std::vector<BpeToken> symbols;
  split(word, symbols);
  merge_many(symbols);
  out.insert(out.end(), symbols.begin(), symbols.end());
}

// A word that is not in the cache and is not cut.
void Bpe::encode_uncached(std::string_view word, Work& work, std::vector<BpeToken>& out) const {
  std::vector<BpeToken>& symbols = work.symbols;
  symbols.clear();
  bool all_known = true;
  if (parts_join_.empty()) all_known = split(word, symbols);
  else split_closed(word, symbols);
  if (symbols.size() > Work::window && all_known && merge_in_windows(symbols, work, out)) return;
  merge(symbols);
  out.insert(out.end(), symbols.begin(), symbols.end());
}

void Bpe::encode_piece(std::string_view word, Work& work, std::vector<BpeToken>& out) const {
  if (word.size() > WordKey::longest_word) return encode_uncached(word, work, out);
  const WordKey key(word);
  if (work.few.get(key, word.size(), out)) return;
  if (word.size() > 5 && work.more.get(key, word.size(), out)) return;
  const size_t before = out.size();
  if (int32_t id = whole(word, work.text); id >= 0) out.push_back({id, uint32_t(word.size())});
  else encode_uncached(word, work, out);
  const size_t count = out.size() - before;
  if (count <= 5) work.few.put(key, word.size(), out.data() + before, count);
  else work.more.put(key, word.size(), out.data() + before, count);
}

Bpe::Words::Words(const Bpe& bpe) : bpe_(bpe) {
  std::lock_guard lock(bpe_.mutex_);
  if (!bpe_.idle_.empty()) {
    work_ = std::move(bpe_.idle_.back());
    bpe_.idle_.pop_back();
  }
}
Bpe::Words::~Words() {
  if (!work_) return;
  std::lock_guard lock(bpe_.mutex_);
  bpe_.idle_.push_back(std::move(work_));
}

void Bpe::Words::encode(std::string_view word, std::vector<BpeToken>& out) {
  if (word.empty()) return;
  if (!work_) {
    const size_t pairs = std::clamp<size_t>(std::bit_ceil(bpe_.known_ / 4 + 1), 256, 16384);
    work_ = std::make_unique<Work>(pairs);
  }
  if (word.size() <= WordKey::longest_word) return bpe_.encode_piece(word, *work_, out);
  if (int32_t id = bpe_.whole(word, work_->text); id >= 0)
    out.push_back({id, uint32_t(word.size())});
  else if (!bpe_.joins_.empty()) bpe_.encode_cut(word, *work_, out);
  else bpe_.encode_uncached(word, *work_, out);
}

void Bpe::encode(std::string_view word, std::vector<BpeToken>& out) const {
  Words(*this).encode(word, out);
}

}  // namespace afina
