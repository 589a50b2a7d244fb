// The decoders of tokenizer.json: they turn the tokens of a text back into it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/files/json.h"

namespace afina {

// A chain of steps from tokens, as the vocabulary writes them, to pieces of text.
class Decoder {
 public:
  // Without a decoder the tokens are put together with spaces between them, as in the library.
  Decoder() = default;
  // json: the "decoder" entry of a tokenizer.json. Throws for unsupported kinds; `where` begins
  // the message.
  Decoder(const Json& json, const std::string& where);
  std::string decode(std::vector<std::string> tokens) const;
  // Whether tokens such as <0xE2> become bytes.
  bool has_bytes() const { return has_bytes_; }
  // Whether it is ByteLevel alone: then the bytes of the tokens, one after the other, are the text.
  bool is_byte_level() const { return is_byte_level_; }

 private:
  using Tokens = std::vector<std::string>;
  using Step = std::function<void(Tokens&)>;
  void add(const Json& json, const std::string& where);
  void add_replace(const Json& json, const std::string& where);
  void add_strip(const Json& json, const std::string& where);
  void add_metaspace(const Json& json, const std::string& where);
  void add_word_piece(const Json& json, const std::string& where);
  std::vector<Step> steps_;
  bool has_bytes_ = false, is_byte_level_ = false;
};

// The bytes of a token of a byte-level vocabulary; one with a character that stands for no byte is
// text as it is.
std::string bytes_of_token(const std::string& token);
// The byte that a token such as <0xE2> stands for; -1 if it stands for none.
int byte_of_token(std::string_view token);

}  // namespace afina
