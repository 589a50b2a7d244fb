// Rendering of conversations with a chat template, and the answers in what is rendered.
#include <algorithm>

#include "data/chat_answers.h"
#include "data/chat_marks.h"
#include "data/jinja/from_json.h"
#include "engine/error.h"
#include "engine/files/json.h"

namespace afina {

namespace {

bool is_null_or_missing(const OrderedJson& object, const char* key) {
  return !object.is_object() || !object.contains(key) || object.at(key).is_null();
}

// Keys that are null are left out, as transformers does: to a template they are not defined.
// Reasoning is given under the name that most templates read, and under that of gpt-oss's, whatever
// the turn calls it.
jinja::Value value_of_turn(const Message& message) {
  jinja::Dict turn;
  const OrderedJson* reasoning = reasoning_of(message);
  if (reasoning && is_null_or_missing(message.more, "thinking"))
    turn.items.emplace_back("thinking", jinja::value_of(*reasoning));
  turn.items.emplace_back("role", message.role);
  const bool keys = message.more.is_object();
  if (!keys || !message.more.contains("content"))
    turn.items.emplace_back("content", message.content);
  if (keys)
    for (auto& [key, value] : message.more.items())
      if (!value.is_null()) turn.set(key, jinja::value_of(value));
  if (reasoning) turn.set("reasoning_content", jinja::value_of(*reasoning));
  return jinja::Value(std::move(turn));
}

bool is_reasoning(const std::string& key) {
  return std::find(std::begin(reasoning_keys), std::end(reasoning_keys), key) !=
         std::end(reasoning_keys);
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
      for (auto& [key, value] : input_.variables.items()) {
        for (const char* own : {"messages", "add_generation_prompt"})
          require(key != own, "chat_template_kwargs has \"", key,
                  "\", which follows from the record itself and cannot be given beside it; remove "
                  "it");
        require(mentions(key), "chat_template_kwargs has \"", key, "\", which ", rendering_.name(),
                " does not read; remove it, or choose another template with --template");
      }
  }

 private:
  // Does another conversation render the same text? One that the template refuses is read.
  template <class Render>
  static bool same(Render render, const std::string& text) {
    try {
      return render() == text;
    } catch (const Error&) { return false; }
  }

  // Reasoning has every name in a template (value_of_turn).
  bool mentions(const std::string& key) const {
    const std::string& source = rendering_.source();
    if (is_reasoning(key))
      for (const char* name : reasoning_keys)
        if (source.find(name) != std::string::npos) return true;
    return source.find(key) != std::string::npos;
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
    if (is_reasoning(key))  // the same text under another name is the same
      for (const char* name : reasoning_keys)
        if (without.more.contains(name) && without.more.at(name) == value) without.more.erase(name);
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
    return key == "tool_calls" || key == "function_call" || is_reasoning(key);
  }

  const ChatTemplate::State& state_;
  const Rendering& rendering_;
  const std::vector<Message>& messages_;
  const TemplateInput& input_;
  const std::string& text_;
  size_t at_ = 0;
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

const OrderedJson* reasoning_of(const Message& message) {
  for (const char* key : reasoning_keys)
    if (!is_null_or_missing(message.more, key)) return &message.more.at(key);
  return nullptr;
}

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
    if (rendering.jinja().marks_generation())
      out.answers = marked_answers(whole, assistant, wanted, rendering, messages, answers);
    else out.answers = rendered_answers(*state_, rendering, messages, whole.text, wanted, answers);
  }
  out.text = std::move(whole.text);
  return out;
}

}  // namespace afina
