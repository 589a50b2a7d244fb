// Turns, answers, and what fits into the context.
#include "tools/runs/dialogue.h"

#include <algorithm>

namespace afina {

std::vector<int32_t> prompt_tokens(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<int32_t> ids = tokenizer.encode(text);
  const std::vector<int32_t>& first = tokenizer.before_text();
  if (ids.size() < first.size() || !std::equal(first.begin(), first.end(), ids.begin()))
    ids.insert(ids.begin(), first.begin(), first.end());
  return ids;
}

GenerateOptions within(const Tokenizer& tokenizer, GenerateOptions options) {
  options.known = [&tokenizer](int32_t id) { return tokenizer.has(id); };
  return options;
}

Answer continue_tokens(Model& model, const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                       const GenerateOptions& options, const WriteText& write) {
  Answer answer;
  TextStream stream(tokenizer);
  auto pass_on = [&](const std::string& text) {
    answer.text += text;
    return write(text);
  };
  GenerateOptions each = within(tokenizer, options);
  each.each = [&](int32_t token) { return pass_on(stream.push(token)); };
  answer.prompt_tokens = int64_t(ids.size());
  answer.generated = generate(model, ids, each);
  pass_on(stream.finish());
  return answer;
}

Dialogue::Dialogue(Model& model, const Tokenizer& tokenizer, ChatTemplate format,
                   GenerateOptions options, const std::string& system)
    : model_(&model),
      tokenizer_(tokenizer),
      format_(std::move(format)),
      options_(std::move(options)) {
  if (!system.empty()) messages_.push_back({"system", system});
}

void Dialogue::use(Model& model, ChatTemplate format, GenerateOptions options) {
  model_ = &model;
  format_ = std::move(format);
  options_ = std::move(options);
}

Answer Dialogue::say(const std::string& text, const WriteText& write) {
  messages_.push_back({"user", text});
  if (messages_.size() == 2 && messages_[0].role == "system") format_.check_read(messages_);
  int64_t left_out = 0;
  const std::vector<int32_t> ids = fit(left_out);
  Answer answer = continue_tokens(*model_, tokenizer_, ids, options_, write);
  answer.left_out = left_out;
  messages_.push_back({"assistant", answer.text});
  return answer;
}

std::vector<int32_t> Dialogue::fit(int64_t& left_out) {
  const int64_t context = model_->context();
  const int64_t needed = std::min<int64_t>(options_.most, context / 4);
  for (;; ++left_out) {
    std::vector<int32_t> ids = tokenizer_.encode(format_.text(messages_, true));
    const int64_t first = messages_[0].role == "system" ? 1 : 0;
    if (context - int64_t(ids.size()) >= needed || int64_t(messages_.size()) < first + 3)
      return ids;
    messages_.erase(messages_.begin() + first, messages_.begin() + first + 2);
  }
}

}  // namespace afina
