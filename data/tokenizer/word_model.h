// What turns a word into tokens, where it is not byte-pair encoding (bpe.h).
#pragma once
#include <string_view>
#include <vector>

#include "data/tokenizer/bpe.h"

namespace afina {

// A model of tokenizer.json. Encoding is thread-safe.
class WordModel {
 public:
  virtual ~WordModel() = default;
  // Appends the tokens of a word (valid UTF-8). Throws where a part of it has no token and the
  // model names none for what is unknown.
  virtual void encode(std::string_view word, std::vector<BpeToken>& out) const = 0;
};

}  // namespace afina
