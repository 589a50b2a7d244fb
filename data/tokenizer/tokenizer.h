// Converts text to tokens and back as Hugging Face `tokenizers` does, from tokenizer.json or GGUF
// metadata.
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

// Token ids, and for each token the bytes of the input it stands for. Ranges ascend and cover all
// bytes, so target masks follow from them. A token that stands for no input byte (an added leading
// space) has an empty range.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<Range> ranges;
};

// An entry of added_tokens: matched in the text before any other processing.
struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = false, lstrip = false, rstrip = false, single_word = false, normalized = false;
};

// A chat template as the files have it: "default" or another name, and its Jinja text.
struct NamedTemplate {
  std::string name, text;
  bool operator==(const NamedTemplate&) const = default;
};

// A tokenizer. Copies share their data; encoding and decoding are thread-safe.
class Tokenizer {
 public:
  // Opens a tokenizer.json, or a folder that holds one. Roles of tokens (bos, eos, pad) and the
  // chat template come from tokenizer_config.json, special_tokens_map.json and chat_template.jinja
  // beside it, added tokens from added_tokens.json and the config's added_tokens_decoder as well.
  // Throws if it cannot be read or is not supported.
  static Tokenizer from_file(const std::string& path);
  // From the text of a tokenizer.json, and of a tokenizer_config.json if not empty. `name` appears
  // in errors.
  static Tokenizer from_json(std::string text, const std::string& name, std::string config = "");
  // From the tokenizer.* keys of a GGUF file (models gpt2 and llama).
  static Tokenizer from_gguf(const Json& metadata, const std::string& name = "GGUF metadata");

  // Does not add what the post-processor would add (see before_text). Invalid UTF-8 becomes U+FFFD,
  // as with Python's errors="replace". special_tokens_in_text: whether "<|im_end|>" written in the
  // text becomes that token (the default, as in other libraries) or stays plain text.
  std::vector<int32_t> encode(std::string_view text, bool special_tokens_in_text = true) const;
  Encoding encode_with_offsets(std::string_view text, bool special_tokens_in_text = true) const;
  // Always returns valid UTF-8; invalid bytes become U+FFFD. Throws for ids outside the vocabulary.
  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;

  int32_t id_of(std::string_view token) const;       // -1 if there is no such token
  const std::string& token_text(int32_t id) const;   // as the vocabulary writes it ("Ġthe")
  const std::string& token_bytes(int32_t id) const;  // as it appears in text (" the")
  bool is_special(int32_t id) const;
  const std::vector<AddedToken>& added_tokens() const;
  int64_t size() const;        // highest id + 1
  bool has(int32_t id) const;  // false beyond the vocabulary and in its gaps

  // Ids of special tokens; -1 if unknown.
  int32_t bos() const;
  int32_t eos() const;
  int32_t pad() const;
  // The tokens that the post-processor puts before and after every text. tokenizer.json alone
  // says so, as in transformers 5; bos() need not be among them.
  const std::vector<int32_t>& before_text() const;
  const std::vector<int32_t>& after_text() const;
  // What is worth knowing of how the files were read: where they contradict each other, and which
  // counts. A sentence each.
  const std::vector<std::string>& notes() const;
  // Names the end-of-text token where the files do not. Throws if the vocabulary lacks it.
  void set_eos(std::string_view token);
  // The chat templates of the files, by name ("default" among them as a rule).
  const std::vector<NamedTemplate>& chat_templates() const;
  // The Jinja text of the one called "default"; empty if there is none.
  const std::string& chat_template() const;
  // The roles of tokens that the files name, as transformers gives them to a chat template:
  // {"bos_token", "<s>"}, {"eos_token", ...}, ... A role that is guessed is not among them.
  const std::vector<std::pair<std::string, std::string>>& named_tokens() const;

  // Writes tokenizer.json (byte for byte as read, if it came from one), tokenizer_config.json (as
  // read, with the roles of tokens that other files named or that are in force all the same) and
  // the chat templates that the config does not hold into a folder. `chosen`, where not empty, is
  // written as the default template (chat_template.jinja, which counts before the config's).
  void save(const std::string& folder, const std::string& chosen = "") const;
  // The text of tokenizer.json, for the digest in a manifest.
  const std::string& json_text() const;

  struct State;  // data/tokenizer/state.h

 private:
  friend class TextStream;
  explicit Tokenizer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared by copies; only the cache and set_eos modify it
};

// Decodes tokens as they are generated, holding back bytes until they form complete characters.
class TextStream {
 public:
  explicit TextStream(const Tokenizer& tokenizer, bool skip_special = true);
  // Adds a token; returns the text that is now certain, possibly empty.
  std::string push(int32_t id);
  // Returns what was held back, with U+FFFD for incomplete characters.
  std::string finish();

 private:
  std::string push_token(int32_t id);
  Tokenizer tokenizer_;
  bool skip_special_;
  std::string held_;          // bytes of an incomplete character; or the text of ids_ given out
  std::vector<int32_t> ids_;  // the last tokens, where a decoder looks at several
};

}  // namespace afina
