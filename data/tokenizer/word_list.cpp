// Models that are lists of words: WordLevel and WordPiece.
#include "data/tokenizer/word_list.h"

#include <algorithm>

#include "engine/error.h"

namespace afina {

WordLevel::WordLevel(const std::unordered_map<std::string, int32_t>& vocabulary,
                     const std::string& unknown, const std::string& where)
    : where_(where), unknown_(unknown), ids_(vocabulary) {}

int32_t WordLevel::find(std::string_view text) const {
  auto found = ids_.find(std::string(text));
  return found == ids_.end() ? -1 : found->second;
}

void WordLevel::put_unknown(std::string_view word, std::vector<BpeToken>& out) const {
  const int32_t id = find(unknown_);
  require(id >= 0, where_, ": \"", std::string(word.substr(0, 100)),
          "\" is not in the vocabulary, nor is the unk_token \"", unknown_, "\"");
  out.push_back({id, uint32_t(word.size())});
}

void WordLevel::encode(std::string_view word, std::vector<BpeToken>& out) const {
  if (word.empty()) return;
  if (const int32_t id = find(word); id >= 0) {
    out.push_back({id, uint32_t(word.size())});
  } else {
    put_unknown(word, out);
  }
}

WordPiece::WordPiece(const std::unordered_map<std::string, int32_t>& vocabulary,
                     const std::string& unknown, std::string prefix, uint64_t most_characters,
                     const std::string& where)
    : WordLevel(vocabulary, unknown, where),
      prefix_(std::move(prefix)),
      most_characters_(most_characters) {
  for (auto& one : vocabulary) longest_ = std::max(longest_, one.first.size());
}

void WordPiece::encode(std::string_view word, std::vector<BpeToken>& out) const {
  if (word.empty()) return;
  auto begins_character = [&](size_t at) {
    return at >= word.size() || (uint8_t(word[at]) & 0xC0) != 0x80;
  };
  uint64_t characters = 0;
  for (size_t i = 0; i < word.size(); ++i) characters += begins_character(i);
  if (characters > most_characters_) return put_unknown(word, out);
  const size_t before = out.size();
  for (size_t begin = 0; begin < word.size();) {
    size_t end = begin + std::min(longest_, word.size() - begin);
    int32_t id = -1;
    for (; end > begin; --end) {
      if (!begins_character(end)) continue;
      const std::string_view part = word.substr(begin, end - begin);
      id = begin == 0 ? find(part) : find(prefix_ + std::string(part));
      if (id >= 0) break;
    }
    if (id < 0) {
      out.resize(before);
      return put_unknown(word, out);
    }
    out.push_back({id, uint32_t(end)});
    begin = end;
  }
}

}  // namespace afina
