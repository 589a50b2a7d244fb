// The pre-tokenizers of tokenizer.json: they split text into the words that a model works on.
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
  bool add_by_character(const std::string& type, const Json& json, const std::string& where);
  void add_fixed_length(const Json& json, const std::string& where);
  void add_split(const Json& json, const std::string& where);
  void add_byte_level(const Json& json, const std::string& where);
  void add_metaspace(const Json& json, const std::string& where);
  std::vector<Step> steps_;
  bool byte_level_ = false;
};

// The options of Metaspace, the pre-tokenizer and the decoder: what stands for a space, where one
// is put before the text, and whether it is split there.
enum class PrependScheme { always, first, never };
struct MetaspaceOptions {
  std::string mark;
  PrependScheme scheme = PrependScheme::always;
  bool split = true;
};
// Throws for other values; `where` begins the message.
MetaspaceOptions metaspace_options(const Json& json, const std::string& where);

// The character that stands for a byte in a byte-level vocabulary, and the inverse (-1 if the
// character stands for none).
uint32_t character_of_byte(uint8_t byte);
int byte_of_character(uint32_t code);

}  // namespace afina
