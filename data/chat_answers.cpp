// Answers by rendering a conversation with and without them.
#include "data/chat_answers.h"

#include <algorithm>

#include "data/chat_marks.h"
#include "engine/error.h"

namespace afina {

namespace {

class AnswerFinder {
 public:
  AnswerFinder(const ChatTemplate::State& state, const Rendering& rendering,
               const std::vector<Message>& messages, const std::string& text, Answers answers)
      : state_(state), rendering_(rendering), messages_(messages), text_(text), answers_(answers) {}

  Range range(size_t i) const {
    const size_t from = begin(i);
    if (state_.end_text.empty())
      fail(rendering_.name(), " ends an answer with \"", state_.after_answer,
           "\", in which no token of this tokenizer ends a turn: a model could not learn to stop. "
           "Choose another with --template");
    bool exact = true;
    const size_t limit = end_of_region(i, exact);
    const std::string& mark = state_.end_text;
    const size_t at = exact && limit >= mark.size() ? text_.rfind(mark, limit - mark.size())
                                                    : text_.find(mark, from);
    if (at != text_.npos && at >= from && at + mark.size() <= limit)
      return {int64_t(from), int64_t(at + mark.size())};
    const size_t end = other_end(i, from);
    if (end == text_.npos) {
      const bool goes_on = i + 1 < messages_.size() && messages_[i + 1].role == "assistant";
      unsure(i, "it is not followed by " + mark +
                    ", which ends an answer elsewhere, nor by another token that is known to" +
                    (goes_on ? "; it goes on in the assistant's next turn: join the two" : ""));
    }
    return {int64_t(from), int64_t(end)};
  }

 private:
  // Where an answer begins: where a prompt for it ends, which the model reads in generation.
  size_t begin(size_t i) const {
    std::string prompt;
    try {
      prompt = rendering_.first(i, true).text;
    } catch (const Error& error) {
      unsure(i, std::string("the turns before it cannot be rendered without it: ") + error.what());
    }
    if (!text_.starts_with(prompt))
      unsure(i, "what the template asks for it with is not the beginning of the conversation");
    return prompt.size();
  }

  // The bytes from an answer's beginning to this one belong to its turn. Templates that write an
  // earlier answer otherwise than the last one (without its reasoning) show only where the next
  // turn's text begins: not exact.
  size_t end_of_region(size_t i, bool& exact) const {
    if (i + 1 == messages_.size()) return text_.size();
    const std::string up_to = rendering_.first(i + 1, false).text;
    if (text_.starts_with(up_to)) return up_to.size();
    exact = false;
    Message next = messages_[i + 1];
    next.content = next.content.starts_with("#") ? "*" : "#";
    if (next.more.is_object()) next.more.erase("content");
    const std::string other = rendering_.with_turn(messages_.size(), i + 1, next);
    const size_t shared = std::min(other.size(), text_.size());
    return size_t(
        std::mismatch(text_.begin(), text_.begin() + int64_t(shared), other.begin()).first -
        text_.begin());
  }

  // The end of a turn that ends with another token than the template's answers do: one that calls a
  // tool, or one that is not the last. With the turn as the last of the conversation its text ends
  // with a special token; the same text stands in the whole conversation, followed by that token or
  // by one that other turns end with. npos where that is not so.
  size_t other_end(size_t i, size_t from) const {
    std::vector<std::string> endings = {rendering_.first(i + 1, false).text};
    if (reasoning_of(messages_[i])) {  // which templates leave out of earlier turns
      Message without = messages_[i];
      for (const char* key : reasoning_keys) without.more.erase(key);
      try {
        endings.push_back(rendering_.with_turn(i + 1, i, without));
      } catch (const Error&) {}  // a template may ask for it
    }
    for (const std::string& up_to : endings) {
      const std::string_view last = special_at_end(up_to);
      if (last.empty()) continue;
      const size_t at = size_t(last.data() - up_to.data());
      if (at < from || text_.compare(0, at, up_to, 0, at) != 0) continue;
      const std::string found = special_at(at);
      if (!found.empty() && (found == last || ends_turns(i, found))) return at + found.size();
    }
    return text_.npos;
  }

  // The special token that a text ends with but for white space; empty where it ends with none.
  std::string_view special_at_end(const std::string& text) const {
    const size_t end = text.find_last_not_of(" \t\r\n") + 1;
    for (const std::string& token : state_.special)
      if (std::string_view(text).substr(0, end).ends_with(token))
        return std::string_view(text).substr(end - token.size(), token.size());
    return {};
  }

  std::string special_at(size_t at) const {
    for (const std::string& token : state_.special)
      if (text_.compare(at, token.size(), token) == 0) return token;
    return {};
  }

  // Does a turn before turn i end with this token?
  bool ends_turns(size_t i, const std::string& token) const {
    for (size_t count = i; count > 0; --count) try {
        if (special_at_end(rendering_.first(count, false).text) == token) return true;
      } catch (const Error&) {}  // a template may refuse a part of a conversation
    return false;
  }

  [[noreturn]] void unsure(size_t i, const std::string& why) const {
    const bool last =
        std::none_of(messages_.begin() + int64_t(i) + 1, messages_.end(),
                     [](const Message& message) { return message.role == "assistant"; });
    fail(rendering_.name(), ": what of ", turn_name(messages_, i),
         " the assistant writes is not certain: ", why,
         ". Choose a template that marks it ({% generation %}) with --template FILE, ",
         last || answers_ == Answers::last
             ? "or train on everything (--train-on all)"
             : "mark the turn \"train\": false, or train on the last answer or on everything "
               "(--train-on last or all)");
  }

  const ChatTemplate::State& state_;
  const Rendering& rendering_;
  const std::vector<Message>& messages_;
  const std::string& text_;
  const Answers answers_;
};

}  // namespace

std::vector<Range> rendered_answers(const ChatTemplate::State& state, const Rendering& rendering,
                                    const std::vector<Message>& messages, const std::string& text,
                                    const std::vector<size_t>& wanted, Answers answers) {
  const AnswerFinder finder(state, rendering, messages, text, answers);
  std::vector<Range> ranges;
  for (size_t i : wanted) ranges.push_back(finder.range(i));
  return ranges;
}

}  // namespace afina
