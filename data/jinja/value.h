// Values of a Jinja template, as Python's types behave in one: undefined, None, bool, int, float,
// str, list (tuples too), dict, and what can be called.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace afina::jinja {

class Value;
class Interpreter;
using Values = std::vector<Value>;

// The arguments of a call: by position, then by name, in the order given.
struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;
};

// A missing name or member. It prints as nothing, is false and empty; anything else done with it is
// an error that shows `hint`.
struct Undefined {
  std::shared_ptr<const std::string> hint;
};
struct None {};
// Keys are strings and keep the order in which they came.
struct Dict {
  std::vector<std::pair<std::string, Value>> items;
  bool attributes = false;  // the members are attributes: `loop`
  const Value* find(std::string_view key) const;
  void set(std::string_view key, Value value);
};
struct List {
  Values items;
  bool tuple = false;  // printed in round brackets
};
// Something to call: a macro, a method with its object, a function of the environment.
struct Function {
  std::string name;
  std::function<Value(Interpreter&, const Arguments&)> call;
};
// namespace(...): the only object whose members a template may set, so that it may come to hold
// itself. `all` are those of the interpreter that made it, which empties them at its end.
struct Namespace {
  Dict members;
  std::list<Namespace*>* all = nullptr;
  std::list<Namespace*>::iterator place{};
  ~Namespace() {
    if (all) all->erase(place);
  }
};

class Value {
 public:
  using Data =
      std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>,
                   std::shared_ptr<const List>, std::shared_ptr<const Dict>,
                   std::shared_ptr<const Function>, std::shared_ptr<Namespace>>;
  Value() : data_(None{}) {}
  // Out of line: values are copied everywhere.
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  // However deep values lie in each other, freeing them takes little of the stack.
  ~Value();
  static Value undefined(std::string hint);
  static Value function(std::string name,
                        std::function<Value(Interpreter&, const Arguments&)> call);
  static Value space(std::list<Namespace*>& all);
  Value(bool b) : data_(b) {}
  Value(int64_t i) : data_(i) {}
  Value(double d) : data_(d) {}
  Value(std::string s) : data_(std::make_shared<const std::string>(std::move(s))) {}
  Value(std::string_view s) : Value(std::string(s)) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(List l) : data_(std::make_shared<const List>(std::move(l))) {}
  Value(Values items) : Value(List{std::move(items), false}) {}
  Value(Dict d) : data_(std::make_shared<const Dict>(std::move(d))) {}

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  const std::string& hint() const { return *std::get<Undefined>(data_).hint; }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_float() const { return std::holds_alternative<double>(data_); }
  // bool is a kind of int in Python; is_number() has both and float.
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  bool is_number() const { return is_bool() || is_int() || is_float(); }
  const std::string* string() const;
  const List* list() const;
  const Dict* dict() const;
  const Function* function() const;
  Namespace* space_members() const;
  // The number as a double, or as an integer where it is one (bool too).
  double number() const;
  int64_t integer() const;  // of a bool or an int
  const Data& data() const { return data_; }

  // Python's truth of the value.
  bool truth() const;
  // "str", "int", "dict", ...: Python's name of the type, for messages.
  const char* type() const;
  // The functions that walk a value charge the interpreter for it: a list may hold another twice,
  // and that one a third twice, so that few lists print as more than any memory holds.

  // What {{ value }} prints: Python's str().
  std::string text(Interpreter& in) const;
  // Python's repr(), as the items of a printed list have it.
  std::string repr(Interpreter& in) const;
  // == of Python: 1 == 1.0 == True, lists and dicts by content.
  bool equals(const Value& other, Interpreter& in) const;
  // Is this the same object (`is sameas`)? Numbers, strings and singletons by value.
  bool same(const Value& other, Interpreter& in) const;

 private:
  void append_repr(std::string& out, Interpreter& in) const;
  explicit Value(Data data) : data_(std::move(data)) {}
  Data data_;
};

// Bounds how deep functions that walk lists in lists call themselves: throws beyond 1000 levels on
// one thread.
class DeeperValue {
 public:
  DeeperValue();
  ~DeeperValue();
  DeeperValue(const DeeperValue&) = delete;
};

// Python's repr() of a float: the shortest digits that give it back, with an exponent from 1e16 on
// and below 1e-4.
std::string float_text(double value);

// json.dumps(value, ensure_ascii=False): `indent` -1 for one line.
struct JsonStyle {
  int indent = -1;
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false;
  bool ensure_ascii = false;
};
std::string json_text(const Value& value, const JsonStyle& style, Interpreter& in);

}  // namespace afina::jinja
