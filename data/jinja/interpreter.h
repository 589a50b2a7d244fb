// Runs a parsed Jinja template. A template is a stranger's program: what it may do is bounded.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/jinja/ast.h"
#include "data/jinja/jinja.h"

namespace afina::jinja {

// The names set in one block of a template, and where to look further.
struct Scope {
  std::vector<std::pair<std::string, Value>> names;
  Scope* outer = nullptr;
  bool captured = false;  // a macro was made here, so that the scope must outlive its block

  // looked: grows by the names that were looked at.
  const Value* find(std::string_view name, size_t& looked) const;
  void set(std::string_view name, Value value);
};

class Interpreter {
 public:
  Interpreter(const Dict& variables, const Environment& environment, const Limits& limits,
              const std::string& where);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Rendered render(const Body& body);

  // For filters, tests and methods: an Error that names the template and the line in work.
  [[noreturn]] void wrong(const std::string& what) const;
  // Counts work and memory that a template asks for; an Error beyond the limits.
  void spend(size_t amount);
  // Counts bytes of values made, whether they are kept or not; an Error beyond the limit.
  void hold(size_t bytes);
  // A value is being printed: so many bytes more, and so many in all.
  void printed(size_t more, size_t all);
  // A namespace.
  Value space();
  Value call(const Value& function, const Arguments& arguments);
  const Environment& environment() const { return environment_; }
  // A string, charged.
  Value made(std::string text);
  Value made(Values items);
  // Counts a list of so many items.
  void hold_items(size_t count) { hold(64 + count * sizeof(Value)); }
  // The name of a member that a namespace may have: transformers forbids "_name".
  const std::string& checked_member(const std::string& name) const;
  // What is iterated over: a list's items, a dict's keys, a string's characters; nothing if
  // undefined.
  Values items_of(const Value& value);
  // value.name, and value[key].
  Value member(const Value& value, const std::string& name);
  Value item(const Value& value, const Value& key);
  // Is `value` in `container`?
  bool contains(const Value& container, const Value& value);
  // < of Python: -1, 0 or 1; an Error for what has no order.
  int order(const Value& a, const Value& b);
  Value binary(const std::string& sign, const Value& a, const Value& b);

 private:
  enum class Flow : uint8_t { on, leave, next };
  struct Deeper;
  Flow run(const Body& body);
  Flow run(const Statement& s);
  Flow loop(const Statement& s);
  Value loop_object(const Values& items, size_t i, const std::weak_ptr<Values>& seen);
  void bind(const Statement& s, const Value& value);
  Value macro(const Statement& s);
  Value call_macro(const Statement& s, Scope* defined_in, const Arguments& arguments);
  // The text of a body; `flow` says whether it ended with a break or continue.
  std::string captured(const Body& body, Flow& flow);
  void write(std::string_view text);
  // Runs `work` in a scope of its own.
  template <class Work>
  auto scoped(Work work);

  Value evaluate(const Expression& e);
  Value name(const Expression& e);
  Value slice(const Expression& e);
  std::vector<size_t> places_of(const std::string& text);
  Value characters(const std::string& text, const std::vector<size_t>& places,
                   const std::vector<size_t>& wanted);
  Value comparison(const Expression& e);
  Arguments arguments(const CallArguments& all);
  Value with_innermost(const Expression& e, Value innermost);

  const Dict& variables_;
  const Environment& environment_;
  const Limits& limits_;
  const std::string& where_;
  std::map<std::string, Value, std::less<>> builtins_;
  Scope root_;
  Scope* scope_ = &root_;
  std::vector<std::unique_ptr<Scope>> kept_;
  std::list<Namespace*> spaces_;
  std::string text_;           // what is rendered
  std::string* out_ = &text_;  // where output goes now: text_, or the text of a macro
  std::vector<Span> generated_;
  const Value* innermost_ = nullptr;
  size_t spent_ = 0, held_ = 0;
  int depth_ = 0, line_ = 0;
  int levels_ = 0;      // of evaluate() calling itself, over all macros
  int generation_ = 0;  // of {% generation %} in each other
};

// The filters, tests and methods (filters.cpp, tests.cpp, methods.cpp). A name that is not known is
// an Error that says whether Jinja has it.
Value filter(Interpreter& in, const std::string& name, const Value& value, const Arguments& given);
bool test(Interpreter& in, const std::string& name, const Value& value, const Arguments& given);
// The method of a str, list or dict as something to call; undefined when there is none.
Value method(Interpreter& in, const Value& object, const std::string& name);
std::map<std::string, Value, std::less<>> builtins();

// The arguments of a call by the names of its parameters.
class Bound {
 public:
  Bound(Interpreter& in, const std::string& function, const Arguments& given,
        std::initializer_list<const char*> parameters);
  // Null when it was not given.
  const Value* find(std::string_view parameter) const;
  const Value& value(std::string_view parameter) const;  // an Error when it was not given
  int64_t integer(std::string_view parameter, int64_t otherwise) const;
  std::string string(std::string_view parameter, const std::string& otherwise) const;
  bool flag(std::string_view parameter, bool otherwise) const;

 private:
  Interpreter& in_;
  const std::string& function_;
  std::vector<std::pair<std::string_view, const Value*>> found_;
};

}  // namespace afina::jinja
