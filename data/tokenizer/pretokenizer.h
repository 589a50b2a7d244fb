// The pre-tokenizers of tokenizer.json: they split text into the words that byte-pair encoding
// works on.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/tokenizer/traced_text.h"
#include "engine/files/json.h"

namespace afina {

// A sequence of splitting steps.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  // json: the "pre_tokenizer" entry of a tokenizer.json; null: the text is one word. Throws for
  // unsupported kinds; `where` begins the message.
  PreTokenizer(const Json& json, const std::string& where);
  // Whether words are returned as raw bytes, for a byte-level vocabulary.
  bool byte_level() const { return byte_level_; }
  // The words of a text, in order; new bytes are owned by `store`.
  std::vector<TracedText> words(const TracedText& text, TextStore& store) const;

 private:
  using Words = std::vector<TracedText>;
  using Step = std::function<void(const TracedText& text, Words& out, TextStore& store)>;
  void add(const Json& json, const std::string& where);
  void add_split(const Json& json, const std::string& where);
  void add_byte_level(const Json& json, const std::string& where);
  void add_metaspace(const Json& json, const std::string& where);
  std::vector<Step> steps_;
  bool byte_level_ = false;
};

// The character that stands for a byte in a byte-level vocabulary, and the inverse (-1 if the
// character stands for none).
uint32_t character_of_byte(uint8_t byte);
int byte_of_character(uint32_t code);

}  // namespace afina
