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

GivenAnswer continue_tokens(Model& model, const Tokenizer& tokenizer,
                            const std::vector<int32_t>& ids, const GenerateOptions& options,
                            const WriteText& write, KeptCache* kept) {
  GivenAnswer answer;
  TextStream stream(tokenizer);
  auto pass_on = [&](const std::string& text) {
    answer.text += text;
    return write(text);
  };
  GenerateOptions each = within(tokenizer, options);
  each.each = [&](int32_t token) { return pass_on(stream.push(token)); };
  answer.prompt_tokens = int64_t(ids.size());
  answer.generated = generate(model, ids, each, kept);
  pass_on(stream.finish());
  return answer;
}

namespace {

// The tokens of a conversation that ends with a question. Leaves out the oldest exchanges behind
// `first` until there is room; left_out: how many were left out already, and then are.
std::vector<int32_t> fitted(const Model& model, const Tokenizer& tokenizer,
                            const ChatTemplate& format, int64_t most,
                            const std::vector<Message>& messages, size_t first, size_t& left_out) {
  const int64_t context = model.context();
  const int64_t needed = std::min<int64_t>(most, context / 4);
  std::vector<Message> read = messages;
  const auto oldest = read.begin() + int64_t(first);
  read.erase(oldest, oldest + 2 * int64_t(left_out));
  for (;; ++left_out) {
    std::vector<int32_t> ids = tokenizer.encode(format.text(read, true));
    if (context - int64_t(ids.size()) >= needed || read.size() < first + 3) return ids;
    read.erase(read.begin() + int64_t(first), read.begin() + int64_t(first) + 2);
  }
}

}  // namespace

Dialogue::Dialogue(Model& model, const Tokenizer& tokenizer, ChatTemplate format,
                   GenerateOptions options, const std::string& system)
    : model_(&model),
      tokenizer_(tokenizer),
      format_(std::move(format)),
      options_(std::move(options)) {
  if (!system.empty()) messages_.push_back({"system", system});
}

void Dialogue::use(Model& model, ChatTemplate format, GenerateOptions options) {
  if (model_ != &model) kept_ = {};
  model_ = &model;
  format_ = std::move(format);
  options_ = std::move(options);
  left_out_ = 0;
}

void Dialogue::system(const std::string& text) {
  if (!text.empty()) format_.check_read({{"system", text}, {"user", "Hello"}});
  messages_.erase(messages_.begin(), messages_.begin() + int64_t(first()));
  if (!text.empty()) messages_.insert(messages_.begin(), {"system", text});
  left_out_ = 0;
}

void Dialogue::reset() {
  messages_.resize(first());
  left_out_ = 0;
}

bool Dialogue::undo() {
  if (messages_.size() < first() + 2) return false;
  messages_.resize(messages_.size() - 2);
  left_out_ = 0;
  return true;
}

GivenAnswer Dialogue::say(const std::string& text, const WriteText& write) {
  const size_t before = left_out_;
  messages_.push_back({"user", text});
  try {
    if (messages_.size() == 2 && first() == 1) format_.check_read(messages_);
    const std::vector<int32_t> ids =
        fitted(*model_, tokenizer_, format_, options_.most, messages_, first(), left_out_);
    GivenAnswer answer = continue_tokens(*model_, tokenizer_, ids, options_, write, &kept_);
    answer.left_out = int64_t(left_out_ - before);
    messages_.push_back({"assistant", answer.text});
    return answer;
  } catch (...) {
    messages_.pop_back();
    left_out_ = before;
    throw;
  }
}

GivenAnswer Dialogue::would_say(Model& model, const ChatTemplate& format,
                                const GenerateOptions& options, const std::string& text,
                                const WriteText& write) const {
  std::vector<Message> messages = messages_;
  messages.push_back({"user", text});
  size_t left_out = 0;
  const std::vector<int32_t> ids =
      fitted(model, tokenizer_, format, options.most, messages, first(), left_out);
  return continue_tokens(model, tokenizer_, ids, options, write);
}

}  // namespace afina
