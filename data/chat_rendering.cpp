// Rendering of conversations with a chat template, and the answers in what is rendered.
#include <algorithm>

#include "data/chat_marks.h"
#include "data/jinja/from_json.h"
#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

// Keys that are null are left out, as transformers does: to a template they are not defined.
jinja::Value value_of_turn(const Message& message) {
  jinja::Dict turn;
  turn.items.emplace_back("role", message.role);
  const bool keys = message.more.is_object();
  if (!keys || !message.more.contains("content"))
    turn.items.emplace_back("content", message.content);
  if (keys)
    for (auto& [key, value] : message.more.items())
      if (!value.is_null()) turn.set(key, jinja::value_of(value));
  return jinja::Value(std::move(turn));
}

bool is_empty(const OrderedJson& value) {
  return value.is_null() ||
         (value.is_string() ? value.text().empty()
                            : (value.is_array() || value.is_object()) && value.empty());
}

// Finds out whether the template drops part of a conversation: what is not read is refused, since
// the model would learn from another conversation than the file's.
class DropCheck {
 public:
  DropCheck(const ChatTemplate::State& state, const Rendering& rendering,
            const std::vector<Message>& messages, const TemplateInput& input,
            const std::string& text)
      : state_(state), rendering_(rendering), messages_(messages), input_(input), text_(text) {}

  // For a conversation that cannot be rendered: a key that the template does not even mention is
  // the better reason (a turn that calls a tool has no text, which such a template stumbles over).
  void check_mentioned() const {
    for (size_t i = 0; i < messages_.size(); ++i)
      if (messages_[i].more.is_object())
        for (auto& [key, value] : messages_[i].more.items())
          if (is_said(key) && !is_empty(value) && !mentions(key)) fail_key(i, key);
  }

  void check() {
    for (size_t i = 0; i < messages_.size(); ++i) {
      check_content(i);
      if (messages_[i].more.is_object())
        for (auto& [key, value] : messages_[i].more.items()) check_key(i, key, value);
    }
    if (!is_empty(input_.tools) && same([&] { return rendering_.without_tools(); }, text_))
      fail("the record lists tools, which ", rendering_.name(),
           " has no place for: they would be dropped. Remove the key, or choose a template that "
           "writes them with --template");
    if (input_.variables.is_object())
      for (auto& [key, value] : input_.variables.items())
        require(mentions(key), "chat_template_kwargs has \"", key, "\", which ", rendering_.name(),
                " does not read; remove it, or choose another template with --template");
  }

 private:
  // Does another conversation render the same text? One that the template refuses is read.
  template <class Render>
  static bool same(Render render, const std::string& text) {
    try {
      return render() == text;
    } catch (const Error&) { return false; }
  }

  bool mentions(const std::string& key) const {
    return rendering_.source().find(key) != std::string::npos;
  }

  // The texts of questions and answers are looked for in their order. Any other turn, and a text
  // that the template changes, is changed to see whether that makes a difference.
  void check_content(size_t i) {
    const std::string& content = messages_[i].content;
    const size_t first = content.find_first_not_of(" \t\r\n");
    if (first == content.npos) return;
    const std::string_view core(content.data() + first,
                                content.find_last_not_of(" \t\r\n") + 1 - first);
    const size_t found = text_.find(core, at_);
    if (found != text_.npos) at_ = found + core.size();
    const bool usual = messages_[i].role == "user" || messages_[i].role == "assistant";
    if (found != text_.npos && (usual || state_.builtin)) return;
    Message changed = messages_[i];
    changed.content += " afina";
    if (same([&] { return rendering_.with_turn(messages_.size(), i, changed); }, text_))
      fail("the text of ", turn_name(messages_, i), " is left out by ", rendering_.name(),
           ", which has no place for it: remove it from the record, or choose another template "
           "with --template");
    if (found == text_.npos) check_lines(i);
  }

  // A template may write a part of a text, as what follows "</think>". Lines that are not found are
  // changed, with their turn as the last: thoughts of earlier turns are left out on purpose.
  void check_lines(size_t i) const {
    std::string text;
    try {
      text = rendering_.first(i + 1, false).text;
    } catch (const Error&) { return; }  // refused without the turns that follow
    const std::string& content = messages_[i].content;
    for (size_t begin = 0; begin < content.size();) {
      const size_t end = std::min(content.find('\n', begin), content.size());
      const std::string line = content.substr(begin, end - begin);
      begin = end + 1;
      if (line.find_first_not_of(" \t\r") == line.npos || text.find(line) != text.npos) continue;
      Message changed = messages_[i];
      changed.content.insert(end, " afina");
      if (same([&] { return rendering_.with_turn(i + 1, i, changed); }, text))
        fail("a part of the text of ", turn_name(messages_, i), " is left out by ",
             rendering_.name(), ": the line ",
             Json(line).dump(-1, ' ', false, Json::error_handler_t::replace),
             ". Remove it from the record, or choose another template with --template");
    }
  }

  // Keys that hold part of what is said. A template may write them in the last turns only: they are
  // looked for with their turn as the last.
  void check_key(size_t i, const std::string& key, const OrderedJson& value) const {
    if (!is_said(key) || is_empty(value)) return;
    Message without = messages_[i];
    without.more.erase(key);
    if (!same([&] { return rendering_.with_turn(i + 1, i, without); },
              rendering_.first(i + 1, false).text))
      return;
    fail_key(i, key);
  }

  [[noreturn]] void fail_key(size_t i, const std::string& key) const {
    fail(turn_name(messages_, i), " has ", key, ", which ", rendering_.name(),
         " has no place for: it would be dropped. Remove the key, or choose a template that writes "
         "it with --template");
  }

  static bool is_said(const std::string& key) {
    static const std::vector<std::string> said = {"tool_calls", "function_call",
                                                  "reasoning_content", "reasoning", "thinking"};
    return std::find(said.begin(), said.end(), key) != said.end();
  }

  const ChatTemplate::State& state_;
  const Rendering& rendering_;
  const std::vector<Message>& messages_;
  const TemplateInput& input_;
  const std::string& text_;
  size_t at_ = 0;
};

// Finds what the assistant writes by rendering the conversation with and without it.
class AnswerFinder {
 public:
  AnswerFinder(const ChatTemplate::State& state, const Rendering& rendering,
               const std::vector<Message>& messages, const std::string& text)
      : state_(state), rendering_(rendering), messages_(messages), text_(text) {}

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
    if (at == text_.npos || at < from || at + mark.size() > limit)
      unsure(i, "it is not followed by " + mark + ", which ends an answer elsewhere");
    return {int64_t(from), int64_t(at + mark.size())};
  }

  [[noreturn]] void unsure(size_t i, const std::string& why) const {
    fail(rendering_.name(), ": what of ", turn_name(messages_, i),
         " the assistant writes is not certain: ", why,
         ". Choose a template that marks it ({% generation %}) with --template FILE, or --train-on "
         "last or all");
  }

 private:
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

  const ChatTemplate::State& state_;
  const Rendering& rendering_;
  const std::vector<Message>& messages_;
  const std::string& text_;
};

// The turns whose answers are targets.
std::vector<size_t> wanted_turns(const std::vector<Message>& messages, Answers answers,
                                 std::vector<size_t>& assistant) {
  for (size_t i = 0; i < messages.size(); ++i)
    if (messages[i].role == "assistant") assistant.push_back(i);
  std::vector<size_t> wanted = assistant;
  if (answers == Answers::last && wanted.size() > 1) wanted.erase(wanted.begin(), wanted.end() - 1);
  std::erase_if(wanted, [&](size_t i) { return !messages[i].trained; });
  return wanted;
}

}  // namespace

Rendering::Rendering(const ChatTemplate::State& state, const std::vector<Message>& messages,
                     const TemplateInput& input)
    : state_(state),
      parsed_(state.with_tools && !input.tools.is_null() ? *state.with_tools : state.main),
      variables_(state.tokens) {
  for (const Message& message : messages) turns_.push_back(value_of_turn(message));
  if (!input.tools.is_null()) tools_ = jinja::value_of(input.tools);
  variables_.set("documents", jinja::Value());
  if (input.variables.is_object())
    for (auto& [key, value] : input.variables.items()) variables_.set(key, jinja::value_of(value));
}

jinja::Rendered Rendering::render(jinja::Values turns, bool ask, const jinja::Value& tools) const {
  jinja::Dict variables = variables_;
  variables.set("messages", jinja::Value(std::move(turns)));
  variables.set("tools", tools);
  variables.set("add_generation_prompt", jinja::Value(ask));
  jinja::Environment environment;
  environment.now = state_.now;
  jinja::Rendered out = parsed_.usable().render(variables, environment);
  if (environment.asked_for_now) state_.asked_for_date = true;
  return out;
}

jinja::Rendered Rendering::first(size_t count, bool ask) const {
  return render({turns_.begin(), turns_.begin() + int64_t(count)}, ask, tools_);
}

std::string Rendering::with_turn(size_t count, size_t i, const Message& turn) const {
  jinja::Values turns(turns_.begin(), turns_.begin() + int64_t(count));
  turns[i] = value_of_turn(turn);
  return render(std::move(turns), false, tools_).text;
}

std::string Rendering::without_tools() const { return render(turns_, false, {}).text; }

std::string ChatTemplate::text(const std::vector<Message>& messages, bool ask,
                               const TemplateInput& input) const {
  return Rendering(*state_, messages, input).first(messages.size(), ask).text;
}

void ChatTemplate::check_read(const std::vector<Message>& messages,
                              const TemplateInput& input) const {
  const Rendering rendering(*state_, messages, input);
  const std::string text = rendering.whole().text;
  DropCheck(*state_, rendering, messages, input, text).check();
}

Rendered ChatTemplate::render(const std::vector<Message>& messages, const TemplateInput& input,
                              Answers answers) const {
  const Rendering rendering(*state_, messages, input);
  jinja::Rendered whole;
  try {
    whole = rendering.whole();
  } catch (const Error&) {
    if (state_->main.broken.empty())
      DropCheck(*state_, rendering, messages, input, "").check_mentioned();
    throw;
  }
  DropCheck(*state_, rendering, messages, input, whole.text).check();
  Rendered out;
  if (answers != Answers::none) {
    std::vector<size_t> assistant;
    const std::vector<size_t> wanted = wanted_turns(messages, answers, assistant);
    const AnswerFinder finder(*state_, rendering, messages, whole.text);
    if (rendering.jinja().marks_generation())
      out.answers = marked_answers(whole, assistant, wanted, rendering, messages);
    else
      for (size_t i : wanted) out.answers.push_back(finder.range(i));
  }
  out.text = std::move(whole.text);
  return out;
}

}  // namespace afina
