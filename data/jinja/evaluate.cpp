// Evaluates the expressions of a Jinja template.
#include <algorithm>
#include <cmath>

#include "data/jinja/interpreter.h"
#include "data/jinja/strings.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina::jinja {

namespace {

std::string quoted(const std::string& name) { return "'" + name + "'"; }

}  // namespace

Value Interpreter::name(const Expression& e) {
  if (e.text.empty() && innermost_) return *innermost_;
  size_t looked = 0;
  const Value* set = scope_->find(e.text, looked);
  spend(looked / 16);
  if (set) return *set;
  if (const Value* found = variables_.find(e.text)) return *found;
  if (auto found = builtins_.find(e.text); found != builtins_.end()) return found->second;
  hold(128);
  return Value::undefined(quoted(e.text) + " is undefined");
}

Value Interpreter::with_innermost(const Expression& e, Value innermost) {
  const Value* before = std::exchange(innermost_, &innermost);
  struct Back {
    const Value*& at;
    const Value* before;
    ~Back() { at = before; }
  } back{innermost_, before};
  return evaluate(e);
}

Arguments Interpreter::arguments(const CallArguments& all) {
  Arguments out;
  for (auto& one : all.positional) out.positional.push_back(evaluate(*one));
  for (auto& [name, one] : all.named) out.named.emplace_back(name, evaluate(*one));
  return out;
}

Value Interpreter::evaluate(const Expression& e) {
  spend(1);
  line_ = e.line;
  // The parser bounds one expression; macros that call each other put several on the stack.
  struct Level {
    int& count;
    explicit Level(int& c) : count(++c) {}
    ~Level() { --count; }
  } level(levels_);
  if (levels_ > limits_.levels)
    wrong("expressions of macros that call each other are nested more than " +
          std::to_string(limits_.levels) + " deep");
  auto part = [&](size_t i) { return evaluate(*e.parts[i]); };
  switch (e.kind) {
    case Expression::constant: return e.value;
    case Expression::name: return name(e);
    case Expression::list:
    case Expression::tuple: {
      List l;
      l.tuple = e.kind == Expression::tuple;
      for (auto& one : e.parts) l.items.push_back(evaluate(*one));
      spend(l.items.size());
      hold_items(l.items.size());
      return Value(std::move(l));
    }
    case Expression::dict: {
      Dict d;
      for (size_t i = 0; i < e.parts.size(); i += 2) {
        const Value key = part(i);
        if (!key.string())
          wrong(std::string("the key of a dict is a ") + key.type() + "; only str is supported");
        spend(d.items.size());
        d.set(*key.string(), part(i + 1));
      }
      spend(d.items.size());
      hold_items(3 * d.items.size());
      return Value(std::move(d));
    }
    case Expression::member: return member(part(0), e.text);
    case Expression::item: {
      const Value object = part(0);
      return item(object, part(1));
    }
    case Expression::slice: return slice(e);
    case Expression::call: {
      const Value function = part(0);
      const Arguments given = arguments(e.arguments);
      line_ = e.line;
      return call(function, given);
    }
    case Expression::filter: {
      const Value value = part(0);
      const Arguments given = arguments(e.arguments);
      line_ = e.line;
      return filter(*this, e.text, value, given);
    }
    case Expression::test: {
      const Value value = part(0);
      const Arguments given = arguments(e.arguments);
      line_ = e.line;
      return Value(test(*this, e.text, value, given));
    }
    case Expression::negated_not: return Value(!part(0).truth());
    case Expression::minus: {
      const Value v = part(0);
      if (!v.is_number()) wrong(std::string("'-' before a value of type ") + v.type());
      return v.is_float() ? Value(-v.number()) : binary("-", Value(int64_t(0)), v);
    }
    case Expression::plus: {
      const Value v = part(0);
      if (!v.is_number()) wrong(std::string("'+' before a value of type ") + v.type());
      return v.is_float() ? v : Value(v.integer());
    }
    case Expression::binary: {
      const Value a = part(0), b = part(1);
      line_ = e.line;
      return binary(e.text, a, b);
    }
    case Expression::conjunction: {
      Value a = part(0);
      return a.truth() ? part(1) : a;
    }
    case Expression::disjunction: {
      Value a = part(0);
      return a.truth() ? a : part(1);
    }
    case Expression::comparison: return comparison(e);
    case Expression::conditional:
      if (part(1).truth()) return part(0);
      return e.parts[2]
                 ? part(2)
                 : Value::undefined("the inline if expression on line " + std::to_string(e.line) +
                                    " evaluated to false and no "
                                    "else section was defined");
  }
  fail("unknown expression");
}

Values Interpreter::items_of(const Value& value) {
  Values items;
  if (value.is_undefined()) return items;
  if (auto* l = value.list()) items = l->items;
  else if (auto* d = value.dict()) {
    for (auto& one : d->items) items.push_back(Value(one.first));
  } else if (auto* s = value.string()) {
    for (size_t i = 0; i < s->size();) {
      const Character c = character_at(*s, i);
      items.push_back(Value(s->substr(i, c.bytes)));
      i += c.bytes;
      hold(64);
    }
  } else {
    wrong(std::string("a value of type ") + value.type() + " cannot be iterated over");
  }
  spend(items.size());
  hold_items(items.size());
  return items;
}

Value Interpreter::member(const Value& value, const std::string& name) {
  if (value.is_undefined()) wrong(value.hint());
  if (auto* n = value.space_members()) {
    if (const Value* found = n->members.find(name)) return *found;
  } else {
    // An attribute comes before a key of the same name: {{ message.items }} is the method.
    Value found = method(*this, value, name);
    if (!found.is_undefined()) return found;
    if (auto* d = value.dict())
      if (const Value* item = d->find(name)) return *item;
  }
  return Value::undefined(std::string("'") + value.type() + " object' has no attribute " +
                          quoted(name));
}

Value Interpreter::item(const Value& value, const Value& key) {
  if (value.is_undefined()) wrong(value.hint());
  if (auto* k = key.string()) {
    if (auto* d = value.dict())
      if (const Value* found = d->find(*k)) return *found;
    if (value.space_members()) return member(value, *k);
    Value found = method(*this, value, *k);
    if (!found.is_undefined()) return found;
    return Value::undefined(std::string("'") + value.type() + " object' has no attribute " +
                            quoted(*k));
  }
  const auto* l = value.list();
  if ((key.is_int() || key.is_bool()) && (l || value.string())) {
    const auto places = l ? std::vector<size_t>() : places_of(*value.string());
    const int64_t count = int64_t(l ? l->items.size() : places.size() - 1);
    int64_t at = key.integer();
    if (at < 0) at += count;
    if (at >= 0 && at < count)
      return l ? l->items[size_t(at)] : characters(*value.string(), places, {size_t(at)});
  }
  return Value::undefined(std::string("'") + value.type() + " object' has no element " +
                          key.repr(*this));
}

// Where the characters of a text begin, and its end.
std::vector<size_t> Interpreter::places_of(const std::string& text) {
  spend(text.size());
  std::vector<size_t> places;
  for (size_t i = 0; i < text.size(); i += character_at(text, i).bytes) places.push_back(i);
  places.push_back(text.size());
  return places;
}

Value Interpreter::characters(const std::string& text, const std::vector<size_t>& places,
                              const std::vector<size_t>& wanted) {
  std::string some;
  for (size_t i : wanted) some.append(text, places[i], places[i + 1] - places[i]);
  return made(std::move(some));
}

Value Interpreter::slice(const Expression& e) {
  const Value object = evaluate(*e.parts[0]);
  if (object.is_undefined()) wrong(object.hint());
  if (!object.list() && !object.string())
    wrong(std::string("a value of type ") + object.type() + " cannot be sliced");
  const auto places = object.list() ? std::vector<size_t>() : places_of(*object.string());
  const int64_t n = int64_t(object.list() ? object.list()->items.size() : places.size() - 1);
  auto bound = [&](size_t i, int64_t otherwise) {
    if (!e.parts[i]) return otherwise;
    const Value v = evaluate(*e.parts[i]);
    if (v.is_none()) return otherwise;
    if (!v.is_int() && !v.is_bool()) wrong(std::string("a bound of a slice is a ") + v.type());
    return v.integer();
  };
  const int64_t step = bound(3, 1);
  if (step == 0) wrong("the step of a slice is 0");
  // As Python's slice.indices().
  auto clamped = [&](int64_t at) {
    if (at < 0) at = at < -n ? -1 : at + n;
    return std::clamp<int64_t>(at, step > 0 ? 0 : -1, step > 0 ? n : n - 1);
  };
  const bool from_given = e.parts[1] && !evaluate(*e.parts[1]).is_none();
  const bool to_given = e.parts[2] && !evaluate(*e.parts[2]).is_none();
  const int64_t from = from_given ? clamped(bound(1, 0)) : step > 0 ? 0 : n - 1;
  const int64_t to = to_given ? clamped(bound(2, 0)) : step > 0 ? n : -1;
  std::vector<size_t> taken;
  for (int64_t i = from; step > 0 ? i < to : i > to; i += step) {
    taken.push_back(size_t(i));
    if (step > n || step < -n) break;
  }
  if (object.string()) return characters(*object.string(), places, taken);
  List l;
  l.tuple = object.list()->tuple;
  for (size_t i : taken) l.items.push_back(object.list()->items[i]);
  spend(l.items.size());
  hold_items(l.items.size());
  return Value(std::move(l));
}

bool Interpreter::contains(const Value& container, const Value& value) {
  if (auto* s = container.string()) {
    if (!value.string()) wrong(std::string("'in' of a str needs a str, not ") + value.type());
    spend(s->size());
    return found_in(*s, *value.string()) != s->npos;
  }
  if (auto* d = container.dict()) return value.string() && d->find(*value.string());
  if (container.is_undefined()) return false;
  const Values items = items_of(container);
  return std::any_of(items.begin(), items.end(),
                     [&](const Value& one) { return one.equals(value, *this); });
}

int Interpreter::order(const Value& a, const Value& b) {
  spend(1);
  if (a.is_number() && b.is_number()) {
    if (!a.is_float() && !b.is_float())
      return a.integer() < b.integer() ? -1 : a.integer() > b.integer();
    return a.number() < b.number() ? -1 : a.number() > b.number();
  }
  if (a.string() && b.string())
    return a.string()->compare(*b.string()) < 0 ? -1 : *a.string() != *b.string();
  if (a.list() && b.list()) {
    const Values &x = a.list()->items, &y = b.list()->items;
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      if (!x[i].equals(y[i], *this)) return order(x[i], y[i]);
    return x.size() < y.size() ? -1 : x.size() > y.size();
  }
  wrong(std::string("values of type ") + a.type() + " and " + b.type() + " have no order");
}

Value Interpreter::comparison(const Expression& e) {
  Value left = evaluate(*e.parts[0]);
  for (size_t i = 0; i < e.words.size(); ++i) {
    Value right = evaluate(*e.parts[i + 1]);
    line_ = e.line;
    const std::string& word = e.words[i];
    bool holds;
    if (word == "==") holds = left.equals(right, *this);
    else if (word == "!=") holds = !left.equals(right, *this);
    else if (word == "in") holds = contains(right, left);
    else if (word == "not in") holds = !contains(right, left);
    else {
      const bool nan = (left.is_float() && std::isnan(left.number())) ||
                       (right.is_float() && std::isnan(right.number()));
      const int o = order(left, right);
      holds = !nan && (word == "<" ? o < 0 : word == ">" ? o > 0 : word == "<=" ? o <= 0 : o >= 0);
    }
    if (!holds) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Interpreter::binary(const std::string& sign, const Value& a, const Value& b) {
  if (a.is_undefined() && sign != "~") wrong(a.hint());
  if (b.is_undefined() && sign != "~") wrong(b.hint());
  auto large = [&]() -> Value { wrong("a number is larger than 64 bits hold"); };
  if (sign == "~") return made(a.text(*this) + b.text(*this));
  if (sign == "+" && a.string() && b.string()) return made(*a.string() + *b.string());
  if (sign == "+" && a.list() && b.list() && a.list()->tuple == b.list()->tuple) {
    List l = *a.list();
    l.items.insert(l.items.end(), b.list()->items.begin(), b.list()->items.end());
    spend(l.items.size() * 4);
    hold_items(l.items.size());
    return Value(std::move(l));
  }
  if (sign == "*" && ((a.string() || a.list()) != (b.string() || b.list())) &&
      (a.is_int() || a.is_bool() || b.is_int() || b.is_bool())) {
    const Value& repeated = a.string() || a.list() ? a : b;
    const int64_t times = std::max<int64_t>(0, (&repeated == &a ? b : a).integer());
    const size_t size =
        repeated.string() ? repeated.string()->size() : repeated.list()->items.size();
    if (size && uint64_t(times) > limits_.work / size) spend(limits_.work + 1);
    spend(size * size_t(times));
    hold(64 + size * size_t(times) * (repeated.string() ? 1 : sizeof(Value)));
    if (auto* s = repeated.string()) {
      std::string text;
      for (int64_t i = 0; i < times; ++i) text += *s;
      return Value(std::move(text));
    }
    List l;
    l.tuple = repeated.list()->tuple;
    for (int64_t i = 0; i < times; ++i)
      l.items.insert(l.items.end(), repeated.list()->items.begin(), repeated.list()->items.end());
    return Value(std::move(l));
  }
  if (!a.is_number() || !b.is_number())
    wrong("'" + sign + "' between values of type " + a.type() + " and " + b.type() +
          (sign == "%" && a.string() ? " (formatting by % is not supported)" : ""));
  const double x = a.number(), y = b.number();
  const bool real = a.is_float() || b.is_float();
  if ((sign == "/" || sign == "//" || sign == "%") && y == 0.) wrong("division by zero");
  if (sign == "/") return Value(x / y);
  if (real) {
    if (sign == "+") return Value(x + y);
    if (sign == "-") return Value(x - y);
    if (sign == "*") return Value(x * y);
    const double rest = std::fmod(x, y),
                 positive = rest != 0. && (rest < 0.) != (y < 0.) ? rest + y : rest;
    if (sign == "%") return Value(positive);
    if (sign == "//") return Value(std::floor((x - positive) / y + 0.5));
    wrong("'**' of floats is not supported");
  }
  const int64_t i = a.integer(), j = b.integer();
  int64_t out = 0;
  if (sign == "+") return __builtin_add_overflow(i, j, &out) ? large() : Value(out);
  if (sign == "-") return __builtin_sub_overflow(i, j, &out) ? large() : Value(out);
  if (sign == "*") return __builtin_mul_overflow(i, j, &out) ? large() : Value(out);
  if (sign == "**") {
    if (j < 0) wrong("'**' with a negative exponent is not supported");
    out = 1;
    for (int64_t n = 0; n < j; ++n) {
      spend(1);
      if (__builtin_mul_overflow(out, i, &out)) return large();
      if (out == 0 || (out == 1 && i == 1)) break;
    }
    return Value(out);
  }
  if (j == -1) return sign == "%" ? Value(int64_t(0)) : binary("-", Value(int64_t(0)), a);
  const int64_t rest = i % j, positive = rest != 0 && (rest < 0) != (j < 0) ? rest + j : rest;
  return sign == "%" ? Value(positive) : Value((i - positive) / j);
}

}  // namespace afina::jinja
