// Reads the models of a tokenizer.json that are not byte-pair encoding: Unigram, WordLevel and
// WordPiece.
#include <algorithm>
#include <cmath>

#include "data/tokenizer/decoder.h"
#include "data/tokenizer/state.h"
#include "data/tokenizer/unigram.h"
#include "data/tokenizer/vocabulary.h"
#include "data/tokenizer/word_list.h"
#include "engine/error.h"

namespace afina {

namespace {

using State = Tokenizer::State;

// Room for the ids 0 to size - 1.
void make_room(State& state, size_t size, int64_t tokens) {
  state.text.resize(size);
  state.bytes.resize(size);
  state.known.resize(size);
  state.special.resize(size);
  state.in_model = tokens;
}

Unigram::Vocabulary read_scores(const Json& model, const std::string& where) {
  const Json& json = member(model, "vocab", where);
  require(json.is_array() && !json.empty(), where,
          ": vocab: expected an array of [token, score], found ", describe(json));
  require(json.size() < INT32_MAX, where, ": vocab: ", json.size(), " tokens are too many");
  Unigram::Vocabulary all;
  all.reserve(json.size());
  for (auto& one : json) {
    if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_number())
      fail(where, ": vocab[", all.size(), "]: expected [token, score], found ", describe(one));
    const double score = one[1].get<double>();
    require(std::isfinite(score), where, ": vocab[", all.size(), "]: the score is ", score);
    all.emplace_back(one[0].text(), one[1].is_number_float() ? as_serde_reads(score) : score);
  }
  return all;
}

void read_unigram(State& state, const Json& model, const std::string& where) {
  const Unigram::Vocabulary vocabulary = read_scores(model, where);
  int64_t unknown = -1;
  if (find_member(model, "unk_id", where)) {
    unknown = get<int64_t>(model, "unk_id", where);
    require(unknown >= 0 && unknown < int64_t(vocabulary.size()), where, ": unk_id is ", unknown,
            ", but there are only ", vocabulary.size(), " tokens");
  }
  const bool byte_fallback = get_or<bool>(model, "byte_fallback", where, false);
  state.model = std::make_unique<Unigram>(vocabulary, int32_t(unknown), byte_fallback, where);
  make_room(state, vocabulary.size(), int64_t(vocabulary.size()));
  // Of equal tokens the last one is found, but all can be decoded.
  for (size_t id = vocabulary.size(); id-- > 0;) {
    const std::string& token = vocabulary[id].first;
    state.text[id] = token;
    state.known[id] = 1;
    state.ids.emplace(token, int32_t(id));
    TextStore store(token.size());
    state.bytes[id] = std::string(replace_all(TracedText{token}, "\u2581", " ", store).bytes);
    if (const int byte = byte_of_token(token); byte_fallback && byte >= 0)
      state.bytes[id] = std::string(1, char(byte));
  }
}

using Ids = std::unordered_map<std::string, int32_t>;
// A list of words; `prefix` marks those that go on with a word, and is empty where there are none.
void fill(State& state, const Ids& ids, const std::string& prefix) {
  int64_t highest = 0;
  for (auto& one : ids) highest = std::max<int64_t>(highest, one.second);
  require(highest < 4 * int64_t(ids.size()) + 4096, state.name, ": the highest token id is ",
          highest, ", but there are only ", ids.size(), " tokens");
  make_room(state, size_t(highest) + 1, int64_t(ids.size()));
  for (auto& [token, number] : ids) {
    const size_t id = size_t(number);
    require(!state.known[id], state.name, ": two tokens have the id ", id, ": \"", state.text[id],
            "\" and \"", token, "\"");
    state.text[id] = token;
    state.known[id] = 1;
    state.ids.emplace(token, number);
    const bool goes_on = !prefix.empty() && token.starts_with(prefix);
    state.bytes[id] = goes_on ? token.substr(prefix.size()) : token;
  }
}

}  // namespace

std::string model_type(const Json& model, const std::string& where) {
  if (find_member(model, "type", where)) return get<std::string>(model, "type", where);
  // Old files say it by what they hold.
  const Json* vocabulary = find_member(model, "vocab", where);
  if (vocabulary && vocabulary->is_array()) return "Unigram";
  return find_member(model, "max_input_chars_per_word", where) ? "WordPiece" : "BPE";
}

bool read_word_model(State& state, const Json& model, const std::string& where) {
  const std::string type = model_type(model, where);
  if (type == "Unigram") {
    read_unigram(state, model, where);
  } else if (type == "WordLevel") {
    const auto ids = read_vocabulary<Ids>(model, where);
    state.model = std::make_unique<WordLevel>(
        ids, get_or<std::string>(model, "unk_token", where, "<unk>"), where);
    fill(state, ids, "");
  } else if (type == "WordPiece") {
    const auto ids = read_vocabulary<Ids>(model, where);
    auto prefix = get_or<std::string>(model, "continuing_subword_prefix", where, "##");
    state.model = std::make_unique<WordPiece>(
        ids, get_or<std::string>(model, "unk_token", where, "[UNK]"), prefix,
        get_or<uint64_t>(model, "max_input_chars_per_word", where, 100), where);
    fill(state, ids, prefix);
  } else {
    return false;
  }
  require(!state.pre_tokenizer.byte_level(), where,
          ": the pre-tokenizer ByteLevel with a model of ", "type ", type, " is not supported");
  return true;
}

}  // namespace afina
