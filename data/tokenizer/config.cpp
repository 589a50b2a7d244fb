// Reads tokenizer_config.json: roles of special tokens, added tokens, the chat template, and what
// changes the meaning of tokenizer.json.
#include "data/tokenizer/state.h"
#include "data/tokenizer/template_files.h"
#include "engine/error.h"

namespace afina {

namespace {

// Sets a role from a token given as a string or as an object with "content". Absent, null and
// unknown tokens leave the role unchanged.
void read_role(Tokenizer::State& state, const Json& config, const char* key,
               const std::string& name, int32_t& role) {
  const Json* found = find_member(config, key, name);
  if (!found) return;
  std::string token = found->is_object() ? get<std::string>(*found, "content", name + ": " + key)
                                         : get<std::string>(config, key, name);
  auto id = state.ids.find(token);
  if (id != state.ids.end()) role = id->second;
  else if (!token.empty())
    state.notes.push_back(name + ": " + key + " is \"" + token +
                          "\", which the vocabulary lacks: there is no such token");
}

// Keeps what the files call bos_token, eos_token, ... for chat templates; a later file counts.
void read_named_tokens(Tokenizer::State& state, const Json& config) {
  for (auto& [key, value] : config.items()) {
    if (!key.ends_with("_token")) continue;
    const Json* text = &value;
    if (value.is_object() && value.contains("content")) text = &value.at("content");
    if (!text->is_string() && !text->is_null()) continue;
    std::erase_if(state.named_tokens, [&](auto& one) { return one.first == key; });
    if (text->is_string()) state.named_tokens.emplace_back(key, text->text());
  }
}

// Sets add_prefix_space of every ByteLevel in a pre-tokenizer; were any set otherwise?
bool set_prefix_space(Json& json, bool value) {
  if (!json.is_object()) return false;
  bool changed = false;
  if (json.contains("pretokenizers") && json.at("pretokenizers").is_array())
    for (size_t i = 0; i < json.at("pretokenizers").size(); ++i)
      changed |= set_prefix_space(json["pretokenizers"][i], value);
  if (!json.contains("type") || json.at("type") != "ByteLevel") return changed;
  if (json.contains("add_prefix_space") && json.at("add_prefix_space") == value) return changed;
  json["add_prefix_space"] = value;
  return true;
}

// These classes make the pre-tokenizer anew with their own add_prefix_space; all others take it
// from tokenizer.json.
void read_prefix_space(Tokenizer::State& state, const Json& config, const std::string& name) {
  std::string kind = get_or<std::string>(config, "tokenizer_class", name, "");
  if (kind.ends_with("Fast")) kind.resize(kind.size() - 4);
  if (kind != "GPT2Tokenizer" && kind != "GPTNeoXTokenizer" && kind != "Qwen2Tokenizer") return;
  const bool space = get_or<bool>(config, "add_prefix_space", name, false);
  if (!set_prefix_space(state.pre_tokenizer_json, space)) return;
  state.pre_tokenizer = PreTokenizer(state.pre_tokenizer_json, state.name + ": pre_tokenizer");
  state.notes.push_back(name + ": add_prefix_space of " + kind + (space ? " is" : " is not") +
                        " set, and counts before the one in tokenizer.json, as in transformers");
}

// Says that a class of transformers makes something else of the vocabulary than tokenizer.json
// says.
void note_class(Tokenizer::State& state, const Json& config, const std::string& name) {
  std::string kind = get_or<std::string>(config, "tokenizer_class", name, "");
  if (kind.ends_with("Fast")) kind.resize(kind.size() - 4);
  const bool adds_nfc = kind == "Qwen2Tokenizer" || kind == "GPTNeoXTokenizer";
  if (!state.model && adds_nfc && state.normalizer.empty())
    state.notes.push_back(name + ": tokenizer_class is " + kind +
                          ", for which transformers 5 composes characters first (NFC); "
                          "tokenizer.json has no normalizer, and counts here, as in the tokenizers "
                          "library. PreTrainedTokenizerFast means the same everywhere");
  if (!state.model || kind.empty() || kind == "PreTrainedTokenizer" || kind == "TokenizersBackend")
    return;
  state.notes.push_back(
      name + ": tokenizer_class is " + kind +
      ", for which transformers 5 puts normalizer, pre-tokenizer and decoder of "
      "its own around the vocabulary; here those of tokenizer.json count, as in "
      "the tokenizers library. PreTrainedTokenizerFast means the same everywhere");
}

// Says where add_bos_token and add_eos_token ask for other tokens than tokenizer.json adds.
void compare_ends(Tokenizer::State& state, const Json& config, const std::string& name) {
  auto compare = [&](const char* key, const char* side, bool adds) {
    const Json* wanted = find_member(config, key, name);
    if (!wanted || !wanted->is_boolean() || *wanted == adds) return;
    state.notes.push_back(name + ": " + key + " is " + (adds ? "false" : "true") +
                          ", but the post-processor of tokenizer.json puts " + (adds ? "a" : "no") +
                          " token " + side +
                          " a text; tokenizer.json counts, as in transformers 5");
  };
  compare("add_bos_token", "before", !state.before.empty());
  compare("add_eos_token", "after", !state.after.empty());
}

}  // namespace

void read_tokenizer_config(Tokenizer::State& state, const Json& config, const std::string& name) {
  require(config.is_object(), name, ": expected an object, found ", describe(config));
  add_tokens_of_config(state, config, name);
  read_role(state, config, "bos_token", name, state.bos);
  read_role(state, config, "eos_token", name, state.eos);
  read_role(state, config, "pad_token", name, state.pad);
  read_named_tokens(state, config);
  if (auto all = templates_of_config(config, name); !all.empty())
    state.chat_templates = std::move(all);
  state.splits_special = get_or<bool>(config, "split_special_tokens", name, state.splits_special);
  read_prefix_space(state, config, name);
  note_class(state, config, name);
  compare_ends(state, config, name);
}

}  // namespace afina
