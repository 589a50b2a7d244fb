// Tokenizers as GGUF has them: byte-level BPE with merges, or BPE in SentencePiece's way with a
// score for each token.
#include "data/tokenizer/to_gguf.h"

#include <algorithm>
#include <unordered_map>

#include "data/tokenizer/gguf_pre.h"
#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

// Values of tokenizer.ggml.token_type.
enum TokenType { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

constexpr const char* instead = "; export a Hugging Face folder (--to hf)";

const Json* given(const Json& json, const char* key, const std::string& where) {
  const Json* found = find_member(json, key, where);
  return found && !found->is_null() ? found : nullptr;
}

// Does a pre-tokenizer or normalizer have a part of this type?
const Json* part_of(const Json& json, const std::string& type) {
  if (!json.is_object()) return nullptr;
  if (json.value("type", "") == type) return &json;
  for (const char* list : {"pretokenizers", "normalizers"})
    if (json.contains(list))
      for (const Json& one : json.at(list).elements())
        if (const Json* found = part_of(one, type)) return found;
  return nullptr;
}

struct Pair {
  std::string left, right;
};

class Writer {
 public:
  Writer(const Tokenizer& tokenizer, const GgufTokenizerOptions& options, GgufPairs& out)
      : tokenizer_(tokenizer),
        options_(options),
        out_(out),
        json_(parse_json(tokenizer.json_text(), where_)),
        model_(member(json_, "model", where_)) {
    for (const AddedToken& token : tokenizer.added_tokens())
      added_[token.id] = token.special ? control : user_defined;
  }

  std::vector<std::string> write() {
    const std::string type = model_.value("type", "BPE");
    require(type == "BPE" && !given(model_, "continuing_subword_prefix", where_) &&
                !given(model_, "end_of_word_suffix", where_),
            where_, ": a tokenizer of type ", type, " is not written as GGUF, only byte-level BPE ",
            "and BPE in SentencePiece's way", instead);
    require(tokenizer_.size() <= options_.rows, where_, ": has ", tokenizer_.size(),
            " tokens where the embedding has ", options_.rows, " rows; llama.cpp needs as many");
    const Json* pre = given(json_, "pre_tokenizer", where_);
    if (pre && part_of(*pre, "ByteLevel")) byte_level(*pre);
    else sentence_piece();
    put_ids();
    put_surroundings();
    put_templates();
    return notes_;
  }

 private:
  void byte_level(const Json& pre) {
    const std::string name = gguf_pre_name(pre, where_);
    const bool ignores = model_.value("ignore_merges", false);
    require(ignores == (name == "llama-bpe"), where_, ": ignore_merges is ",
            ignores ? "true" : "false", " where llama.cpp has the opposite for the pre-tokenizer '",
            name, "'", instead);
    if (const Json* normalizer = given(json_, "normalizer", where_)) {
      require(normalizer->value("type", "") == "NFC", where_, ": the normalizer ",
              normalizer->value("type", "?"), " has no place in GGUF", instead);
      notes_.push_back(
          "the tokenizer composes characters (NFC) and llama.cpp does not: text with "
          "combining marks has other tokens there");
    }
    out_.set("tokenizer.ggml.model", "gpt2");
    out_.set("tokenizer.ggml.pre", name);
    put_tokens();
    std::vector<std::string> merges;
    for (const Pair& pair : pairs()) merges.push_back(pair.left + " " + pair.right);
    out_.set("tokenizer.ggml.merges", merges);
  }

  void sentence_piece() {
    require(model_.value("byte_fallback", false), where_, ": BPE without ByteLevel and without ",
            "byte_fallback is not written as GGUF", instead);
    const bool prefix = adds_space();
    const std::string unk = given(model_, "unk_token", where_)
                                ? get<std::string>(model_, "unk_token", where_)
                                : std::string();
    out_.set("tokenizer.ggml.model", "llama");
    out_.set("tokenizer.ggml.pre", "default");
    if (!unk.empty()) unknown_ = tokenizer_.id_of(unk);
    const std::vector<float> scores = scores_of_merges();
    put_tokens();
    out_.set("tokenizer.ggml.scores", scores);
    out_.set("tokenizer.ggml.add_space_prefix", prefix);
  }

  // Is a space put before a text, in either of the two forms there are? An Error for other forms.
  bool adds_space() const {
    const Json* normalizer = given(json_, "normalizer", where_);
    const Json* pre = given(json_, "pre_tokenizer", where_);
    if (pre) {
      require(pre->value("type", "") == "Metaspace" && !normalizer &&
                  pre->value("replacement", "\u2581") == "\u2581" && !pre->value("split", true),
              where_, ": this pre-tokenizer has no place in a GGUF of SentencePiece's kind; ",
              "expected Metaspace without split, or none", instead);
      return pre->value("prepend_scheme", "always") != "never";
    }
    const Json* replace = normalizer ? part_of(*normalizer, "Replace") : nullptr;
    require(replace && replace->value("content", "") == "\u2581", where_,
            ": this normalizer has no place in a GGUF of SentencePiece's kind; expected spaces ",
            "replaced by \u2581", instead);
    const Json steps = normalizer->value("normalizers", Json::array());
    for (const Json& one : steps.elements()) {
      const std::string type = one.value("type", "");
      require(type == "Prepend" || type == "Replace", where_, ": the normalizer ", type,
              " has no place in GGUF", instead);
    }
    return part_of(*normalizer, "Prepend") != nullptr;
  }

  std::vector<Pair> pairs() const {
    std::vector<Pair> all;
    for (const Json& one : member(model_, "merges", where_).elements()) {
      if (one.is_array() && one.size() == 2) {
        all.push_back({one[0].get<std::string>(), one[1].get<std::string>()});
      } else {
        const std::string text = one.get<std::string>();
        const size_t blank = text.find(' ');
        require(blank != text.npos, where_, ": merges: \"", text, "\" is no pair");
        all.push_back({text.substr(0, blank), text.substr(blank + 1)});
      }
      const Pair& pair = all.back();
      require(pair.left.find(' ') == std::string::npos && pair.right.find(' ') == std::string::npos,
              where_, ": merges: \"", pair.left, "\", \"", pair.right,
              "\" have a space, which separates the two in GGUF", instead);
    }
    return all;
  }

  // With scores, two neighbours become one wherever the vocabulary has the result, the best score
  // first: the merges must be all there are, in the order of their results.
  std::vector<float> scores_of_merges() const {
    std::unordered_map<std::string, std::pair<int64_t, int64_t>> results;  // rank, merges
    std::string last;
    for (const Pair& pair : pairs()) {
      const std::string result = pair.left + pair.right;
      auto [found, fresh] = results.try_emplace(result, int64_t(results.size()), 0);
      require(fresh || result == last, where_, ": merges: those that give \"", result,
              "\" do not follow each other, which scores cannot say", instead);
      ++found->second.second;
      last = result;
    }
    std::vector<float> scores(size_t(options_.rows), 0.f);
    int64_t single = int64_t(results.size());
    for (int32_t id = 0; id < tokenizer_.size(); ++id) {
      if (type_of(id) != normal) continue;
      const std::string& text = tokenizer_.token_text(id);
      auto found = results.find(text);
      if (found == results.end()) {
        scores[size_t(id)] = -float(single++);
        continue;
      }
      scores[size_t(id)] = -float(found->second.first);
      int64_t ways = 0;
      for (size_t at = 1; at < text.size(); ++at)
        ways += (uint8_t(text[at]) & 0xC0) != 0x80 && tokenizer_.id_of(text.substr(0, at)) >= 0 &&
                tokenizer_.id_of(text.substr(at)) >= 0;
      require(ways == found->second.second, where_, ": merges: there are ", ways, " ways to put \"",
              text, "\" together and ", found->second.second, " merges, which scores cannot say",
              instead);
    }
    return scores;
  }

  int32_t type_of(int32_t id) const {
    if (id >= tokenizer_.size() || !tokenizer_.has(id)) return unused;
    if (id == unknown_) return unknown;
    if (auto found = added_.find(id); found != added_.end()) return found->second;
    const std::string& text = tokenizer_.token_text(id);
    const bool is_byte = model_.value("byte_fallback", false) && text.size() == 6 &&
                         text.starts_with("<0x") && text.ends_with('>');
    return is_byte ? byte : normal;
  }

  void put_tokens() {
    std::vector<std::string> tokens;
    std::vector<int32_t> types;
    for (int32_t id = 0; id < options_.rows; ++id) {
      types.push_back(type_of(id));
      tokens.push_back(types.back() == unused ? "[PAD" + std::to_string(id) + "]"
                                              : tokenizer_.token_text(id));
    }
    out_.set("tokenizer.ggml.tokens", tokens);
    out_.set("tokenizer.ggml.token_type", types);
  }

  void put_ids() {
    const int32_t eos = options_.eos >= 0 ? options_.eos : tokenizer_.eos();
    int32_t bos = tokenizer_.bos();
    const auto& before = tokenizer_.before_text();
    if (bos < 0 && before.size() == 1) bos = before[0];
    put_id("bos", bos);
    put_id("eos", eos);
    for (auto& [role, token] : tokenizer_.named_tokens())
      if (role == "unk_token") put_id("unknown", tokenizer_.id_of(token));
    put_id("padding", tokenizer_.pad());
    if (options_.end_of_turn != eos) put_id("eot", options_.end_of_turn);
    bos_ = bos;
    eos_ = eos;
  }
  void put_id(const std::string& role, int32_t id) {
    if (id >= 0) out_.set("tokenizer.ggml." + role + "_token_id", uint32_t(id));
  }

  // What the post-processor puts around a text. Said in both cases: without the key llama.cpp
  // decides by the pre-tokenizer's name.
  void put_surroundings() {
    auto only = [&](const std::vector<int32_t>& added, int32_t id, const char* where_put) {
      require(added.empty() || (added.size() == 1 && added[0] == id), where_,
              ": the post-processor puts ", added.size(), " tokens ", where_put,
              " a text; GGUF can say one, the text's own begin or end", instead);
      return !added.empty();
    };
    out_.set("tokenizer.ggml.add_bos_token", only(tokenizer_.before_text(), bos_, "before"));
    if (only(tokenizer_.after_text(), tokenizer_.eos(), "after")) {
      require(eos_ == tokenizer_.eos(), where_, ": every text ends with the token ",
              tokenizer_.eos(), ", which is not the one that ends an answer (", eos_, ")", instead);
      out_.set("tokenizer.ggml.add_eos_token", true);
    }
  }

  void put_templates();

  const std::string where_ = "tokenizer.json";
  const Tokenizer& tokenizer_;
  const GgufTokenizerOptions& options_;
  GgufPairs& out_;
  Json json_;
  const Json& model_;
  std::unordered_map<int32_t, int32_t> added_;  // types of added tokens by id
  int32_t bos_ = -1, eos_ = -1, unknown_ = -1;
  std::vector<std::string> notes_;
};

// Letters, digits and _ of a template's name; anything else becomes _.
std::string plain_name(std::string name) {
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain) c = '_';
  }
  return name;
}

void Writer::put_templates() {
  std::string text = options_.chat_template;
  std::vector<std::string> names;
  for (const NamedTemplate& one : tokenizer_.chat_templates()) {
    if (one.name == "default") {
      if (text.empty()) text = one.text;
      continue;
    }
    const std::string name = plain_name(one.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.push_back(name);
    out_.set("tokenizer.chat_template." + name, one.text);
  }
  if (!names.empty()) out_.set("tokenizer.chat_templates", names);
  if (!text.empty()) out_.set("tokenizer.chat_template", text);
}

}  // namespace

std::vector<std::string> put_tokenizer(const Tokenizer& tokenizer,
                                       const GgufTokenizerOptions& options, GgufPairs& out) {
  try {
    return Writer(tokenizer, options, out).write();
  } catch (const JsonError& error) {
    fail("tokenizer.json: has a value of another kind than expected: ", error.what());
  }
}

void copy_tokenizer(const Gguf& from, const GgufTokenizerOptions& options, GgufPairs& out) {
  for (const GgufPair& pair : from.pairs())
    if (pair.key.starts_with("tokenizer.")) out.copy(pair);
  auto number = [&](const char* role) {
    return get_or<int32_t>(from.metadata(), std::string("tokenizer.ggml.") + role + "_token_id",
                           from.path(), -1);
  };
  if (options.eos >= 0) out.set("tokenizer.ggml.eos_token_id", uint32_t(options.eos));
  const int32_t eos = options.eos >= 0 ? options.eos : number("eos");
  if (options.end_of_turn >= 0 && options.end_of_turn != eos && number("eot") < 0)
    out.set("tokenizer.ggml.eot_token_id", uint32_t(options.end_of_turn));
  if (!options.chat_template.empty()) out.set("tokenizer.chat_template", options.chat_template);
}

}  // namespace afina
