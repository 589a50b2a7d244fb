// llama.cpp knows pre-tokenizers by names, Hugging Face's files by what they do.
#include "data/tokenizer/gguf_pre.h"

#include <vector>

#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

// Keeps the order of keys, for human readers of the file.
using Ordered = OrderedJson;

Ordered byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}
Ordered split(const char* regex) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", regex}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}
Ordered sequence(std::initializer_list<Ordered> all) {
  Ordered list = Ordered::array();
  for (auto& one : all) list.push_back(one);
  return {{"type", "Sequence"}, {"pretokenizers", list}};
}

constexpr char llama3_pattern[] =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr char qwen2_pattern[] = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
                                 R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The names that a file may be given; others mean the same as one of them.
constexpr const char* names[] = {"gpt-2", "smollm", "llama-bpe", "qwen2"};

constexpr char gpt2_pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// What a pre-tokenizer does, a word for each step; forms that do the same have the same words.
void add_steps(const Json& json, const std::string& where, std::vector<std::string>& out) {
  const std::string type = get<std::string>(json, "type", where);
  if (type == "Sequence") {
    for (const Json& one : member(json, "pretokenizers", where).elements())
      add_steps(one, where, out);
  } else if (type == "ByteLevel") {
    require(!get_or<bool>(json, "add_prefix_space", where, false), where,
            ": add_prefix_space puts a space before every text, which llama.cpp does not do for ",
            "byte-level tokenizers; export a Hugging Face folder (--to hf)");
    if (get_or<bool>(json, "use_regex", where, true))
      out.push_back(std::string("split ") + gpt2_pattern);
    out.push_back("bytes");
  } else if (type == "Digits") {
    out.push_back(get_or<bool>(json, "individual_digits", where, false) ? "each digit" : "digits");
  } else if (type == "Split") {
    const Json& pattern = member(json, "pattern", where);
    const std::string behavior = get<std::string>(json, "behavior", where);
    const bool invert = get_or<bool>(json, "invert", where, false);
    // The known expressions match all text, so that what is not matched cannot be lost.
    const bool pieces = (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert);
    out.push_back((pieces ? "split " : "split (" + behavior + ") ") +
                  (pattern.contains("Regex") ? get<std::string>(pattern, "Regex", where)
                                             : "the text " + pattern.dump()));
  } else {
    out.push_back(type);
  }
}

std::vector<std::string> steps_of(const Json& json, const std::string& where) {
  std::vector<std::string> steps;
  add_steps(json, where, steps);
  return steps;
}

}  // namespace

OrderedJson gguf_pre_tokenizer(const std::string& pre, const std::string& name) {
  if (pre == "gpt-2" || pre == "olmo" || pre == "mpt") return byte_level(true);
  if (pre == "smollm" || pre == "starcoder" || pre == "refact" || pre == "command-r")
    return sequence({{{"type", "Digits"}, {"individual_digits", true}}, byte_level(true)});
  if (pre == "llama-bpe" || pre == "llama3" || pre == "llama-v3")
    return sequence({split(llama3_pattern), byte_level(false)});
  if (pre == "qwen2" || pre == "deepseek-r1-qwen")
    return sequence({split(qwen2_pattern), byte_level(false)});
  // llama.cpp's behaviour for files without the key.
  if (pre == "default")
    return sequence({split(R"([\p{P}\$\+<=>\^~\|]+)"), split(R"(\p{N}+)"), split("[0-9][0-9][0-9]"),
                     byte_level(true)});
  fail(name, ": tokenizer.ggml.pre is \"", pre,
       "\", which is not supported; known are gpt-2, smollm, llama-bpe, qwen2 and default. Use the "
       "model's folder with tokenizer.json "
       "instead");
}

std::string gguf_pre_name(const Json& pre_tokenizer, const std::string& file) {
  const std::vector<std::string> wanted = steps_of(pre_tokenizer, file + ": pre_tokenizer");
  for (const char* name : names)
    if (steps_of(Json(gguf_pre_tokenizer(name, file)), file) == wanted) return name;
  std::string found;
  for (const std::string& step : wanted) found += (found.empty() ? "" : ", then ") + step;
  fail(
      file, ": no pre-tokenizer that GGUF has a name for cuts text as this one (", found,
      "); llama.cpp would give other tokens. Known are those of GPT-2, SmolLM, Llama 3 and Qwen2. ",
      "Export a Hugging Face folder (--to hf)");
}

}  // namespace afina
