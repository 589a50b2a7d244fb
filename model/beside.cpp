// What is trained beside an adapter: options, weights, names in files, PEFT's words.
#include "model/beside.h"

#include <algorithm>
#include <charconv>

#include "engine/nearest.h"
#include "model/model.h"
#include "model/peft.h"
#include "model/targets.h"
#include "model/words.h"

namespace afina {

namespace {

std::string last_word(const std::string& path) { return path.substr(path.rfind('.') + 1); }
std::string module_of(const std::string& name) { return name.substr(0, name.rfind('.')); }
bool is_bias(const std::string& name) { return name.ends_with(".bias"); }

// The option, if it was given and is none of the method's own.
std::string option(MethodOptions& options, const std::string& key,
                   const std::string& otherwise = "") {
  const bool ours = options.given(key) && !options.in_force().count(key);
  return ours ? options.text(key, otherwise) : otherwise;
}
// Under PEFT's name too: where `tokens` are a method's own, as a prompt's, that alone means rows.
std::string tokens_option(MethodOptions& options) {
  const std::string tokens = option(options, "tokens"),
                    of_peft = option(options, "trainable_token_indices");
  require(tokens.empty() || of_peft.empty(), "method '", options.method(),
          "': tokens and trainable_token_indices are two names of one option; give one");
  return tokens + of_peft;
}

// word: becomes what is no number.
std::vector<int32_t> token_list(const std::string& text, const std::string& label,
                                std::string& word) {
  std::vector<int32_t> all;
  if (text.empty()) return all;
  for (const std::string& item : split(text, '+')) {
    int32_t id = -1;
    auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), id);
    require(!item.empty(), label, "=", text, " has an empty item; tokens are joined by one '+'");
    if (error != std::errc() || end != item.data() + item.size() || id < 0) {
      word = item;
      continue;
    }
    require(std::find(all.begin(), all.end(), id) == all.end(), label, ": token ", id,
            " is named twice");
    all.push_back(id);
  }
  return all;
}

// Types of PEFT whose config has the key.
bool has_key(const std::string& type, const std::string& key) {
  static const std::map<std::string, std::set<std::string>> known = {
      {"bias",
       {"LORA", "ADALORA", "BOFT", "C3A", "DELORA", "FOURIERFT", "GRALORA", "HRA", "MISS", "OFT",
        "VERA", "WAVEFT"}},
      {"trainable_token_indices", {"LORA", "ADALORA"}},
      {"ensure_weight_tying", {"LORA"}}};
  auto found = known.find(key);
  return found == known.end() ? type != "TRAINABLE_TOKENS" : found->second.count(type) > 0;
}

}  // namespace

bool is_embedding(const std::string& path) {
  const std::string word = last_word(path);
  return word == "embed_tokens" || word == "wte" || word == "embed_in";
}
bool is_head(const std::string& path) {
  const std::string word = last_word(path);
  return word == "lm_head" || word == "embed_out";
}
bool names_end(const ModulePattern& pattern, const std::string& path) {
  const std::string& text = pattern.text();
  if (text == (is_head(path) ? "head" : "embedding")) return true;
  const bool stars = !text.starts_with("re:") && text.find('*') != text.npos;
  return pattern.matches(path) && (!stars || text.find(last_word(path)) != text.npos);
}

const char* const beside_options =
    "save=,tie=false,bias=none,tokens=,tokens_at=both: what of the pretrained model is trained as "
    "well. save: whole modules (head, embedding, names or patterns joined by '+'), stored with the "
    "adapter; tie: where embedding and head are one table they stay one, else each is a copy of "
    "its "
    "own; bias: all, or lora_only (of adapted layers); tokens: rows of the embedding and the head, "
    "by the numbers or texts of tokens joined by '+'; tokens_at: embedding or head alone";

Beside::Beside(MethodOptions& options)
    : method_(options.method()),
      file_(options.file()),
      save_text_(option(options, "save")),
      save_(module_patterns(method_, "save", save_text_, file_)),
      bias_(option(options, "bias", "none")),
      tokens_alone_(options.method() == "tokens") {
  const std::string tie = option(options, "tie", "false");
  require(tie == "true" || tie == "false", option_label(method_, file_, "tie"), "=", tie,
          " where true or false is expected");
  tie_ = tie == "true";
  require(bias_ == "none" || bias_ == "all" || bias_.ends_with("_only"),
          option_label(method_, file_, "bias"), "=", bias_,
          " where none, all (every bias of the model) or lora_only (those of adapted layers) is "
          "expected");
  tokens_ = token_list(tokens_option(options), option_label(method_, file_, "tokens"), word_);
  const std::string at = option(options, "tokens_at", "both");
  require(at == "both" || at == "embedding" || at == "head",
          option_label(method_, file_, "tokens_at"), "=", at,
          " where both, embedding or head is expected");
  tokens_at_ = at == "both"        ? TokensAt::both
               : at == "embedding" ? TokensAt::embedding
                                   : TokensAt::head;
}

void Beside::begin(const ModelConfig& config) {
  tied_ = config.tied;
  require(word_.empty(), option_label(method_, file_, "tokens"), ": '", word_,
          "' where the number of a token is expected, as in tokens=2000+2001; commands that have a "
          "tokenizer take the text of a token as well");
  for (int32_t token : tokens_)
    require(token < config.vocabulary, option_label(method_, file_, "tokens"), ": token ", token,
            " where the model's vocabulary ends at ", config.vocabulary - 1);
}

bool Beside::whole(const std::string& path) const {
  if (save_.empty()) return false;
  bool found = false;
  // A pattern names the module or one that it is part of.
  for (size_t end = path.find('.');; end = path.find('.', end + 1)) {
    const std::string module = path.substr(0, end);
    const bool at_end = is_embedding(module) || is_head(module);
    for (const ModulePattern& pattern : save_) {
      if (at_end ? !names_end(pattern, module) : !pattern.matches(module)) continue;
      used_.insert(pattern.text());
      whole_.insert(module);
      found = true;
    }
    if (end == path.npos) break;
  }
  // Of a table that is kept one, its other name will do.
  if (!found && tie_ && tied_ && is_embedding(path))
    for (const char* head : {"lm_head", "embed_out"}) found = found || whole(head);
  return found;
}

bool Beside::trains(const std::string& name) const {
  const bool bias = bias_ == "all" && is_bias(name);
  any_bias_ = any_bias_ || bias;
  return whole(module_of(name)) || bias;
}

void Beside::built(Linear& layer) {
  if (!layer.adapter) return;
  adapted_.insert(layer.path);
  if (!bias_.ends_with("_only") || !layer.bias) return;
  layer.bias->train();
  any_bias_ = true;
}

Parameter& Beside::rows(const Scope& at, const Parameter& table, const std::string& other) {
  const int64_t n = int64_t(tokens_.size()), width = table.shape[1];
  const std::string part = tokens_alone_ ? "" : "token_adapter.";
  // Held in f32 whatever the model's dtype is, as PEFT does; they decay as the table would.
  Parameter& rows = at.added(part + "trainable_tokens_delta", {n, width}, {Init::zeros},
                             {.vector = true, .decays = true});
  if (!other.empty() && tokens_alone_) also(rows.name, other + ".trainable_tokens_delta");
  tables_.push_back(at.path());
  if (!holds_bytes(table.value.device())) return rows;
  std::vector<float> values;
  for (int32_t token : tokens_) {
    const std::vector<float> row =
        rows_of(table.master ? table.master : table.value, token, 1).values();
    values.insert(values.end(), row.begin(), row.end());
  }
  rows.assign(values.data());
  return rows;
}

void Beside::check(const Scope& model) const {
  // In PEFT's files a pattern that matches nothing is passed over; what they hold has a place or is
  // an Error all the same.
  for (const ModulePattern& pattern : save_)
    if (file_.empty() && !used_.count(pattern.text())) {
      std::set<std::string> known = {"embedding", "head"};
      for (const Parameter& p : model.parameters().all)
        if (!p.added) known.insert(last_word(module_of(p.name)));
      const std::vector<std::string> words(known.begin(), known.end());
      fail(option_label(method_, file_, "save"), ": '", pattern.text(),
           "' names no module of the model", did_you_mean(pattern.text(), words), "; it has ",
           joined(words));
    }
  require(!file_.empty() || bias_ == "none" || any_bias_, option_label(method_, file_, "bias"), "=",
          bias_, ": ", bias_ == "all" ? "this model has" : "the adapted layers have",
          " no biases; leave the option out");
}

bool Beside::write(Json& config) const {
  const std::string type = config.at("peft_type").get<std::string>();
  auto put = [&](const std::string& key, Json value) {
    if (!has_key(type, key)) return false;
    config[key] = std::move(value);
    return true;
  };
  bool all = true;
  if (bias_ != "none") all = put("bias", bias_) && all;
  if (!save_.empty()) {
    // PEFT takes every module whose path ends with a name, so whole paths say what is meant; those
    // that came from its own file stay as they were.
    std::vector<std::string> names(whole_.begin(), whole_.end());
    if (!file_.empty() && std::all_of(save_.begin(), save_.end(), [](const ModulePattern& p) {
          return p.text().starts_with("*") && p.text().find('*', 1) == std::string::npos;
        })) {
      names.clear();
      for (const ModulePattern& p : save_) names.push_back(p.text().substr(1));
    }
    all = put("modules_to_save", names) && all;
  }
  if (tie_) all = put("ensure_weight_tying", true) && all;
  if (tokens_.empty()) return all;
  if (tokens_alone_) {
    config["token_indices"] = tokens_;
    config["target_modules"] = tables_;
    return all;
  }
  Json where = Json::object();
  for (const std::string& table : tables_) where[last_word(table)] = tokens_;
  const bool embedding_alone = tables_.size() == 1 && is_embedding(tables_[0]);
  return put("trainable_token_indices", embedding_alone ? Json(tokens_) : where) && all;
}

std::map<std::string, std::string> Beside::from_peft(PeftConfig& config) {
  std::map<std::string, std::string> all;
  const std::string type = get<std::string>(config.json(), "peft_type", config.where());
  if (const Json* save = config.find("modules_to_save"); save && !save->empty()) {
    std::string text;
    for (const std::string& name : config.get<std::vector<std::string>>("modules_to_save")) {
      require(!name.empty() && name.find_first_of("*+,:") == name.npos, config.where(),
              ": modules_to_save: '", name, "' is no name of a module");
      text += (text.empty() ? "*" : "+*") + name;  // PEFT compares the ends of paths
    }
    all["save"] = text;
  }
  if (has_key(type, "bias"))
    if (const std::string bias = config.get_or<std::string>("bias", "none"); bias != "none")
      all["bias"] = bias;
  if (has_key(type, "ensure_weight_tying") && config.get_or<bool>("ensure_weight_tying", false))
    all["tie"] = "true";
  const bool alone = type == "TRAINABLE_TOKENS";
  const std::string key = alone ? "token_indices" : "trainable_token_indices";
  const Json* tokens = alone || has_key(type, key) ? config.find(key) : nullptr;
  if (!tokens || tokens->empty()) return all;
  std::vector<std::string> tables;
  std::vector<std::string> ids;
  if (tokens->is_object()) {
    for (auto& [table, list] : tokens->items()) {
      tables.push_back(table);
      require(list == *tokens->begin(), config.where(), ": ", key,
              ": other tokens for each module, which afina does not support");
    }
    tokens = &*tokens->begin();
  } else if (alone) {
    const Json* targets = config.find("target_modules");
    if (targets && targets->is_array())
      tables = config.get<std::vector<std::string>>("target_modules");
    else if (targets) tables = {config.get<std::string>("target_modules")};
  }
  require(tokens->is_array(), config.where(), ": ", key, " should be a list of tokens, not ",
          describe(*tokens));
  for (const Json& id : *tokens) {
    require(id.is_number_integer(), config.where(), ": ", key, " holds ", describe(id),
            " where the number of a token is expected");
    ids.push_back(std::to_string(id.get<int64_t>()));
  }
  bool embedding = tables.empty(), head = false;
  for (const std::string& table : tables) {
    require(is_embedding(table) || is_head(table), config.where(), ": ", key, ": '", table,
            "' is neither embedding nor head");
    (is_head(table) ? head : embedding) = true;
  }
  all["tokens"] = joined(ids, "+");
  if (!embedding || !head) all["tokens_at"] = head ? "head" : "embedding";
  return all;
}

namespace {

bool virtual_prompt(const Method& method) {
  const std::string& name = method.in_force.name;
  return name == "prompt" || name == "prefix" || name == "ptuning";
}

}  // namespace

std::vector<std::string> Beside::names(const Method& method, const Parameter& p) {
  const Beside& beside = method.beside;
  // Around a prompt PEFT puts no tuner that would be called `model`.
  const std::string start = virtual_prompt(method) ? "base_model." : "base_model.model.",
                    path = module_of(p.name);
  std::vector<std::string> all;
  if (p.added || method.trains(p.name)) all = {method.name_in_adapter(p)};
  else if (is_bias(p.name) && beside.adapted_.count(path))
    all = {start + path + ".base_layer.bias"};
  else all = {start + p.name};  // trained beside, as the method itself does not train it
  if (auto other = beside.also_.find(p.name); other != beside.also_.end())
    all.push_back(start + other->second);
  return all;
}

}  // namespace afina
