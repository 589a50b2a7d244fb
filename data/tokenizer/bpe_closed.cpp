// Byte-level vocabularies: characters of several bytes that are one token before anything else can
// happen to their bytes. They need not be merged again and again.
//
// Let the merges be in an order in which every token is made before it is used (as training makes
// them). Then a word is encoded by going through the ranks once, and a merge that joins a character
// to something comes after all that make the character, if no merge joins a part of a character
// across the character's borders. So the word's tokens are the same where the character is one
// symbol from the beginning.
#include "data/tokenizer/bpe_work.h"
#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

bool continues(uint8_t byte) { return (byte & 0xC0) == 0x80; }
size_t announced(uint8_t lead) { return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

// The ends of a token, in bytes, and whether it has only a part of the character there.
struct Ends {
  uint8_t first = 0, last = 0;
  bool first_in_part = false, last_in_part = false;
};

Ends ends_of(std::string_view text, std::string& bytes) {
  bytes.clear();
  for (size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    const int byte = c.valid ? byte_of_character(c.code) : -1;
    if (byte < 0) return {};  // in no merge
    bytes += char(byte);
    at += c.bytes;
  }
  if (bytes.empty()) return {};
  Ends ends;
  ends.first = uint8_t(bytes[0]);
  ends.last = uint8_t(bytes.back());
  ends.first_in_part = bytes.size() < announced(ends.first);
  size_t lead = bytes.size() - 1;
  while (lead > 0 && continues(uint8_t(bytes[lead]))) --lead;
  ends.last_in_part = continues(uint8_t(bytes[lead]));
  return ends;
}

}  // namespace

void Bpe::find_closed(const std::vector<Merge>& merges) {
  if (options_.symbols != Symbols::bytes || !all_bytes_) return;
  int32_t highest = 0;
  for (auto& [token, id] : vocabulary_) highest = std::max(highest, id);
  std::vector<int64_t> made(size_t(highest) + 1, -1);
  for (size_t rank = 0; rank < merges.size(); ++rank)
    made[size_t(merges[rank].merged)] = int64_t(rank);
  for (size_t rank = 0; rank < merges.size(); ++rank)
    if (made[size_t(merges[rank].left)] >= int64_t(rank) ||
        made[size_t(merges[rank].right)] >= int64_t(rank))
      return;
  std::vector<Ends> ends(made.size());
  std::vector<std::pair<uint32_t, std::string>> characters;
  std::string bytes;
  for (auto& [token, id] : vocabulary_) {
    // ASCII stands for itself; then only the ends' bytes matter.
    if (token.empty()) continue;
    if (uint8_t(token[0]) < 128 && uint8_t(token.back()) < 128) {
      ends[size_t(id)] = {uint8_t(token[0]), uint8_t(token.back()), false, false};
      continue;
    }
    ends[size_t(id)] = ends_of(token, bytes);
    if (bytes.size() < 2 || bytes.size() > 4) continue;
    const Character c = character_at(bytes, 0);
    if (c.valid && c.bytes == bytes.size()) characters.emplace_back(c.code, bytes);
  }
  parts_join_.assign(256 * 256 / 64, 0);
  for (const Merge& merge : merges) {
    const Ends left = ends[size_t(merge.left)], right = ends[size_t(merge.right)];
    if (continues(right.first) || !(left.last_in_part || right.first_in_part)) continue;
    const size_t bit = left.last * 256u + right.first;
    parts_join_[bit / 64] |= uint64_t(1) << bit % 64;
  }
  for (auto& [code, text] : characters) {
    BpeToken symbols[4];
    for (size_t i = 0; i < text.size(); ++i)
      symbols[i] = {bytes_[uint8_t(text[i])], uint32_t(i + 1)};
    if (merge_few(symbols, text.size()) == 1) set_character(code, symbols[0].id);
  }
}

// Appends the symbols of a word: closed characters where nothing joins parts at their borders, and
// bytes.
void Bpe::split_closed(std::string_view word, std::vector<BpeToken>& symbols) const {
  auto parts_join = [&](size_t at) {  // across the border before byte `at`
    if (at == 0 || at == word.size()) return false;
    const size_t bit = uint8_t(word[at - 1]) * 256u + uint8_t(word[at]);
    return bool(parts_join_[bit / 64] >> bit % 64 & 1);
  };
  for (size_t at = 0; at < word.size();) {
    const uint8_t byte = uint8_t(word[at]);
    if (byte >= 0xC2) {
      const Character c = character_at(word, at);
      const int32_t id = c.valid ? character_id(c.code) : -1;
      if (id >= 0 && !parts_join(at) && !parts_join(at + c.bytes)) {
        at += c.bytes;
        symbols.push_back({id, uint32_t(at)});
        continue;
      }
    }
    symbols.push_back({bytes_[byte], uint32_t(++at)});
  }
}

}  // namespace afina
