// Finds added tokens in text: leftmost match first, longest first among those.
#include "data/tokenizer/added_tokens.h"

#include <algorithm>

#include "data/tokenizer/characters.h"
#include "data/tokenizer/utf8.h"

namespace afina {

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const Normalizer& normalizer)
    : tokens_(std::move(tokens)) {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& token = tokens_[i];
    if (token.normalized) {
      normalized_.add(normalizer.apply(token.content), int32_t(i));
    } else {
      plain_.add(token.content, int32_t(i));
    }
  }
}

void AddedTokens::Trie::add(std::string_view content, int32_t token) {
  if (content.empty()) return;
  begins[uint8_t(content[0])] = true;
  uint32_t at = 0;
  for (char c : content) {
    auto& children = nodes[at].children;
    auto found = std::find_if(children.begin(), children.end(),
                              [&](auto& child) { return child.first == uint8_t(c); });
    if (found != children.end()) {
      at = found->second;
    } else {
      children.emplace_back(uint8_t(c), uint32_t(nodes.size()));
      at = uint32_t(nodes.size());
      nodes.emplace_back();
    }
  }
  if (nodes[at].token < 0) nodes[at].token = token;
}

int32_t AddedTokens::Trie::longest(std::string_view text, size_t& bytes) const {
  int32_t token = -1;
  uint32_t at = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto& children = nodes[at].children;
    auto found = std::find_if(children.begin(), children.end(),
                              [&](auto& child) { return child.first == uint8_t(text[i]); });
    if (found == children.end()) break;
    at = found->second;
    if (nodes[at].token >= 0) {
      token = nodes[at].token;
      bytes = i + 1;
    }
  }
  return token;
}

namespace {

size_t character_before(std::string_view text, size_t end) {
  do --end;
  while (end > 0 && (uint8_t(text[end]) & 0xC0) == 0x80);
  return end;
}

size_t without_space_at_end(std::string_view text, size_t end) {
  while (end > 0) {
    size_t before = character_before(text, end);
    if (!is_white_space(character_at(text, before).code)) break;
    end = before;
  }
  return end;
}

size_t after_space(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    Character c = character_at(text, begin);
    if (!is_white_space(c.code)) break;
    begin += c.bytes;
  }
  return begin;
}

}  // namespace

void AddedTokens::cut(const TracedText& traced, bool normalized, bool special,
                      std::vector<TextPart>& out) const {
  const Trie& trie = normalized ? normalized_ : plain_;
  std::string_view text = traced.bytes;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    size_t bytes = 0;
    int32_t index = trie.begins[uint8_t(text[at])] ? trie.longest(text.substr(at), bytes) : -1;
    if (index < 0) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + bytes;
    at = end;  // continue after this match whether it is accepted or not
    const AddedToken& token = tokens_[index];
    if (token.special && !special) continue;
    if (token.single_word &&
        ((begin > 0 && is_word_character(character_at(text, character_before(text, begin)).code)) ||
         (end < text.size() && is_word_character(character_at(text, end).code))))
      continue;
    if (token.lstrip) begin = std::max(without_space_at_end(text, begin), done);
    if (token.rstrip) end = after_space(text, end);
    // All of it was taken by the token before: the library drops such an empty piece.
    if (token.lstrip && begin == end) continue;
    // Spaces already taken by the previous token cannot be taken again.
    begin = std::max(begin, done);
    end = std::max(end, done);
    if (begin > done) out.push_back({traced.part(done, begin), -1});
    out.push_back({traced.part(begin, end), token.id});
    done = end;
  }
  if (done < text.size()) out.push_back({traced.part(done, text.size()), -1});
}

}  // namespace afina
