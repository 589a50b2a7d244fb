// Jinja templates as chat templates use them: parsed once, rendered with the variables of a
// conversation. Renders what Python's jinja2 3.1 gives in the sandbox that transformers 5.24 sets
// up (trim_blocks, lstrip_blocks, loop controls, {% generation %}); a construct that is not
// supported is an Error with line and name, never skipped.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/jinja/value.h"

namespace afina::jinja {

struct Statement;

// What a template can learn from outside beside its variables.
struct Environment {
  // Seconds since 1970-01-01 UTC that strftime_now() formats: fixed, so that the same data gives
  // the same tokens tomorrow.
  int64_t now = 0;
  mutable bool asked_for_now = false;  // set when a template used it
};

// A template is a stranger's program. Exceeding a limit is an Error.
struct Limits {
  size_t work = size_t(1) << 28;     // evaluations, and bytes and items made
  size_t memory = size_t(1) << 30;   // bytes of the values made, also of those that are gone
  size_t output = size_t(64) << 20;  // bytes of the rendered text, and of a printed value
  int depth = 200;                   // of macros calling each other and of nested blocks
  int levels = 2000;                 // of expressions in each other, over all these macros
};

// Bytes begin .. end of the text.
struct Span {
  size_t begin = 0, end = 0;
};
struct Rendered {
  std::string text;
  std::vector<Span> generated;  // what stood inside {% generation %}
};

class Template {
 public:
  // Parses `source`; `where` begins the messages of errors ("model/chat_template.jinja").
  Template(std::string_view source, std::string where);
  ~Template();
  Template(const Template&) = delete;
  Rendered render(const Dict& variables, const Environment& environment = {},
                  const Limits& limits = {}) const;
  // Does the template mark what the assistant writes?
  bool marks_generation() const { return marks_generation_; }

 private:
  std::string where_;
  std::vector<std::unique_ptr<Statement>> body_;
  bool marks_generation_ = false;
};

}  // namespace afina::jinja
