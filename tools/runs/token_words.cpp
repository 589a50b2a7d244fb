// Texts of tokens, numbered by the tokenizer.
#include "tools/runs/token_words.h"

#include <algorithm>

#include "model/words.h"
#include "tools/runs/load.h"
#include "tools/text/format.h"

namespace afina {

namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

std::string number_of(const std::string& word, const std::string& method,
                      const Tokenizer& tokenizer) {
  if (is_number(word) || word.empty()) return word;
  if (const int32_t id = tokenizer.id_of(word); id >= 0) return std::to_string(id);
  const std::vector<int32_t> ids = tokenizer.encode(word);
  require(ids.size() == 1, "method '", method, "': tokens: '", harmless(word),
          "' is no token of the tokenizer but a text of ", ids.size(),
          "; name a token by its text or its number ('afina show --tokens' prints both)");
  return std::to_string(ids[0]);
}

bool names_tokens(const std::string& option) {
  return option == "tokens" || option == "trainable_token_indices";
}

}  // namespace

MethodSpec with_token_numbers(MethodSpec spec, const Tokenizer& tokenizer) {
  bool words = false;
  for (auto& [key, value] : spec.options) {
    if (!names_tokens(key)) continue;
    std::vector<std::string> items = split(value, '+');
    for (std::string& item : items) item = number_of(item, spec.name, tokenizer);
    words = words || value != joined(items, "+");
    value = joined(items, "+");
  }
  if (!words) return spec;
  MethodSpec numbered = method_spec(spec.name, spec.options);
  numbered.file = spec.file;
  numbered.label = spec.label;
  return numbered;
}

std::string with_token_numbers(const std::string& method, const Tokenizer& tokenizer) {
  const MethodSpec spec = parse_method(method), numbered = with_token_numbers(spec, tokenizer);
  if (numbered.options == spec.options) return method;
  return numbered.label.empty() ? numbered.text : numbered.text + ",name=" + numbered.label;
}

MethodSpec with_token_numbers_of(const std::string& model, MethodSpec spec) {
  bool words = false;
  for (auto& [key, value] : spec.options)
    words = words || (names_tokens(key) && value.find_first_not_of("0123456789+") != value.npos);
  return words ? with_token_numbers(std::move(spec), tokenizer_of(open_config(model))) : spec;
}

}  // namespace afina
