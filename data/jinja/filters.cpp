// The filters of Jinja: {{ value|NAME }}; those of single values.
#include "data/jinja/filters.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "data/jinja/strings.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina::jinja {

Value dict_items(Interpreter& in, const Value& v, const std::string& name, const Arguments&) {
  if (v.is_undefined()) return Value(Values{});
  if (!v.dict()) in.wrong(name + " of a value of type " + v.type() + "; a dict is expected");
  return in.call(method(in, v, "items"), {});
}

namespace {

std::string text_of(Interpreter& in, const Value& v, const std::string& name) {
  if (v.space_members() || v.function()) in.wrong(name + " of a value of type " + v.type());
  return v.text(in);
}

Value trim(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  const std::string text = text_of(in, v, name),
                    characters = Bound(in, name, given, {"chars"}).string("chars", "");
  in.spend(text.size() * (characters.size() / 8));
  return in.made(stripped(text, characters, true, true));
}

Value change_case(Interpreter& in, const Value& v, const std::string& name,
                  const Arguments& given) {
  Bound(in, name, given, {});
  const std::string text = text_of(in, v, name);
  if (name != "title")
    return in.made(with_case(text, name == "upper"   ? Case::upper
                                   : name == "lower" ? Case::lower
                                                     : Case::capitalize));
  // Jinja's title begins a word behind white space and -([{< alone.
  std::string out, word;
  auto flush = [&] {
    out += with_case(word, Case::capitalize);
    word.clear();
  };
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    const std::string_view one = std::string_view(text).substr(i, c.bytes);
    i += c.bytes;
    if (python_space(c.code) || std::string_view("-([{<").find(one) != std::string_view::npos) {
      flush();
      out += one;
    } else {
      word += one;
    }
  }
  flush();
  return in.made(std::move(out));
}

Value tojson(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = b.flag("ensure_ascii", false);
  style.sort_keys = b.flag("sort_keys", false);
  style.indent = int(b.integer("indent", -1));
  if (style.indent > 64) in.wrong("tojson: an indent of " + std::to_string(style.indent));
  if (const Value* both = b.find("separators"); both && !both->is_none()) {
    const Values items = in.items_of(*both);
    if (items.size() != 2 || !items[0].string() || !items[1].string())
      in.wrong("tojson: separators are two strings");
    style.item_separator = *items[0].string();
    style.key_separator = *items[1].string();
  }
  if (v.is_undefined()) in.wrong("tojson of an undefined value: " + v.hint());
  try {
    return in.made(json_text(v, style, in));
  } catch (const Error& e) { in.wrong(e.what()); }
}

Value length(Interpreter& in, const Value& v, const std::string&, const Arguments&) {
  if (v.is_undefined()) return Value(int64_t(0));
  if (auto* s = v.string()) return Value(int64_t(length_of(*s)));
  if (auto* l = v.list()) return Value(int64_t(l->items.size()));
  if (auto* d = v.dict()) return Value(int64_t(d->items.size()));
  in.wrong(std::string("a value of type ") + v.type() + " has no length");
}

Value otherwise(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"default_value", "boolean"});
  if (!v.is_undefined() && (!b.flag("boolean", false) || v.truth())) return v;
  return b.find("default_value") ? *b.find("default_value") : Value("");
}

Value string(Interpreter& in, const Value& v, const std::string& name, const Arguments&) {
  return v.string() ? v : in.made(text_of(in, v, name));
}
Value safe(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  return string(in, v, name, given);
}
Value replace(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"old", "new", "count"});
  Arguments inner;
  inner.positional = {Value(b.value("old").text(in)), Value(b.value("new").text(in)),
                      Value(b.integer("count", -1))};
  return in.call(method(in, Value(text_of(in, v, name)), "replace"), inner);
}

Value absolute(Interpreter& in, const Value& v, const std::string& name, const Arguments&) {
  if (!v.is_number()) in.wrong(name + " of a value of type " + v.type());
  if (v.is_float()) return Value(std::fabs(v.number()));
  return v.integer() < 0 ? in.binary("-", Value(int64_t(0)), v) : Value(v.integer());
}

Value to_int(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"default", "base"});
  if (b.integer("base", 10) != 10) in.wrong("int with another base than 10 is not supported");
  if (v.is_int() || v.is_bool()) return Value(v.integer());
  const Value none = b.find("default") ? *b.find("default") : Value(int64_t(0));
  double number = 0.;
  if (v.is_float()) number = v.number();
  else if (!v.string()) return none;
  else {
    const std::string text = stripped(*v.string(), "", true, true);
    const char *from = text.data() + (text.starts_with('+')), *to = text.data() + text.size();
    int64_t whole = 0;
    if (auto [end, error] = std::from_chars(from, to, whole); error == std::errc() && end == to)
      return Value(whole);
    if (auto [end, error] = std::from_chars(from, to, number);
        error != std::errc() || end != to || from == to)
      return none;
  }
  if (!(std::fabs(number) < 9.2e18)) return none;
  return Value(int64_t(number));
}

Value to_float(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"default"});
  if (v.is_number()) return Value(v.number());
  const Value none = b.find("default") ? *b.find("default") : Value(0.);
  if (!v.string()) return none;
  const std::string text = stripped(*v.string(), "", true, true);
  const char *from = text.data() + (text.starts_with('+')), *to = text.data() + text.size();
  double number = 0.;
  auto [end, error] = std::from_chars(from, to, number);
  return error == std::errc() && end == to && from != to ? Value(number) : none;
}

Value round(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"precision", "method"});
  if (!v.is_number()) in.wrong(name + " of a value of type " + v.type());
  if (b.integer("precision", 0) != 0) in.wrong("round to decimal places is not supported");
  const std::string how = b.string("method", "common");
  if (how == "common") return Value(std::nearbyint(v.number()));
  if (how == "ceil") return Value(std::ceil(v.number()));
  if (how == "floor") return Value(std::floor(v.number()));
  in.wrong("round: the method is common, ceil or floor, not '" + how + "'");
}

Value indent(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"width", "first", "blank"});
  const Value* width = b.find("width");
  const std::string lead =
      width && width->string()
          ? *width->string()
          : std::string(size_t(std::clamp<int64_t>(b.integer("width", 4), 0, 1000)), ' ');
  std::string text, source = text_of(in, v, name) + "\n";
  const std::vector<std::string> lines = split_lines(source, false);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i) text += '\n';
    if (i ? !lines[i].empty() || b.flag("blank", false) : b.flag("first", false)) text += lead;
    text += lines[i];
    in.spend(lead.size());
  }
  return in.made(std::move(text));
}

Value attr(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  const std::string wanted = Bound(in, name, given, {"name"}).string("name", "");
  if (v.space_members() || (v.dict() && v.dict()->attributes)) return in.member(v, wanted);
  Value found = method(in, v, wanted);
  return found.is_undefined() ? Value::undefined("there is no attribute '" + wanted + "'") : found;
}

Value wordcount(Interpreter& in, const Value& v, const std::string& name, const Arguments&) {
  int64_t words = 0;
  bool inside = false;
  const std::string text = text_of(in, v, name);
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    const bool word = c.code >= 0x80 || c.code == '_' || (c.code >= '0' && c.code <= '9') ||
                      ((c.code | 32) >= 'a' && (c.code | 32) <= 'z');
    if (c.code >= 0x80) in.wrong("wordcount of letters beyond ASCII is not supported");
    words += word && !inside;
    inside = word;
    i += c.bytes;
  }
  return Value(words);
}

const Filters& value_filters() {
  static const Filters all = {
      {"abs", absolute},     {"attr", attr},         {"capitalize", change_case},
      {"count", length},     {"d", otherwise},       {"default", otherwise},
      {"float", to_float},   {"indent", indent},     {"int", to_int},
      {"items", dict_items}, {"length", length},     {"lower", change_case},
      {"replace", replace},  {"round", round},       {"safe", safe},
      {"string", string},    {"title", change_case}, {"tojson", tojson},
      {"trim", trim},        {"upper", change_case}, {"wordcount", wordcount}};
  return all;
}

}  // namespace

Value filter(Interpreter& in, const std::string& name, const Value& value, const Arguments& given) {
  for (const Filters* all : {&value_filters(), &sequence_filters()})
    if (auto found = all->find(name); found != all->end())
      return found->second(in, value, name, given);
  static const std::set<std::string> of_jinja = {
      "batch",    "center",    "e",      "escape",   "filesizeformat", "forceescape",
      "format",   "groupby",   "pprint", "random",   "slice",          "striptags",
      "truncate", "urlencode", "urlize", "wordwrap", "xmlattr"};
  in.wrong("the filter '" + name + "' is not " +
           (of_jinja.count(name) ? "supported by afina's templates" : "known"));
}

}  // namespace afina::jinja
