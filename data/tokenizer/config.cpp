// Reads tokenizer_config.json: the roles of special tokens and the chat template.
#include "data/tokenizer/state.h"
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

std::string read_template(const Json& config, const std::string& name) {
  const Json* found = find_member(config, "chat_template", name);
  if (!found) return "";
  if (found->is_string()) return found->get<std::string>();
  require(found->is_array(), name, ": chat_template: expected a string or an array, found ",
          describe(*found));
  for (auto& one : *found)
    if (get<std::string>(one, "name", name + ": chat_template") == "default")
      return get<std::string>(one, "template", name + ": chat_template");
  fail(name, ": chat_template: none of the templates is called \"default\"");
}

}  // namespace

void read_tokenizer_config(Tokenizer::State& state, const std::string& text,
                           const std::string& name) {
  Json config = parse_json(text, name);
  require(config.is_object(), name, ": expected an object, found ", describe(config));
  read_role(state, config, "bos_token", name, state.bos);
  read_role(state, config, "eos_token", name, state.eos);
  read_role(state, config, "pad_token", name, state.pad);
  if (std::string jinja = read_template(config, name); !jinja.empty()) state.chat_template = jinja;
  // Only Llama tokenizer classes rebuild the post-processor from these keys; for all others
  // tokenizer.json decides.
  if (get_or<std::string>(config, "tokenizer_class", name, "").find("Llama") == std::string::npos)
    return;
  state.adds_bos = get_or<bool>(config, "add_bos_token", name, state.adds_bos) && state.bos >= 0;
  state.adds_eos = get_or<bool>(config, "add_eos_token", name, state.adds_eos) && state.eos >= 0;
}

}  // namespace afina
