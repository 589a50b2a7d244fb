// What a tokenizer consists of; shared by the files that read, use and write it.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/tokenizer.h"

namespace afina {

struct Tokenizer::State {
  std::string name;    // for error messages
  std::string json;    // tokenizer.json as read
  std::string config;  // tokenizer_config.json as read, or empty
  std::string chat_template;

  std::vector<std::string> text,
      bytes;  // of each id, as the vocabulary has it and as it stands in text
  std::vector<uint8_t> known, special;  // of each id
  std::vector<int16_t> fallback;  // of each id: the byte of <0xE2>, else -1 (byte fallback only)
  std::unordered_map<std::string, int32_t> ids;
  AddedTokens added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<Bpe> bpe;
  bool strips_first_space = false;  // decoding takes away the space that encoding put first

  int32_t bos = -1, eos = -1, pad = -1;
  bool adds_bos = false, adds_eos = false;
};

// From the text of a tokenizer.json.
std::shared_ptr<Tokenizer::State> read_tokenizer_json(std::string text, const std::string& name);
// Roles of tokens and the chat template, from the text of tokenizer_config.json.
void read_tokenizer_config(Tokenizer::State& state, const std::string& text,
                           const std::string& name);
// The tokenizer.json and tokenizer_config.json that say what GGUF metadata says.
struct TokenizerFiles {
  std::string json, config;
};
TokenizerFiles tokenizer_files_of_gguf(const Json& metadata, const std::string& name);

}  // namespace afina
