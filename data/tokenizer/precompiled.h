// The normalisation of SentencePiece (precompiled_charsmap): a double-array trie from characters to
// what stands for them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/traced_text.h"

namespace afina {

// The normalizer Precompiled of tokenizer.json, as the tokenizers library applies it: a grapheme
// cluster of less than 6 bytes becomes what its shortest known beginning becomes; other clusters go
// character by character.
class Precompiled {
 public:
  // base64: the charsmap in base64. In it: a number of bytes, so many bytes of the trie (units of
  // darts-clone), then texts that end with a zero byte. Throws if it is none; `where` begins the
  // message.
  Precompiled(std::string_view base64, const std::string& where);
  TracedText apply(const TracedText& text, TextStore& store) const;

 private:
  std::optional<std::string_view> replacement_of(std::string_view piece) const;
  std::string where_;
  std::vector<uint32_t> units_;
  std::string texts_;
};

}  // namespace afina
