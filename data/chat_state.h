// The data of a chat template, shared by the files that choose and that render it.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/jinja/jinja.h"

namespace afina {

// A template's text and what was parsed of it, or why it could not be.
struct ParsedTemplate {
  std::string name, source, broken;
  std::unique_ptr<jinja::Template> jinja;

  ParsedTemplate(std::string name, std::string source);
  // Throws what was wrong with the text.
  const jinja::Template& usable() const;
};

struct ChatTemplate::State {
  State(std::string name, std::string source) : main(std::move(name), std::move(source)) {}

  ParsedTemplate main;
  // The model's template "tool_use", for conversations that list tools.
  std::unique_ptr<ParsedTemplate> with_tools;
  bool builtin = false, chosen = false;
  jinja::Dict tokens;  // bos_token, eos_token, ...
  std::string date;
  int64_t now = 0;  // of the date: seconds since 1970-01-01 UTC
  mutable std::atomic<bool> asked_for_date = false;

  std::string lead;  // between the prompt for an answer and the answer
  // The token that ends an answer, and all text that follows one; both empty where a short
  // conversation could not be rendered.
  std::string end_text, after_answer;
  int32_t end_of_turn = -1;
  std::vector<std::string> special;  // texts of all special tokens, the longest first
  std::vector<int32_t> marks;
};

// Names of a turn's reasoning. As transformers does, a template finds the first of them that a turn
// has as reasoning_content, and as thinking where the turn has none.
constexpr const char* reasoning_keys[] = {"reasoning_content", "thinking", "reasoning"};
// Null where the turn has none.
const OrderedJson* reasoning_of(const Message& message);

// Renders parts of one conversation: its first turns, with or without the prompt for an answer, and
// with changes to a turn.
class Rendering {
 public:
  Rendering(const ChatTemplate::State& state, const std::vector<Message>& messages,
            const TemplateInput& input);

  // The first `count` turns.
  jinja::Rendered first(size_t count, bool ask) const;
  jinja::Rendered whole() const { return first(turns_.size(), false); }
  // The first `count` turns with turn `i` another, or without the tools.
  std::string with_turn(size_t count, size_t i, const Message& turn) const;
  std::string without_tools() const;

  const std::string& name() const { return parsed_.name; }
  const std::string& source() const { return parsed_.source; }
  const jinja::Template& jinja() const { return parsed_.usable(); }

 private:
  jinja::Rendered render(jinja::Values turns, bool ask, const jinja::Value& tools) const;

  const ChatTemplate::State& state_;
  const ParsedTemplate& parsed_;
  jinja::Values turns_;
  jinja::Value tools_;
  jinja::Dict variables_;
};

}  // namespace afina
