// Text to tokens and back: byte-pair encoding as Hugging Face `tokenizers` does it, from
// tokenizer.json or from GGUF metadata.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/json_value.h"

namespace afina {

// A half-open range of bytes.
struct Range {
  int64_t begin = 0, end = 0;
  bool operator==(const Range&) const = default;
};

// Token ids with the bytes of the input each stands for. The ranges ascend and leave nothing out,
// so a target mask follows from them. A token that stands for no byte of its own (an added leading
// space) has an empty range.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<Range> ranges;
};

// An entry of added_tokens: found in the text before anything else is done to it.
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = false, lstrip = false, rstrip = false, single_word = false, normalized = false;
};

class Tokenizer {
 public:
  // A tokenizer.json, or a folder with one. tokenizer_config.json, special_tokens_map.json and
  // chat_template.jinja beside it give the roles of tokens (bos, eos, pad) and the chat template.
  static Tokenizer from_file(const std::string& path);
  // The text of a tokenizer.json; `name` is for error messages. `config` is the text of a
  // tokenizer_config.json, or empty.
  static Tokenizer from_json(std::string text, const std::string& name, std::string config = "");
  // The tokenizer.* keys of a GGUF file (model gpt2 or llama).
  static Tokenizer from_gguf(const Json& metadata,
                             const std::string& name = "GGUF metadata");

  // Without what the post-processor would add (see adds_bos). Invalid UTF-8 counts as U+FFFD, as
  // Python's errors="replace" has it. special_tokens_in_text: whether "<|im_end|>" written in the
  // text becomes that token (as by default elsewhere) or plain text.
  std::vector<int32_t> encode(std::string_view text, bool special_tokens_in_text = true) const;
  Encoding encode_with_offsets(std::string_view text, bool special_tokens_in_text = true) const;
  // Always valid UTF-8: what is not becomes U+FFFD. Ids outside the vocabulary are an error.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;

  int32_t id_of(std::string_view token) const;       // -1 when there is none
  const std::string& token_text(int32_t id) const;   // as the vocabulary writes it ("Ġthe")
  const std::string& token_bytes(int32_t id) const;  // as it stands in text (" the")
  bool is_special(int32_t id) const;
  const std::vector<AddedToken>& added_tokens() const;
  int64_t size() const;  // highest id + 1

  // -1 when unknown.
  int32_t bos() const;
  int32_t eos() const;
  int32_t pad() const;
  bool adds_bos() const;  // by post_processor or add_bos_token
  bool adds_eos() const;
  // Names the token that ends a text where the files do not say; an unknown token is an error.
  void set_eos(std::string_view token);
  // The Jinja text of the chat template; empty when there is none.
  const std::string& chat_template() const;

  // Writes tokenizer.json (the very bytes read, where it was read from one) and
  // tokenizer_config.json into a folder.
  void save(const std::string& folder) const;
  // What tokenizer.json holds: to hash for a manifest.
  const std::string& json_text() const;

  struct State;  // data/tokenizer/state.h

 private:
  friend class TextStream;
  explicit Tokenizer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared by copies; only the cache and set_eos change it
};

// Decodes tokens as they are generated, holding back bytes until they make whole characters.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer, bool skip_special = true);
  // The text that is certain after this token; may be empty.
  std::string push(int32_t id);
  // What was held back, with U+FFFD for what never became a character.
  std::string finish();

 private:
  Tokenizer tokenizer_;
  bool skip_special_, first_ = true, held_is_run_ = false;
  std::string held_;
};

}  // namespace afina
