// Reads tokenizer.json.
#include <algorithm>

#include "data/tokenizer/state.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

using State = Tokenizer::State;
using Vocabulary = std::unordered_map<std::string, int32_t>;

// Decodes a token of a byte-level vocabulary to bytes; false if one of its characters stands for no
// byte.
bool bytes_of_token(const std::string& token, std::string& bytes) {
  bytes.clear();
  for (size_t at = 0; at < token.size();) {
    Character c = character_at(token, at);
    int byte = c.valid ? byte_of_character(c.code) : -1;
    if (byte < 0) return false;
    bytes += char(byte);
    at += c.bytes;
  }
  return true;
}

void check_model(const Json& model, const std::string& where) {
  const std::string type = model_type(model, where);
  require(type == "BPE", where, ": the model \"", type,
          "\" is not supported; known are BPE, Unigram, WordPiece and WordLevel");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    require(get_or<std::string>(model, key, where, "").empty(), where, ": ", key,
            " is not supported");
  require(get_or<double>(model, "dropout", where, 0.) == 0., where,
          ": dropout of merges is not supported");
}

Vocabulary read_vocabulary(const Json& model, const std::string& where) {
  const Json& json = member(model, "vocab", where);
  require(json.is_object() && !json.empty(), where,
          ": vocab: expected an object of tokens and ids, found ", describe(json));
  Vocabulary ids;
  ids.reserve(json.size());
  for (auto& [token, id] : json.items()) {
    if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= INT32_MAX)
      fail(where, ": vocab: expected an id for \"", token, "\", found ", describe(id));
    ids.emplace(token, id.get<int32_t>());
  }
  return ids;
}

std::vector<AddedToken> read_added(const Json& json, const std::string& name) {
  std::vector<AddedToken> all;
  const Json* list = find_member(json, "added_tokens", name);
  if (!list) return all;
  require(list->is_array(), name, ": added_tokens: expected an array, found ", describe(*list));
  for (auto& one : *list) {
    std::string where = name + ": added_tokens[" + std::to_string(all.size()) + "]";
    all.push_back(added_token(one, where));
    all.back().id = get<int32_t>(one, "id", where);
    require(all.back().id >= 0 && !all.back().content.empty(), where,
            ": expected an id from 0 and a content that is not empty");
  }
  return all;
}

// Orders tokens by id.
void fill_ids(State& state, const Vocabulary& vocabulary) {
  int64_t highest = 0, count = int64_t(vocabulary.size());
  for (auto& [token, id] : vocabulary) highest = std::max<int64_t>(highest, id);
  require(highest < 4 * count + 4096, state.name, ": the highest token id is ", highest,
          ", but there are only ", count, " tokens");
  size_t size = size_t(highest) + 1;
  state.text.resize(size);
  state.bytes.resize(size);
  state.known.resize(size);
  state.special.resize(size);
  state.fallback.assign(size, -1);
  state.in_model = count;
  for (auto& [token, id] : vocabulary) {
    require(!state.known[id] || state.text[id] == token, state.name, ": two tokens have the id ",
            id, ": \"", state.text[id], "\" and \"", token, "\"");
    state.text[id] = token;
    state.known[id] = 1;
    state.ids.emplace(token, id);
  }
}

void fill_bytes(State& state, bool byte_level, bool byte_fallback) {
  for (size_t id = 0; id < state.text.size(); ++id) {
    const std::string& text = state.text[id];
    std::string& bytes = state.bytes[id];
    if (byte_level) {
      if (!bytes_of_token(text, bytes)) bytes = text;
      continue;
    }
    TextStore store(text.size());
    bytes = std::string(replace_all(TracedText{text}, "\u2581", " ", store).bytes);
    auto digit = [&](size_t i) { return std::string_view("0123456789ABCDEF").find(text[i]); };
    if (byte_fallback && text.size() == 6 && text.starts_with("<0x") && text[5] == '>' &&
        digit(3) < 16 && digit(4) < 16) {
      state.fallback[id] = int16_t(digit(3) * 16 + digit(4));
      bytes = std::string(1, char(state.fallback[id]));
    }
  }
}

std::vector<std::pair<std::string, std::string>> read_merges(const Json& model, bool byte_level,
                                                             const std::string& where) {
  const Json& json = member(model, "merges", where);
  require(json.is_array(), where, ": merges: expected an array, found ", describe(json));
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const Json& one = json[i];
    std::string left, right;
    if (one.is_string()) {
      const auto& both = one.text();
      if (both.starts_with("#version")) continue;
      size_t space = both.find(' ');
      require(space != std::string::npos && both.find(' ', space + 1) == std::string::npos, where,
              ": merges[", i, "]: expected two tokens with a space between, found \"", both, "\"");
      left = both.substr(0, space);
      right = both.substr(space + 1);
    } else {
      if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_string())
        fail(where, ": merges[", i, "]: expected two tokens, found ", describe(one));
      left = one[0];
      right = one[1];
    }
    std::string l = left, r = right;
    require(!byte_level || (bytes_of_token(left, l) && bytes_of_token(right, r)), where,
            ": merges[", i, "]: has a character that stands for no byte");
    merges.emplace_back(std::move(l), std::move(r));
  }
  return merges;
}

void read_model(State& state, const Json& root) {
  std::string where = state.name + ": model";
  const Json& model = member(root, "model", state.name);
  if (read_word_model(state, model, where)) {
    add_tokens(state, read_added(root, state.name), state.name);
    return;
  }
  check_model(model, where);
  bool byte_level = state.pre_tokenizer.byte_level();
  Vocabulary vocabulary = read_vocabulary(model, where), in_text;
  Bpe::Options options;
  options.symbols = byte_level ? Bpe::Symbols::bytes : Bpe::Symbols::characters;
  options.unknown = get_or<std::string>(model, "unk_token", where, "");
  options.fuse_unknown = get_or<bool>(model, "fuse_unk", where, false);
  options.byte_fallback = get_or<bool>(model, "byte_fallback", where, false);
  options.ignore_merges = get_or<bool>(model, "ignore_merges", where, false);
  std::string bytes;
  for (auto& [token, id] : vocabulary)
    if (!byte_level) {
      in_text.emplace(token, id);
    } else if (bytes_of_token(token, bytes)) {
      in_text.emplace(bytes, id);
    }
  state.bpe = std::make_unique<Bpe>(in_text, read_merges(model, byte_level, where), options, where);
  fill_ids(state, vocabulary);
  fill_bytes(state, byte_level, options.byte_fallback);
  state.byte_level = byte_level;
  add_tokens(state, read_added(root, state.name), state.name);
}

}  // namespace

std::shared_ptr<Tokenizer::State> read_tokenizer_json(std::string text, const std::string& name) {
  auto state = std::make_shared<State>();
  state->name = name;
  Json json = parse_json(text, name);
  require(json.is_object(), name, ": expected an object, found ", describe(json));
  state->json = std::move(text);
  if (auto normalizer = find_member(json, "normalizer", name))
    state->normalizer = Normalizer(*normalizer, name + ": normalizer");
  if (auto pre = find_member(json, "pre_tokenizer", name)) state->pre_tokenizer_json = *pre;
  state->pre_tokenizer = PreTokenizer(state->pre_tokenizer_json, name + ": pre_tokenizer");
  read_model(*state, json);
  if (auto post = find_member(json, "post_processor", name))
    read_post_processor(*state, *post, name + ": post_processor");
  if (auto decoder = find_member(json, "decoder", name))
    state->decoder = Decoder(*decoder, name + ": decoder");
  return state;
}

}  // namespace afina
