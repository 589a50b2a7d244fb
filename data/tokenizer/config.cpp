// Reads tokenizer_config.json: the roles of special tokens and the chat template.
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

}  // namespace

void read_tokenizer_config(Tokenizer::State& state, const std::string& text,
                           const std::string& name) {
  Json config = parse_json(text, name);
  require(config.is_object(), name, ": expected an object, found ", describe(config));
  read_role(state, config, "bos_token", name, state.bos);
  read_role(state, config, "eos_token", name, state.eos);
  read_role(state, config, "pad_token", name, state.pad);
  read_named_tokens(state, config);
  if (auto all = templates_of_config(config, name); !all.empty())
    state.chat_templates = std::move(all);
  // Only Llama tokenizer classes rebuild the post-processor from these keys; for all others
  // tokenizer.json decides.
  if (get_or<std::string>(config, "tokenizer_class", name, "").find("Llama") == std::string::npos)
    return;
  state.adds_bos = get_or<bool>(config, "add_bos_token", name, state.adds_bos) && state.bos >= 0;
  state.adds_eos = get_or<bool>(config, "add_eos_token", name, state.adds_eos) && state.eos >= 0;
}

}  // namespace afina
