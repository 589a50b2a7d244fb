// Chat templates of one text, and the answers they mark, for tests.
#pragma once
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "engine/files/json.h"

namespace afina {

inline Tokenizer tokenizer_of(const std::string& jinja) {
  Json json = {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", Json::array()}}},
               {"added_tokens", Json::array()}};
  for (const char* token : {"<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|return|>", "<call>"})
    json["added_tokens"].push_back(
        {{"id", json["added_tokens"].size() + 1}, {"content", token}, {"special", true}});
  Json config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"chat_template", jinja}};
  return Tokenizer::from_json(to_text(json), "test", to_text(config));
}
inline ChatTemplate chat_of(const std::string& jinja) {
  return ChatTemplate::own(tokenizer_of(jinja));
}

// The answers' texts, with | between them.
inline std::string answers_of(const std::string& jinja, const std::vector<Message>& messages,
                              Answers which = Answers::all, const TemplateInput& input = {}) {
  Rendered out = chat_of(jinja).render(messages, input, which);
  std::string all;
  for (Range range : out.answers)
    all += (all.empty() ? "" : "|") +
           out.text.substr(size_t(range.begin), size_t(range.end - range.begin));
  return all;
}

inline Message turn(const std::string& role, const std::string& content, const std::string& more) {
  Message message{role, content};
  message.more = OrderedJson::parse(more);
  return message;
}

}  // namespace afina
