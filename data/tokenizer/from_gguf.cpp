// Converts a GGUF file's tokenizer to the equivalent tokenizer.json and tokenizer_config.json.
#include <algorithm>

#include "data/tokenizer/gguf_pre.h"
#include "data/tokenizer/state.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

// Keeps the order of keys, for human readers of the file.
using Ordered = OrderedJson;

// Values of tokenizer.ggml.token_type.
enum TokenType { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

constexpr size_t longest_scored = 512;

struct Source {
  const Json& metadata;
  const std::string& name;
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  int32_t id(const char* role) const {
    return get_or<int32_t>(metadata, std::string("tokenizer.ggml.") + role + "_token_id", name, -1);
  }
  bool flag(const char* key, bool otherwise) const {
    return get_or<bool>(metadata, std::string("tokenizer.ggml.") + key, name, otherwise);
  }
};

Ordered added_tokens_of(const Source& from) {
  Ordered added = Ordered::array();
  for (size_t id = 0; id < from.tokens.size(); ++id) {
    int32_t type = from.types[id];
    if (from.tokens[id].empty() || (type != control && type != user_defined && type != unknown))
      continue;
    added.push_back({{"id", id},
                     {"content", from.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type != user_defined}});
  }
  return added;
}

Ordered vocabulary_of(const Source& from) {
  Ordered::object_t vocabulary;
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t id = 0; id < from.tokens.size(); ++id) {
    auto [twin, fresh] = seen.emplace(from.tokens[id], id);
    require(fresh, from.name, ": the tokens ", twin->second, " and ", id, " are both \"",
            from.tokens[id], "\"");
    vocabulary.push_back({from.tokens[id], id});
  }
  return vocabulary;
}

// SentencePiece stores scores instead of merges: every way to build a token from two others is a
// merge, ordered by the score of the result.
Ordered merges_of_scores(const Source& from) {
  auto scores = get<std::vector<float>>(from.metadata, "tokenizer.ggml.scores", from.name);
  require(scores.size() == from.tokens.size(), from.name, ": tokenizer.ggml.scores: expected ",
          from.tokens.size(), " numbers, found ", scores.size());
  for (float score : scores)
    require(score - score == 0.f, from.name, ": tokenizer.ggml.scores: ", score, " orders nothing");
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t id = 0; id < from.tokens.size(); ++id) ids.emplace(from.tokens[id], id);
  struct Merge {
    float score;
    size_t left, right;
  };
  std::vector<Merge> all;
  for (size_t id = 0; id < from.tokens.size(); ++id) {
    std::string_view token = from.tokens[id];
    if (from.types[id] != normal && from.types[id] != user_defined) continue;
    // All ways to split a token are tried, quadratic in its length.
    require(token.size() <= longest_scored, from.name, ": token ", id, " has ", token.size(),
            " bytes; at most ", longest_scored, " are expected of a SentencePiece token");
    size_t begin = all.size();
    for (size_t at = 1; at < token.size(); ++at) {
      if ((uint8_t(token[at]) & 0xC0) == 0x80) continue;
      auto left = ids.find(token.substr(0, at)), right = ids.find(token.substr(at));
      if (left != ids.end() && right != ids.end())
        all.push_back({scores[id], left->second, right->second});
    }
    std::sort(all.begin() + int64_t(begin), all.end(), [](const Merge& a, const Merge& b) {
      return std::pair(a.left, a.right) < std::pair(b.left, b.right);
    });
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Merge& a, const Merge& b) { return a.score > b.score; });
  Ordered merges = Ordered::array();
  for (auto& merge : all) merges.push_back({from.tokens[merge.left], from.tokens[merge.right]});
  return merges;
}

Ordered post_processor_of(const Source& from, bool adds_bos, bool adds_eos) {
  if (!adds_bos && !adds_eos) return nullptr;
  Ordered single = Ordered::array(), pair = Ordered::array(), special = Ordered::object();
  auto put = [&](int32_t id) {
    const std::string& token = from.tokens[id];
    single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
    pair.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
    special[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
  };
  if (adds_bos) put(from.id("bos"));
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  pair.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
  if (adds_eos) put(from.id("eos"));
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

void fill_byte_level(const Source& from, Ordered& json) {
  auto pre = get_or<std::string>(from.metadata, "tokenizer.ggml.pre", from.name, "default");
  json["normalizer"] =
      pre == "qwen2" || pre == "deepseek-r1-qwen" ? Ordered{{"type", "NFC"}} : Ordered();
  json["pre_tokenizer"] = gguf_pre_tokenizer(pre, from.name);
  json["decoder"] = {{"type", "ByteLevel"},
                     {"add_prefix_space", false},
                     {"trim_offsets", true},
                     {"use_regex", true}};
  json["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false}};
  json["model"]["ignore_merges"] = pre.starts_with("llama");
  json["model"]["vocab"] = vocabulary_of(from);
  json["model"]["merges"] =
      get<std::vector<std::string>>(from.metadata, "tokenizer.ggml.merges", from.name);
}

void fill_sentence_piece(const Source& from, Ordered& json) {
  Ordered replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  Ordered back = {{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}};
  bool prefix = from.flag("add_space_prefix", true);
  Ordered normalizers = Ordered::array(), decoders = Ordered::array();
  if (prefix) normalizers.push_back({{"type", "Prepend"}, {"prepend", "\u2581"}});
  normalizers.push_back(replace);
  decoders = {back, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (prefix) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", normalizers}};
  json["pre_tokenizer"] = nullptr;
  json["decoder"] = {{"type", "Sequence"}, {"decoders", decoders}};
  int32_t unk = from.id("unknown");
  json["model"] = {{"type", "BPE"}, {"dropout", nullptr}};
  json["model"]["unk_token"] =
      unk >= 0 && size_t(unk) < from.tokens.size() ? Ordered(from.tokens[unk]) : Ordered();
  json["model"]["fuse_unk"] = true;
  json["model"]["byte_fallback"] = true;
  json["model"]["vocab"] = vocabulary_of(from);
  json["model"]["merges"] = merges_of_scores(from);
}

// tokenizer.chat_template, and the named ones beside it (tokenizer.chat_template.NAME).
void add_templates(const Json& metadata, const std::string& name, Ordered& config) {
  const std::string key = "tokenizer.chat_template";
  Ordered named = Ordered::array();
  for (auto& one : metadata.items())
    if (one.first.starts_with(key + "."))
      named.push_back({{"name", one.first.substr(key.size() + 1)},
                       {"template", get<std::string>(metadata, one.first, name)}});
  if (!find_member(metadata, key, name)) {
    if (!named.empty()) config["chat_template"] = named;
    return;
  }
  const std::string text = get<std::string>(metadata, key, name);
  if (named.empty()) {
    config["chat_template"] = text;
    return;
  }
  named.push_back({{"name", "default"}, {"template", text}});
  config["chat_template"] = named;
}

}  // namespace

TokenizerFiles tokenizer_files_of_gguf(const Json& metadata, const std::string& name) {
  auto model = get<std::string>(metadata, "tokenizer.ggml.model", name);
  require(model == "gpt2" || model == "llama", name, ": tokenizer.ggml.model is \"", model,
          "\"; supported are gpt2 and llama",
          model == "t5" ? ". A Unigram tokenizer (t5) is read from the model's folder with "
                          "tokenizer.json, as GGUF leaves out how words are cut"
                        : "");
  Source from{
      metadata, name, get<std::vector<std::string>>(metadata, "tokenizer.ggml.tokens", name), {}};
  require(!from.tokens.empty(), name, ": tokenizer.ggml.tokens is empty");
  for (auto& token : from.tokens)
    require(is_utf8(token), name, ": token ", &token - from.tokens.data(),
            " of tokenizer.ggml.tokens is not UTF-8");
  from.types = get_or<std::vector<int32_t>>(metadata, "tokenizer.ggml.token_type", name,
                                            std::vector<int32_t>(from.tokens.size(), normal));
  require(from.types.size() == from.tokens.size(), name, ": tokenizer.ggml.token_type: expected ",
          from.tokens.size(), " entries, found ", from.types.size());
  auto token_of = [&](const char* role) {
    int32_t id = from.id(role);
    require(id < int64_t(from.tokens.size()), name, ": the ", role, " token is ", id,
            ", but there are ", from.tokens.size(), " tokens");
    return id >= 0 ? Ordered(from.tokens[id]) : Ordered();
  };
  Ordered config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                    {"clean_up_tokenization_spaces", false}};
  config["bos_token"] = token_of("bos");
  config["eos_token"] = token_of("eos");
  config["pad_token"] = token_of("padding");
  config["unk_token"] = token_of("unknown");
  add_templates(metadata, name, config);

  Ordered json = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  json["added_tokens"] = added_tokens_of(from);
  model == "gpt2" ? fill_byte_level(from, json) : fill_sentence_piece(from, json);
  // As llama.cpp: converters leave the key out for these, and the folders add the token.
  const auto pre = get_or<std::string>(metadata, "tokenizer.ggml.pre", name, "");
  const bool usual = model == "llama" || pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3";
  bool adds_bos = from.flag("add_bos_token", usual) && from.id("bos") >= 0;
  json["post_processor"] =
      post_processor_of(from, adds_bos, from.flag("add_eos_token", false) && from.id("eos") >= 0);
  try {
    return {json.dump(1) + "\n", config.dump(2) + "\n"};
  } catch (const JsonError& error) {
    fail(name, ": the tokenizer's texts are not UTF-8: ", error.what());
  }
}

}  // namespace afina
