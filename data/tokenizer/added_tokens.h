// Finds added tokens in text: leftmost first, then longest.
#pragma once
#include <string_view>
#include <vector>

#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/traced_text.h"

namespace afina {

// A part of a text: an added token, or what is between them (id -1).
struct TextPart {
  TracedText text;
  int32_t id = -1;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  AddedTokens(std::vector<AddedToken> tokens, const Normalizer& normalizer);
  const std::vector<AddedToken>& all() const { return tokens_; }
  // Cuts at tokens that are matched before (normalized == false) or after normalisation. Special
  // ones stay text unless `special`.
  void cut(const TracedText& text, bool normalized, bool special, std::vector<TextPart>& out) const;

 private:
  // A trie of bytes; node 0 is the root. Few tokens, so that children are a short list.
  struct Node {
    std::vector<std::pair<uint8_t, uint32_t>> children;
    int32_t token = -1;  // index
  };
  struct Trie {
    std::vector<Node> nodes = {Node()};
    bool begins[256] = {};
    void add(std::string_view content, int32_t token);
    // Index of the longest token at the beginning of the text, or -1.
    int32_t longest(std::string_view text, size_t& bytes) const;
  };
  std::vector<AddedToken> tokens_;
  Trie plain_, normalized_;
  Regex word_character_{R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}])", "word characters"};
};

}  // namespace afina
