// Added tokens, wherever a tokenizer's files declare them, and the ids that they get.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "data/tokenizer/state.h"
#include "engine/error.h"

namespace afina {

namespace {

using State = Tokenizer::State;

// Where the tokens that were added stand in the list of them, and the highest of their ids.
struct Added {
  std::unordered_map<int32_t, size_t> at;
  int64_t highest = -1;
  explicit Added(const State& state) {
    for (size_t i = 0; i < state.added_list.size(); ++i) note(state.added_list[i].id, i);
  }
  void note(int32_t id, size_t index) {
    at.emplace(id, index);
    highest = std::max<int64_t>(highest, id);
  }
  // The id that the library gives to the next token that the vocabulary lacks: behind the
  // vocabulary's count, without gaps.
  int32_t next_id(const State& state) const {
    return int32_t(highest >= state.in_model ? highest + 1 : state.in_model);
  }
};

bool has(const State& state, int32_t id) {
  return size_t(id) < state.known.size() && state.known[size_t(id)];
}

void put_in_place(State& state, const AddedToken& token, const std::string& where) {
  const size_t id = size_t(token.id);
  require(id < size_t(8) * state.text.size() + 4096, where, ": \"", token.content,
          "\" would get the id ", id, ", but there are only ", state.in_model, " tokens");
  if (id >= state.text.size()) {
    state.text.resize(id + 1);
    state.bytes.resize(id + 1);
    state.known.resize(id + 1);
    state.special.resize(id + 1);
  }
  require(!state.known[id] || state.text[id] == token.content, where, ": two tokens have the id ",
          id, ": \"", state.text[id], "\" and \"", token.content, "\"");
  if (!state.known[id]) state.text[id] = state.bytes[id] = token.content;
  state.known[id] = 1;
  state.ids.emplace(token.content, token.id);
}

// A token given as a string, or as an object with "content"; special.
AddedToken special_token(const Json& json, const std::string& where) {
  AddedToken token;
  if (json.is_object()) token = added_token(json, where);
  else token.content = json.text();
  token.special = true;
  return token;
}

bool is_token(const Json& json) {
  return (json.is_string() && !json.text().empty()) ||
         (json.is_object() && json.contains("content"));
}

}  // namespace

AddedToken added_token(const Json& json, const std::string& where) {
  AddedToken token;
  token.content = get<std::string>(json, "content", where);
  token.special = get_or<bool>(json, "special", where, false);
  token.lstrip = get_or<bool>(json, "lstrip", where, false);
  token.rstrip = get_or<bool>(json, "rstrip", where, false);
  token.single_word = get_or<bool>(json, "single_word", where, false);
  token.normalized = get_or<bool>(json, "normalized", where, !token.special);
  return token;
}

void add_tokens(State& state, std::vector<AddedToken> tokens, const std::string& where) {
  Added all(state);
  for (AddedToken& token : tokens) {
    const int32_t written = token.id, there = state.ids.id_of(token.content);
    token.id = there >= 0 ? there : all.next_id(state);
    // A vocabulary with gaps: the library would give an id that another token has.
    if (there < 0 && has(state, token.id) && written >= 0 && !has(state, written)) {
      state.notes.push_back(where + ": \"" + token.content + "\" has the id " +
                            std::to_string(written) +
                            " as it is written; Hugging Face's libraries "
                            "would give it that of \"" +
                            state.text[size_t(token.id)] + "\", as the vocabulary has gaps");
      token.id = written;
    }
    if (written >= 0 && written != token.id)
      state.notes.push_back(
          where + ": \"" + token.content + "\" is written with the id " + std::to_string(written) +
          "; its id is " + std::to_string(token.id) + ", as in Hugging Face's libraries, which " +
          (there >= 0 ? "keep the id that is there first" : "number added tokens without gaps"));
    put_in_place(state, token, where);
    all.note(token.id, state.added_list.size());
    const size_t place = all.at[token.id];
    if (place == state.added_list.size()) state.added_list.push_back(token);
    else state.added_list[place] = token;
    state.special[size_t(token.id)] = token.special;
    if (token.special) state.special_texts.insert(token.content);
    if (token.normalized) state.ever_normalized.insert(token.id);
  }
}

void add_tokens_of_config(State& state, const Json& config, const std::string& name) {
  if (const Json* decoder = find_member(config, "added_tokens_decoder", name)) {
    require(decoder->is_object(), name, ": added_tokens_decoder: expected an object, found ",
            describe(*decoder));
    std::vector<AddedToken> all;
    for (auto& [id, json] : decoder->items()) {
      const std::string where = name + ": added_tokens_decoder: " + id;
      require(!id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == id.npos, where,
              ": expected an id");
      all.push_back(added_token(json, where));
      all.back().id = int32_t(std::stol(id));
      require(!all.back().content.empty(), where, ": the content is empty");
    }
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.id < b.id; });
    add_tokens(state, std::move(all), name + ": added_tokens_decoder");
  }
  std::vector<AddedToken> extra;
  for (const char* key : {"extra_special_tokens", "additional_special_tokens"}) {
    const Json* list = find_member(config, key, name);
    if (!list || list->empty() || !extra.empty()) continue;
    auto add = [&](const Json& json) {
      if (is_token(json)) extra.push_back(special_token(json, name + ": " + key));
    };
    if (list->is_object())
      for (auto& [role, json] : list->items()) add(json);
    else if (list->is_array())
      for (auto& json : *list) add(json);
  }
  // A role makes a token of the vocabulary special; one that the vocabulary lacks is left out.
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
                          "cls_token", "mask_token"}) {
    const Json* role = find_member(config, key, name);
    if (!role || !is_token(*role)) continue;
    AddedToken token = special_token(*role, name + ": " + key);
    if (state.ids.count(token.content)) extra.push_back(std::move(token));
  }
  std::set<std::string> known;
  for (auto& token : state.added_list) known.insert(token.content);
  std::erase_if(extra, [&](auto& token) { return !known.insert(token.content).second; });
  add_tokens(state, std::move(extra), name);
}

void add_tokens_of_list(State& state, const Json& list, const std::string& name) {
  require(list.is_object(), name, ": expected an object of tokens and ids, found ", describe(list));
  std::vector<AddedToken> all;
  for (auto& [content, id] : list.items()) {
    require(id.is_number_integer() && !content.empty(), name, ": expected an id for \"", content,
            "\", found ", describe(id));
    AddedToken token;
    token.content = content;
    token.id = get<int32_t>(list, content, name);
    auto same = [&](auto& one) { return one.content == content || one.id == token.id; };
    if (std::any_of(state.added_list.begin(), state.added_list.end(), same)) continue;
    for (auto& [role, named] : state.named_tokens) token.special |= named == content;
    token.normalized = !token.special;
    all.push_back(std::move(token));
  }
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.id < b.id; });
  add_tokens(state, std::move(all), name);
}

}  // namespace afina
