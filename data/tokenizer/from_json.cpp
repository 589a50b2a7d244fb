// Reads tokenizer.json.
#include <algorithm>
#include <optional>

#include "data/tokenizer/read_tables.h"
#include "data/tokenizer/state.h"
#include "data/tokenizer/utf8.h"
#include "data/tokenizer/vocabulary.h"
#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

using State = Tokenizer::State;

// Decodes a token of a byte-level vocabulary to bytes; false if one of its characters stands for no
// byte.
bool bytes_of_token(std::string_view token, std::string& bytes) {
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

// Orders the tokens of state.ids by id.
void fill_ids(State& state) {
  int64_t highest = 0, count = int64_t(state.ids.size());
  for (auto& [token, id] : state.ids) highest = std::max<int64_t>(highest, id);
  require(highest < 4 * count + 4096, state.name, ": the highest token id is ", highest,
          ", but there are only ", count, " tokens");
  size_t size = size_t(highest) + 1;
  state.text.resize(size);
  state.bytes.resize(size);
  state.known.resize(size);
  state.special.resize(size);
  state.in_model = count;
  for (auto& [token, number] : state.ids) {
    const size_t id = size_t(number);
    require(!state.known[id], state.name, ": two tokens have the id ", id, ": \"", state.text[id],
            "\" and \"", std::string(token), "\"");
    state.text[id] = token;
    state.known[id] = 1;
  }
}

// A token as it appears in text, where the vocabulary marks spaces with U+2581.
void put_spaces(const std::string& text, std::string& bytes) {
  static constexpr std::string_view mark = "\u2581";
  size_t done = 0;
  for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, done)) {
    bytes.append(text, done, at - done);
    bytes += ' ';
    done = at + mark.size();
  }
  bytes.append(text, done);
}

void fill_bytes(State& state, bool byte_level, bool byte_fallback) {
  for (size_t id = 0; id < state.text.size(); ++id) {
    const std::string& text = state.text[id];
    std::string& bytes = state.bytes[id];
    if (byte_level) {
      if (!bytes_of_token(text, bytes)) bytes = text;
      continue;
    }
    put_spaces(text, bytes);
    if (const int byte = byte_of_token(text); byte_fallback && byte >= 0)
      bytes = std::string(1, char(byte));
  }
}

// The two tokens of an entry of merges; false where it is the head of an old file.
bool read_merge(const Json& one, const std::string& where, std::string& left, std::string& right) {
  if (one.is_string()) {
    const auto& both = one.text();
    if (both.starts_with("#version")) return false;
    size_t space = both.find(' ');
    require(space != std::string::npos && both.find(' ', space + 1) == std::string::npos, where,
            ": expected two tokens with a space between, found \"", both, "\"");
    left = both.substr(0, space);
    right = both.substr(space + 1);
  } else {
    if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_string())
      fail(where, ": expected two tokens, found ", describe(one));
    left = one[0].text();
    right = one[1].text();
  }
  return true;
}

std::vector<Bpe::Merge> read_merges(const Json& model, const TokenTable& ids, bool byte_level,
                                    const std::string& where) {
  const Json& json = member(model, "merges", where);
  require(json.is_array(), where, ": merges: expected an array, found ", describe(json));
  std::vector<Bpe::Merge> merges;
  merges.reserve(json.size());
  std::string left, right, bytes;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string place = where + ": merges[" + std::to_string(i) + "]";
    if (!read_merge(json[i], place, left, right)) continue;
    require(!byte_level || (bytes_of_token(left, bytes) && bytes_of_token(right, bytes)), place,
            ": has a character that stands for no byte");
    const Bpe::Merge merge = {ids.id_of(left), ids.id_of(right), ids.id_of(left + right)};
    require(merge.left >= 0 && merge.right >= 0 && merge.merged >= 0, where, ": merge ",
            merges.size(), " (\"", left, "\" \"", right, "\") uses the token \"",
            merge.left < 0    ? left
            : merge.right < 0 ? right
                              : left + right,
            "\", which is not in the vocabulary");
    merges.push_back(merge);
  }
  return merges;
}

// The merges of tables that were read straight from the text.
void check_bytes(const std::vector<Bpe::Merge>& merges, const State& state,
                 const std::string& where) {
  std::vector<uint8_t> odd(state.text.size());
  std::string bytes;
  bool any = false;
  for (size_t id = 0; id < odd.size(); ++id) {
    odd[id] = state.known[id] && !bytes_of_token(state.text[id], bytes);
    any |= odd[id];
  }
  for (size_t i = 0; any && i < merges.size(); ++i)
    require(!odd[size_t(merges[i].left)] && !odd[size_t(merges[i].right)], where, ": merges[", i,
            "]: has a character that stands for no byte");
}

void read_model(State& state, const Json& root, std::optional<BpeTables> tables) {
  std::string where = state.name + ": model";
  const Json& model = member(root, "model", state.name);
  if (read_word_model(state, model, where)) {
    add_tokens(state, read_added(root, state.name), state.name);
    return;
  }
  check_model(model, where);
  bool byte_level = state.pre_tokenizer.byte_level();
  Bpe::Options options;
  options.symbols = byte_level ? Bpe::Symbols::bytes : Bpe::Symbols::characters;
  options.unknown = get_or<std::string>(model, "unk_token", where, "");
  options.fuse_unknown = get_or<bool>(model, "fuse_unk", where, false);
  options.byte_fallback = get_or<bool>(model, "byte_fallback", where, false);
  options.ignore_merges = get_or<bool>(model, "ignore_merges", where, false);
  std::vector<Bpe::Merge> merges;
  if (tables) {
    state.ids = std::move(tables->vocabulary);
    merges = std::move(tables->merges);
  } else {
    state.ids = read_vocabulary<TokenTable>(model, where);
    merges = read_merges(model, state.ids, byte_level, where);
  }
  fill_ids(state);
  if (byte_level && tables) check_bytes(merges, state, where);
  state.bpe = std::make_unique<Bpe>(state.ids, merges, options, where);
  fill_bytes(state, byte_level, options.byte_fallback);
  state.byte_level = byte_level;
  add_tokens(state, read_added(root, state.name), state.name);
}

}  // namespace

std::shared_ptr<Tokenizer::State> read_tokenizer_json(std::string text, const std::string& name) {
  auto state = std::make_shared<State>();
  state->name = name;
  state->json = std::move(text);
  std::optional<BpeTables> tables;
  if (state->json.size() <= JsonLimits().bytes) tables = read_bpe_tables(state->json);
  Json json;
  if (tables) try {
      json = parse_json(tables->rest, name);
      if (model_type(member(json, "model", name), name + ": model") != "BPE") tables.reset();
    } catch (const Error&) { tables.reset(); }  // said again, with its place in the whole file
  if (!tables) json = parse_json(state->json, name);
  require(json.is_object(), name, ": expected an object, found ", describe(json));
  if (auto normalizer = find_member(json, "normalizer", name))
    state->normalizer = Normalizer(*normalizer, name + ": normalizer");
  if (auto pre = find_member(json, "pre_tokenizer", name)) state->pre_tokenizer_json = *pre;
  state->pre_tokenizer = PreTokenizer(state->pre_tokenizer_json, name + ": pre_tokenizer");
  read_model(*state, json, std::move(tables));
  if (auto post = find_member(json, "post_processor", name))
    read_post_processor(*state, *post, name + ": post_processor");
  if (auto decoder = find_member(json, "decoder", name))
    state->decoder = Decoder(*decoder, name + ": decoder");
  return state;
}

}  // namespace afina
