// Models that are lists of words: WordLevel (a word is a token or unknown) and WordPiece (Schuster
// and Nakajima, 2012: the longest known beginning, then the longest known continuation, ...).
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>

#include "data/tokenizer/word_model.h"

namespace afina {

// Ids are those of the tokenizers library. A word that has no token becomes `unknown`; where the
// vocabulary lacks that, such a word is an Error.
class WordLevel : public WordModel {
 public:
  WordLevel(const std::unordered_map<std::string, int32_t>& vocabulary, const std::string& unknown,
            const std::string& where);
  void encode(std::string_view word, std::vector<BpeToken>& out) const override;

 protected:
  int32_t find(std::string_view text) const;  // -1: there is none
  void put_unknown(std::string_view word, std::vector<BpeToken>& out) const;

 private:
  std::string where_, unknown_;
  std::unordered_map<std::string, int32_t> ids_;
};

class WordPiece : public WordLevel {
 public:
  // prefix: what continuations are written with ("##"). A word of more characters than
  // most_characters is unknown, as is one of which a part is.
  WordPiece(const std::unordered_map<std::string, int32_t>& vocabulary, const std::string& unknown,
            std::string prefix, uint64_t most_characters, const std::string& where);
  void encode(std::string_view word, std::vector<BpeToken>& out) const override;

 private:
  std::string prefix_;
  uint64_t most_characters_;
  size_t longest_ = 0;  // bytes of a token
};

}  // namespace afina
