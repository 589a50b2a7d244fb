// Values of a Jinja template: truth, equality, and how they print.
#include "data/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/jinja/interpreter.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina::jinja {

const Value* Dict::find(std::string_view key) const {
  for (auto& item : items)
    if (item.first == key) return &item.second;
  return nullptr;
}

void Dict::set(std::string_view key, Value value) {
  for (auto& item : items)
    if (item.first == key) {
      item.second = std::move(value);
      return;
    }
  items.emplace_back(std::string(key), std::move(value));
}

Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;

namespace {

// What is being freed on this thread: how deep, and where to leave what lies deeper.
struct Freeing {
  int depth = 0;
  std::vector<Value::Data>* late = nullptr;
};
thread_local Freeing freeing;
thread_local int walking = 0;

}  // namespace

Value::~Value() {
  if (data_.index() < 6) return;  // has no values in it
  if (freeing.depth >= 100) {
    freeing.late->push_back(std::move(data_));
    return;
  }
  std::vector<Data> late;
  const bool outermost = freeing.depth++ == 0;
  if (outermost) freeing.late = &late;
  data_ = None{};
  while (outermost && !late.empty()) {
    Data next = std::move(late.back());
    late.pop_back();
    next = None{};
  }
  --freeing.depth;
}

DeeperValue::DeeperValue() {
  require(walking < 1000, "lists and dicts nested more than 1000 deep");
  ++walking;
}
DeeperValue::~DeeperValue() { --walking; }

Value Value::undefined(std::string hint) {
  return Value(Data(Undefined{std::make_shared<const std::string>(std::move(hint))}));
}
Value Value::space(std::list<Namespace*>& all) {
  auto made = std::make_shared<Namespace>();
  made->all = &all;
  made->place = all.insert(all.end(), made.get());
  return Value(Data(std::move(made)));
}
Value Value::function(std::string name, std::function<Value(Interpreter&, const Arguments&)> call) {
  return Value(Data(std::make_shared<const Function>(Function{std::move(name), std::move(call)})));
}

const std::string* Value::string() const {
  auto* found = std::get_if<std::shared_ptr<const std::string>>(&data_);
  return found ? found->get() : nullptr;
}
const List* Value::list() const {
  auto* found = std::get_if<std::shared_ptr<const List>>(&data_);
  return found ? found->get() : nullptr;
}
const Dict* Value::dict() const {
  auto* found = std::get_if<std::shared_ptr<const Dict>>(&data_);
  return found ? found->get() : nullptr;
}
const Function* Value::function() const {
  auto* found = std::get_if<std::shared_ptr<const Function>>(&data_);
  return found ? found->get() : nullptr;
}
Namespace* Value::space_members() const {
  auto* found = std::get_if<std::shared_ptr<Namespace>>(&data_);
  return found ? found->get() : nullptr;
}

double Value::number() const { return is_float() ? std::get<double>(data_) : double(integer()); }
int64_t Value::integer() const {
  return is_bool() ? int64_t(std::get<bool>(data_)) : std::get<int64_t>(data_);
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_number()) return number() != 0.;
  if (auto* s = string()) return !s->empty();
  if (auto* l = list()) return !l->items.empty();
  if (auto* d = dict()) return !d->items.empty();
  return true;
}

const char* Value::type() const {
  constexpr const char* names[] = {"Undefined", "NoneType", "bool", "int",      "float",
                                   "str",       "list",     "dict", "function", "Namespace"};
  if (auto* l = list(); l && l->tuple) return "tuple";
  return names[data_.index()];
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char digits[64];
  auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific).ptr;
  std::string text(digits, end);
  const size_t e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  if (exponent < -4 || exponent >= 16) {
    // Python writes at least two digits of the exponent, as to_chars does.
    return text;
  }
  end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed).ptr;
  text.assign(digits, end);
  return text.find('.') == text.npos ? text + ".0" : text;
}

namespace {

void append_hex(std::string& out, uint32_t code, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += "0123456789abcdef"[(code >> shift) & 15];
}

// What Python's str.isprintable says: neither other (control, format, private, unassigned) nor a
// separator.
bool is_printable(const std::string& character) {
  static const Regex unprintable("[\\p{C}\\p{Z}]", "repr");
  bool found = false;
  unprintable.each_match(character, [&](size_t, size_t) { found = true; });
  return !found;
}

std::string quoted(const std::string& text) {
  const bool single = text.find('\'') != text.npos && text.find('"') == text.npos;
  const char quote = single ? '"' : '\'';
  std::string out(1, quote);
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    if (c.code == uint32_t(quote) || c.code == '\\') {
      out += '\\';
      out += char(c.code);
    } else if (c.code == '\n' || c.code == '\r' || c.code == '\t') {
      out += c.code == '\n' ? "\\n" : c.code == '\r' ? "\\r" : "\\t";
    } else if (c.code < 0x20 || (c.code >= 0x7f && c.code <= 0xa0) || c.code == 0xad) {
      out += "\\x";
      append_hex(out, c.code, 2);
    } else if (c.code > 0xff && !is_printable(text.substr(i, c.bytes))) {
      const bool small = c.code < 0x10000;
      out += small ? "\\u" : "\\U";
      append_hex(out, c.code, small ? 4 : 8);
    } else {
      out.append(text, i, c.bytes);
    }
    i += c.bytes;
  }
  return out + quote;
}

std::string json_string(const std::string& text, bool ensure_ascii) {
  std::string out = "\"";
  auto escape = [&](uint32_t code) {
    out += "\\u";
    append_hex(out, code, 4);
  };
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    const char* named = c.code == '"'    ? "\\\""
                        : c.code == '\\' ? "\\\\"
                        : c.code == '\n' ? "\\n"
                        : c.code == '\r' ? "\\r"
                        : c.code == '\t' ? "\\t"
                        : c.code == '\b' ? "\\b"
                        : c.code == '\f' ? "\\f"
                                         : nullptr;
    if (named) {
      out += named;
    } else if (c.code < 0x20 || (ensure_ascii && c.code >= 0x7f && c.code < 0x10000)) {
      if (c.code == 0x7f) out += char(0x7f);
      else escape(c.code);
    } else if (ensure_ascii && c.code >= 0x10000) {
      escape(0xd800 + ((c.code - 0x10000) >> 10));
      escape(0xdc00 + ((c.code - 0x10000) & 0x3ff));
    } else {
      out.append(text, i, c.bytes);
    }
    i += c.bytes;
  }
  return out + "\"";
}

void append_json(std::string& out, const Value& value, const JsonStyle& style, Interpreter& in,
                 int depth) {
  require(depth < 200, "tojson: lists and dicts nested more than 200 deep");
  auto line = [&](int level) {
    if (style.indent >= 0) out += "\n" + std::string(size_t(level * style.indent), ' ');
  };
  // With an indent, the blank behind the comma goes unless a separator was asked for.
  const std::string item =
      style.indent >= 0 && style.item_separator == ", " ? "," : style.item_separator;
  if (value.is_none()) out += "null";
  else if (value.is_bool()) out += value.truth() ? "true" : "false";
  else if (value.is_int()) out += std::to_string(value.integer());
  else if (value.is_float()) {
    const double d = value.number();
    out += std::isnan(d)   ? "NaN"
           : std::isinf(d) ? (d < 0 ? "-Infinity" : "Infinity")
                           : float_text(d);
  } else if (auto* s = value.string()) {
    out += json_string(*s, style.ensure_ascii);
  } else if (auto* l = value.list()) {
    if (l->items.empty()) {
      out += "[]";
      return;
    }
    out += "[";
    for (size_t i = 0; i < l->items.size(); ++i) {
      if (i) out += item;
      line(depth + 1);
      append_json(out, l->items[i], style, in, depth + 1);
      in.printed(1, out.size());
    }
    line(depth);
    out += "]";
  } else if (auto* d = value.dict()) {
    if (d->items.empty()) {
      out += "{}";
      return;
    }
    std::vector<const std::pair<std::string, Value>*> order;
    for (auto& one : d->items) order.push_back(&one);
    if (style.sort_keys)
      std::stable_sort(order.begin(), order.end(),
                       [](auto* a, auto* b) { return a->first < b->first; });
    out += "{";
    for (size_t i = 0; i < order.size(); ++i) {
      if (i) out += item;
      line(depth + 1);
      out += json_string(order[i]->first, style.ensure_ascii) + style.key_separator;
      append_json(out, order[i]->second, style, in, depth + 1);
      in.printed(1, out.size());
    }
    line(depth);
    out += "}";
  } else {
    fail("tojson: a value of type ", value.type(), " is no JSON");
  }
}

}  // namespace

std::string Value::text(Interpreter& in) const {
  if (is_undefined()) return "";
  if (auto* s = string()) return *s;
  return repr(in);
}

std::string Value::repr(Interpreter& in) const {
  std::string out;
  append_repr(out, in);
  return out;
}

void Value::append_repr(std::string& out, Interpreter& in) const {
  const size_t before = out.size();
  if (is_undefined()) out += "Undefined";
  else if (is_none()) out += "None";
  else if (is_bool()) out += truth() ? "True" : "False";
  else if (is_int()) out += std::to_string(integer());
  else if (is_float()) out += float_text(number());
  else if (auto* s = string()) out += quoted(*s);
  else if (!list() && !dict()) fail("a value of type ", type(), " cannot be printed");
  in.printed(out.size() - before, out.size());
  const DeeperValue deeper;
  if (auto* l = list()) {
    out += l->tuple ? "(" : "[";
    for (size_t i = 0; i < l->items.size(); ++i) {
      if (i) out += ", ";
      l->items[i].append_repr(out, in);
    }
    out += !l->tuple ? "]" : l->items.size() == 1 ? ",)" : ")";
  } else if (auto* d = dict()) {
    out += "{";
    for (size_t i = 0; i < d->items.size(); ++i) {
      if (i) out += ", ";
      out += quoted(d->items[i].first) + ": ";
      d->items[i].second.append_repr(out, in);
    }
    out += "}";
  }
}

bool Value::equals(const Value& other, Interpreter& in) const {
  in.spend(1);
  if (is_number() && other.is_number())
    return is_float() || other.is_float() ? number() == other.number()
                                          : integer() == other.integer();
  if (data_.index() != other.data_.index()) return false;
  if (auto* s = string()) {
    in.spend(s->size() == other.string()->size() ? s->size() / 8 : 0);
    return *s == *other.string();
  }
  const DeeperValue deeper;
  if (auto* l = list()) {
    const Values &a = l->items, &b = other.list()->items;
    return l->tuple == other.list()->tuple && a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(),
                      [&](const Value& x, const Value& y) { return x.equals(y, in); });
  }
  if (auto* d = dict()) {
    if (d->items.size() != other.dict()->items.size()) return false;
    return std::all_of(d->items.begin(), d->items.end(), [&](auto& item) {
      const Value* found = other.dict()->find(item.first);
      return found && found->equals(item.second, in);
    });
  }
  if (is_undefined() || is_none()) return true;
  return same(other, in);
}

bool Value::same(const Value& other, Interpreter& in) const {
  if (data_.index() != other.data_.index()) return false;
  if (auto* l = list()) return l == other.list();
  if (auto* d = dict()) return d == other.dict();
  if (auto* f = function()) return f == other.function();
  if (auto* n = space_members()) return n == other.space_members();
  return equals(other, in);
}

std::string json_text(const Value& value, const JsonStyle& style, Interpreter& in) {
  std::string out;
  append_json(out, value, style, in, 0);
  return out;
}

}  // namespace afina::jinja
