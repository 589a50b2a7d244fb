// Text to tokens and back.
#include "data/tokenizer/tokenizer.h"

#include <filesystem>
#include <optional>

#include "data/tokenizer/state.h"
#include "data/tokenizer/template_files.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/folder_file.h"

namespace afina {

namespace fs = std::filesystem;

Tokenizer::Tokenizer(std::shared_ptr<State> state) : state_(std::move(state)) {}

namespace {

// Common names of the end-of-text token, tried when no file names one.
void guess_roles(Tokenizer::State& state) {
  auto first_known = [&](std::initializer_list<const char*> names) {
    for (auto name : names)
      if (auto found = state.ids.find(name); found != state.ids.end()) return found->second;
    return int32_t(-1);
  };
  if (state.eos < 0) state.eos = first_known({"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"});
  if (state.bos < 0) state.bos = first_known({"<|begin_of_text|>", "<s>", "<bos>"});
}

// The library decodes an added token that is looked for after normalisation as what it becomes
// there.
void for_decoding(Tokenizer::State& state) {
  for (auto& token : state.added_list) {
    const std::string text = state.ever_normalized.count(token.id)
                                 ? state.normalizer.apply(token.content)
                                 : token.content;
    if (text != token.content) state.spoken[token.id] = text;
    if (state.byte_level) state.bytes[size_t(token.id)] = bytes_of_token(text);
  }
}

// When all files are read.
void finish(Tokenizer::State& state) {
  guess_roles(state);
  for_decoding(state);
  state.added = AddedTokens(state.added_list, state.normalizer);
}

// The config with the roles of tokens that are in force but that it does not name: they came from
// other files, or no file names the end of a text.
std::string with_roles(const Tokenizer::State& state) {
  Json config = parse_json(state.config, "tokenizer_config.json");
  bool changed = false, names_end = false;
  for (auto& [role, token] : state.named_tokens) {
    names_end |= role == "eos_token";
    const Json* named = config.contains(role) ? &config.at(role) : nullptr;
    if (named && named->is_object() && named->contains("content")) named = &named->at("content");
    if (named && *named == token) continue;
    config[role] = token;
    changed = true;
  }
  if (!names_end && state.eos >= 0) {
    config["eos_token"] = state.text[size_t(state.eos)];
    changed = true;
  }
  return changed ? to_text(config) + "\n" : state.config;
}

}  // namespace

Tokenizer Tokenizer::from_json(std::string text, const std::string& name, std::string config) {
  auto state = read_tokenizer_json(std::move(text), name);
  const std::string where = name + " (configuration)";
  if (!config.empty()) read_tokenizer_config(*state, parse_json(config, where), where);
  state->config = std::move(config);
  finish(*state);
  return Tokenizer(state);
}

Tokenizer Tokenizer::from_file(const std::string& path) {
  std::error_code ignored;
  const fs::path file =
      fs::is_directory(path, ignored) ? fs::path(path) / "tokenizer.json" : fs::path(path);
  const std::string folder = file.parent_path().string(), name = file.filename().string();
  require(in_folder(folder, name), path, ": there is no ", name,
          "; a tokenizer is read from tokenizer.json or from GGUF");
  auto text_of = [&](const std::string& one) {
    return read_text_file(file_of_folder(folder, one));
  };
  auto state = read_tokenizer_json(text_of(name), file.string());
  auto json_of = [&](const std::string& one) {
    return parse_json(text_of(one), (file.parent_path() / one).string());
  };
  auto read = [&](const std::string& one, const Json& json) {
    read_tokenizer_config(*state, json, (file.parent_path() / one).string());
  };
  const std::string config = "tokenizer_config.json", map = "special_tokens_map.json",
                    added = "added_tokens.json";
  Json settings = Json::object();
  if (in_folder(folder, config)) {
    state->config = text_of(config);
    settings = parse_json(state->config, (file.parent_path() / config).string());
  }
  // As in transformers: the map counts before a config without added_tokens_decoder (the config
  // of old versions), and only there added_tokens.json is read.
  const bool older = !settings.is_object() || !settings.contains("added_tokens_decoder");
  if (!older && in_folder(folder, map)) read(map, json_of(map));
  if (!state->config.empty()) read(config, settings);
  if (older && in_folder(folder, map)) read(map, json_of(map));
  if (older && in_folder(folder, added))
    add_tokens_of_list(*state, json_of(added), (file.parent_path() / added).string());
  if (auto all = templates_in_files(folder); !all.empty()) {
    state->chat_templates = std::move(all);
    state->templates_in_files = true;
  }
  finish(*state);
  return Tokenizer(state);
}

Tokenizer Tokenizer::from_gguf(const Json& metadata, const std::string& name) {
  TokenizerFiles files = tokenizer_files_of_gguf(metadata, name);
  return from_json(std::move(files.json), name, std::move(files.config));
}

namespace {

TracedText repaired(std::string_view text, TextStore& store) {
  TracedText whole{text};
  if (is_utf8(text)) return whole;
  Rewriting out(whole, store);
  for (size_t at = 0; at < text.size();) {
    Character c = character_at(text, at);
    if (c.valid) {
      out.keep(at, at + c.bytes);
    } else {
      out.put(replacement_character, at);
    }
    at += c.bytes;
  }
  return out.finish();
}

// Encodes one text, with the ranges of its tokens or (which takes less time) without.
class Encoder {
 public:
  Encoder(const Tokenizer::State& state, bool special, bool ranges, size_t bytes)
      : state_(state), special_(special && !state.splits_special), ranges_(ranges), store_(bytes) {
    if (state.bpe) bpe_.emplace(*state.bpe);
  }

  Encoding encode(std::string_view text) {
    std::vector<TextPart> parts, finer;
    state_.added.cut(repaired(text, store_), false, special_, parts);
    for (auto& part : parts) {
      if (part.id >= 0) {
        put(part);
        continue;
      }
      finer.clear();
      state_.added.cut(state_.normalizer.apply(part.text, store_), true, special_, finer);
      for (auto& piece : finer) put(piece);
    }
    return std::move(out_);
  }

 private:
  void put(const TextPart& part) {
    if (part.id >= 0) {
      out_.ids.push_back(part.id);
      if (ranges_)
        out_.ranges.push_back(
            {int64_t(part.text.at(0)), int64_t(part.text.at(part.text.bytes.size()))});
      return;
    }
    for (auto& word : state_.pre_tokenizer.words(part.text, store_)) {
      tokens_.clear();
      if (state_.model) state_.model->encode(word.bytes, tokens_);
      else bpe_->encode(word.bytes, tokens_);
      if (!ranges_) {
        for (auto& token : tokens_) out_.ids.push_back(token.id);
        continue;
      }
      int64_t begin = int64_t(word.at(0));
      for (auto& token : tokens_) {
        int64_t end = int64_t(word.at(token.end));
        out_.ids.push_back(token.id);
        out_.ranges.push_back({begin, end});
        begin = end;
      }
    }
  }

  const Tokenizer::State& state_;
  bool special_, ranges_;
  TextStore store_;
  std::optional<Bpe::Words> bpe_;  // where it is the model
  std::vector<BpeToken> tokens_;
  Encoding out_;
};

}  // namespace

static Encoding encoded(const Tokenizer::State& state, std::string_view text, bool special,
                        bool ranges) {
  require(text.size() < UINT32_MAX / 4, state.name, ": a text of ", text.size(),
          " bytes is too long to be tokenised in one piece");
  return Encoder(state, special, ranges, text.size()).encode(text);
}
Encoding Tokenizer::encode_with_offsets(std::string_view text, bool special) const {
  return encoded(*state_, text, special, true);
}
std::vector<int32_t> Tokenizer::encode(std::string_view text, bool special) const {
  return encoded(*state_, text, special, false).ids;
}

namespace {
// Whether the text is the bytes of the tokens, one after the other, so that it can be put together
// token by token.
bool is_of_bytes(const Tokenizer::State& state) {
  return state.byte_level && state.decoder.is_byte_level();
}

const std::string& spoken(const Tokenizer::State& state, int32_t id) {
  auto found = state.spoken.find(id);
  return found == state.spoken.end() ? state.text[size_t(id)] : found->second;
}

bool is_skipped(const Tokenizer::State& state, int32_t id) {
  return state.special_texts.count(spoken(state, id)) > 0;
}
}  // namespace

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  const bool of_bytes = is_of_bytes(*state_);
  std::string bytes;
  std::vector<std::string> tokens;
  for (int32_t id : ids) {
    const std::string& own = token_bytes(id);
    if (skip_special && is_skipped(*state_, id)) continue;
    if (of_bytes) bytes += own;
    else tokens.push_back(spoken(*state_, id));
  }
  return of_bytes ? valid_utf8(bytes) : state_->decoder.decode(std::move(tokens));
}

bool Tokenizer::has(int32_t id) const {
  return id >= 0 && size_t(id) < state_->known.size() && state_->known[size_t(id)];
}

int32_t Tokenizer::id_of(std::string_view token) const { return state_->ids.id_of(token); }

namespace {
size_t index_of(const Tokenizer::State& state, int32_t id) {
  require(id >= 0 && size_t(id) < state.text.size(), state.name, ": there is no token ", id,
          "; ids are 0 to ", state.text.size() - 1);
  return size_t(id);
}
}  // namespace

const std::string& Tokenizer::token_text(int32_t id) const {
  return state_->text[index_of(*state_, id)];
}
const std::string& Tokenizer::token_bytes(int32_t id) const {
  return state_->bytes[index_of(*state_, id)];
}
bool Tokenizer::is_special(int32_t id) const { return state_->special[index_of(*state_, id)]; }
const std::vector<AddedToken>& Tokenizer::added_tokens() const { return state_->added.all(); }
int64_t Tokenizer::size() const { return int64_t(state_->text.size()); }
int32_t Tokenizer::bos() const { return state_->bos; }
int32_t Tokenizer::eos() const { return state_->eos; }
int32_t Tokenizer::pad() const { return state_->pad; }
const std::vector<int32_t>& Tokenizer::before_text() const { return state_->before; }
const std::vector<int32_t>& Tokenizer::after_text() const { return state_->after; }
const std::vector<std::string>& Tokenizer::notes() const { return state_->notes; }
const std::vector<NamedTemplate>& Tokenizer::chat_templates() const {
  return state_->chat_templates;
}
const std::string& Tokenizer::chat_template() const {
  static const std::string none;
  for (const NamedTemplate& one : state_->chat_templates)
    if (one.name == "default") return one.text;
  return none;
}
const std::vector<std::pair<std::string, std::string>>& Tokenizer::named_tokens() const {
  return state_->named_tokens;
}
const std::string& Tokenizer::json_text() const { return state_->json; }

void Tokenizer::set_eos(std::string_view token) {
  int32_t id = id_of(token);
  require(id >= 0, state_->name, ": the token \"", std::string(token),
          "\" is not in the vocabulary");
  state_->eos = id;
}

void Tokenizer::save(const std::string& folder, const std::string& chosen) const {
  write_text_file((fs::path(folder) / "tokenizer.json").string(), state_->json);
  std::string config = state_->config.empty() ? "" : with_roles(*state_);
  if (config.empty()) {
    Json json = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                 {"clean_up_tokenization_spaces", false}};
    auto name = [&](const char* key, int32_t id) {
      if (id >= 0) json[key] = token_text(id);
    };
    name("bos_token", bos());
    name("eos_token", eos());
    name("pad_token", pad());
    config = to_text(json) + "\n";
  }
  write_text_file((fs::path(folder) / "tokenizer_config.json").string(), config);
  std::vector<NamedTemplate> templates = state_->chat_templates;
  if (!chosen.empty()) {
    std::erase_if(templates, [](auto& one) { return one.name == "default"; });
    templates.insert(templates.begin(), {"default", chosen});
  }
  // With a file beside it the config's own templates no longer count: then all are files.
  if (state_->templates_in_files || !chosen.empty() || state_->config.empty())
    write_templates(folder, templates);
}

TextStream::TextStream(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(tokenizer), skip_special_(skip_special) {}

std::string TextStream::push(int32_t id) {
  const Tokenizer::State& state = *tokenizer_.state_;
  const std::string& bytes = tokenizer_.token_bytes(id);
  if (skip_special_ && is_skipped(state, id)) return "";
  if (!is_of_bytes(state)) return push_token(id);
  held_ += bytes;
  const size_t tail = incomplete_tail(held_);
  std::string out = valid_utf8(std::string_view(held_).substr(0, held_.size() - tail));
  held_.erase(0, held_.size() - tail);
  return out;
}

// What a decoder makes of a token depends on those before it: the last ones are decoded again, and
// what is new is given out.
std::string TextStream::push_token(int32_t id) {
  constexpr size_t most = 64, kept = 16;
  const Decoder& decoder = tokenizer_.state_->decoder;
  auto is_byte = [&](int32_t token) {
    return decoder.has_bytes() && byte_of_token(tokenizer_.token_text(token)) >= 0;
  };
  ids_.push_back(id);
  const std::string text = tokenizer_.decode(ids_);
  // Bytes that are no character yet may become one.
  if (text.ends_with(replacement_character) || !text.starts_with(held_)) return "";
  const std::string out = text.substr(held_.size());
  held_ = text;
  size_t from = ids_.size() > most ? ids_.size() - kept : 0;
  while (from > 0 && is_byte(ids_[from])) --from;
  if (from > 0) {
    ids_.erase(ids_.begin(), ids_.begin() + int64_t(from));
    held_ = tokenizer_.decode(ids_);
  }
  return out;
}

std::string TextStream::finish() {
  std::string out;
  if (is_of_bytes(*tokenizer_.state_)) {
    out = valid_utf8(held_);
  } else if (const std::string text = tokenizer_.decode(ids_); text.size() > held_.size()) {
    out = valid_utf8(text.substr(held_.size()));
  }
  held_.clear();
  ids_.clear();
  return out;
}

}  // namespace afina
