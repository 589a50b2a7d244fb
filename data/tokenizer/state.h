// The data of a tokenizer, shared by the files that read, use and write it.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/decoder.h"
#include "data/tokenizer/normalizer.h"
#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/token_table.h"
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/word_model.h"

namespace afina {

struct Tokenizer::State {
  std::string name;    // for error messages
  std::string json;    // tokenizer.json as read
  std::string config;  // tokenizer_config.json as read, or empty
  std::vector<NamedTemplate> chat_templates;
  bool templates_in_files = false;  // not in tokenizer_config.json
  std::vector<std::pair<std::string, std::string>> named_tokens;

  // Indexed by id: the token as the vocabulary writes it, and as it appears in text.
  std::vector<std::string> text, bytes;
  std::vector<uint8_t> known, special;  // indexed by id
  TokenTable ids;                       // may refer to `json`
  bool byte_level = false;
  int64_t in_model = 0;  // tokens of the vocabulary itself, without the added ones
  std::vector<AddedToken> added_list;
  AddedTokens added;  // made of added_list when all files are read
  Normalizer normalizer;
  Json pre_tokenizer_json;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<Bpe> bpe;
  std::unique_ptr<WordModel> model;  // where it is not byte-pair encoding
  Decoder decoder;
  // Added tokens that any file ever had looked for after normalisation, and the texts of those that
  // decoding then writes otherwise than their files (for_decoding).
  std::unordered_set<int32_t> ever_normalized;
  std::unordered_map<int32_t, std::string> spoken;
  // Contents that any file ever called special: by them decoding knows what to leave out.
  std::unordered_set<std::string> special_texts;

  int32_t bos = -1, eos = -1, pad = -1;
  std::vector<int32_t> before, after;  // what the post-processor puts around a text
  bool splits_special = false;         // special tokens in a text stay text (split_special_tokens)
  std::vector<std::string> notes;
};

// An entry of added_tokens or added_tokens_decoder, without its id.
AddedToken added_token(const Json& json, const std::string& where);
// Gives tokens ids as the library does when it reads them: a token of the vocabulary keeps its id,
// any other gets the next free one, whatever its file says (a note then says so). Known tokens get
// the flags given here. To be called once for each file that declares tokens.
void add_tokens(Tokenizer::State& state, std::vector<AddedToken> tokens, const std::string& where);
// added_tokens_decoder and extra tokens of a tokenizer_config.json, or an added_tokens.json.
void add_tokens_of_config(Tokenizer::State& state, const Json& config, const std::string& name);
void add_tokens_of_list(Tokenizer::State& state, const Json& list, const std::string& name);

// The type of a model of tokenizer.json, which old files leave out.
std::string model_type(const Json& model, const std::string& where);
// Reads a model with its vocabulary; false, and nothing is read, if it is byte-pair encoding or of
// no known type. Throws on what is not supported.
bool read_word_model(Tokenizer::State& state, const Json& model, const std::string& where);
// Reads the tokens that a post-processor adds before and after every text.
void read_post_processor(Tokenizer::State& state, const Json& json, const std::string& where);
// Parses the text of a tokenizer.json. Throws on what is not supported.
std::shared_ptr<Tokenizer::State> read_tokenizer_json(std::string text, const std::string& name);
// Adds roles of tokens, added tokens and the chat template from the text of a
// tokenizer_config.json or special_tokens_map.json.
void read_tokenizer_config(Tokenizer::State& state, const Json& config, const std::string& name);
// The tokenizer.json and tokenizer_config.json equivalent to GGUF metadata.
struct TokenizerFiles {
  std::string json, config;
};
// Throws if a key is missing or has an unsupported value; `name` is the file in messages.
TokenizerFiles tokenizer_files_of_gguf(const Json& metadata, const std::string& name);

}  // namespace afina
