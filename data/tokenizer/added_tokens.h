// Finds added tokens in text: leftmost match first, longest first among those.
#pragma once
#include <string_view>
#include <vector>

#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/traced_text.h"

namespace afina {

// A piece of text: an added token (its id), or text between added tokens (id -1).
struct TextPart {
  TracedText text;
  int32_t id = -1;
};

// The added tokens of a tokenizer, and the search for them in text.
class AddedTokens {
 public:
  AddedTokens() = default;
  AddedTokens(std::vector<AddedToken> tokens, const Normalizer& normalizer);
  const std::vector<AddedToken>& all() const { return tokens_; }
  // Appends the pieces of `text` to `out`. With normalized == false matches the tokens that are
  // looked for before normalisation, else those looked for after it. Special tokens stay text
  // unless `special`.
  void cut(const TracedText& text, bool normalized, bool special, std::vector<TextPart>& out) const;

 private:
  // A byte trie; node 0 is the root. There are few tokens, so children are a short list.
  struct Node {
    std::vector<std::pair<uint8_t, uint32_t>> children;
    int32_t token = -1;  // index into tokens_
  };
  struct Trie {
    std::vector<Node> nodes = {Node()};
    bool begins[256] = {};
    void add(std::string_view content, int32_t token);
    // Index of the longest token that `text` begins with, and its length in bytes; -1 if there is
    // none.
    int32_t longest(std::string_view text, size_t& bytes) const;
  };
  std::vector<AddedToken> tokens_;
  Trie plain_, normalized_;
};

}  // namespace afina
