// Methods of str, list and dict, and the arguments of calls.
#include <algorithm>
#include <set>

#include "data/jinja/interpreter.h"
#include "data/jinja/strings.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina::jinja {

Bound::Bound(Interpreter& in, const std::string& function, const Arguments& given,
             std::initializer_list<const char*> parameters)
    : in_(in), function_(function) {
  for (const char* parameter : parameters) found_.emplace_back(parameter, nullptr);
  if (given.positional.size() > found_.size())
    in.wrong(function + " takes at most " + std::to_string(found_.size()) + " arguments, and " +
             std::to_string(given.positional.size()) + " are given");
  for (size_t i = 0; i < given.positional.size(); ++i) found_[i].second = &given.positional[i];
  for (auto& [name, value] : given.named) {
    auto found = std::find_if(found_.begin(), found_.end(),
                              [&, &n = name](auto& f) { return f.first == n; });
    if (found == found_.end()) in.wrong(function + " has no argument '" + name + "'");
    if (found->second) in.wrong(function + " is given '" + name + "' twice");
    found->second = &value;
  }
}

const Value* Bound::find(std::string_view parameter) const {
  for (auto& [name, value] : found_)
    if (name == parameter) return value;
  return nullptr;
}
const Value& Bound::value(std::string_view parameter) const {
  const Value* found = find(parameter);
  if (!found) in_.wrong(function_ + " needs the argument '" + std::string(parameter) + "'");
  return *found;
}
int64_t Bound::integer(std::string_view parameter, int64_t otherwise) const {
  const Value* found = find(parameter);
  if (!found || found->is_none()) return otherwise;
  if (!found->is_int() && !found->is_bool())
    in_.wrong(function_ + ": '" + std::string(parameter) + "' is a " + found->type() +
              " where an int is expected");
  return found->integer();
}
std::string Bound::string(std::string_view parameter, const std::string& otherwise) const {
  const Value* found = find(parameter);
  if (!found || found->is_none()) return otherwise;
  if (!found->string())
    in_.wrong(function_ + ": '" + std::string(parameter) + "' is a " + found->type() +
              " where a str is expected");
  return *found->string();
}
bool Bound::flag(std::string_view parameter, bool otherwise) const {
  const Value* found = find(parameter);
  return found ? found->truth() : otherwise;
}

namespace {

using Method = Value (*)(Interpreter&, const Value& self, const std::string& name,
                         const Arguments&);

Value strings(Interpreter& in, const std::vector<std::string>& parts) {
  Values items;
  for (auto& part : parts) items.push_back(in.made(part));
  return in.made(std::move(items));
}

// Charges the pieces that a text will be split into, before they are made.
void hold_pieces(Interpreter& in, const std::string& text, const std::string& separator) {
  in.spend(text.size());
  size_t pieces = 1;
  for (size_t at = 0; !separator.empty() && (at = found_in(text, separator, at)) != text.npos;
       at += separator.size())
    ++pieces;
  if (separator.empty())  // white space and line ends are among these
    for (char c : text) pieces += uint8_t(c) <= ' ' || uint8_t(c) >= 0xC2;
  in.hold(96 * pieces);
}

// startswith and endswith take a str or a tuple of them.
Value affix(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"prefix", "start", "end"});
  if (b.find("start") || b.find("end")) in.wrong(name + " with bounds is not supported");
  const Value& wanted = b.value("prefix");
  const Values all = wanted.string() ? Values{wanted} : in.items_of(wanted);
  for (const Value& one : all) {
    if (!one.string()) in.wrong(name + " needs a str, not " + one.type());
    if (name == "startswith" ? self.string()->starts_with(*one.string())
                             : self.string()->ends_with(*one.string()))
      return Value(true);
  }
  return Value(false);
}

Value strip(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"chars"});
  const Value* characters = b.find("chars");
  if (characters && characters->string() && characters->string()->empty()) return self;
  in.spend(self.string()->size() * (b.string("chars", "").size() / 8));
  return in.made(
      stripped(*self.string(), b.string("chars", ""), name != "rstrip", name != "lstrip"));
}

Value change_case(Interpreter& in, const Value& self, const std::string& name,
                  const Arguments& given) {
  Bound(in, name, given, {});
  return in.made(with_case(*self.string(), name == "upper"        ? Case::upper
                                           : name == "lower"      ? Case::lower
                                           : name == "capitalize" ? Case::capitalize
                                                                  : Case::title));
}

Value split_method(Interpreter& in, const Value& self, const std::string& name,
                   const Arguments& given) {
  Bound b(in, name, given, {"sep", "maxsplit"});
  const std::string separator = b.string("sep", "");
  if (b.find("sep") && b.find("sep")->string() && separator.empty())
    in.wrong(name + ": the separator is empty");
  const int64_t most = b.integer("maxsplit", -1);
  hold_pieces(in, *self.string(), separator);
  if (name == "split") return strings(in, split(*self.string(), separator, most));
  if (separator.empty()) {
    if (most >= 0) in.wrong("rsplit at white space with a limit is not supported");
    return strings(in, split(*self.string(), "", -1));
  }
  in.spend(self.string()->size() * (separator.size() / 8 + 1));
  return strings(in, split_from_right(*self.string(), separator, most));
}

Value lines(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  hold_pieces(in, *self.string(), "");
  return strings(in, split_lines(*self.string(),
                                 Bound(in, name, given, {"keepends"}).flag("keepends", false)));
}

Value replace(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"old", "new", "count"});
  b.value("old");
  b.value("new");
  const std::string from = b.string("old", ""), to = b.string("new", "");
  in.spend(self.string()->size() * (from.empty() ? to.size() + 1 : 1) +
           self.string()->size() / std::max<size_t>(1, from.size()) * to.size());
  return in.made(replaced(*self.string(), from, to, b.integer("count", -1)));
}

Value find(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"sub"});
  b.value("sub");
  const std::string& text = *self.string();
  const std::string wanted = b.string("sub", "");
  in.spend(name[0] == 'r' ? text.size() * (wanted.size() / 8 + 1) : text.size());
  const size_t at = name[0] == 'r' ? text.rfind(wanted) : found_in(text, wanted);
  if (at == text.npos && name.ends_with("index")) in.wrong(name + ": substring not found");
  return at == text.npos ? Value(int64_t(-1)) : Value(int64_t(length_of(text.substr(0, at))));
}

Value count(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"sub"});
  b.value("sub");
  const std::string& text = *self.string();
  const std::string wanted = b.string("sub", "");
  if (wanted.empty()) return Value(int64_t(length_of(text)) + 1);
  int64_t n = 0;
  in.spend(text.size());
  for (size_t at = 0; (at = found_in(text, wanted, at)) != text.npos; at += wanted.size()) ++n;
  return Value(n);
}

Value join(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"iterable"});
  std::string text;
  bool first = true;
  for (const Value& one : in.items_of(b.value("iterable"))) {
    if (!one.string())
      in.wrong("join of a value of type " + std::string(one.type()) + "; str is expected");
    if (!first) text += *self.string();
    first = false;
    in.spend(one.string()->size() + self.string()->size());
    text += *one.string();
  }
  return in.made(std::move(text));
}

Value affix_removed(Interpreter& in, const Value& self, const std::string& name,
                    const Arguments& given) {
  Bound b(in, name, given, {"affix"});
  const std::string affix = b.string("affix", "");
  std::string text = *self.string();
  if (name == "removeprefix" && text.starts_with(affix)) text.erase(0, affix.size());
  if (name == "removesuffix" && text.ends_with(affix)) text.resize(text.size() - affix.size());
  return in.made(std::move(text));
}

Value is_made_of(Interpreter& in, const Value& self, const std::string& name,
                 const Arguments& given) {
  Bound(in, name, given, {});
  const std::string& text = *self.string();
  if (text.empty()) return Value(false);
  for (size_t i = 0; i < text.size();) {
    const Character c = character_at(text, i);
    if (name == "isspace" ? !python_space(c.code) : false) return Value(false);
    if (name != "isspace") {
      if (c.code >= 0x80)
        in.wrong(name + " of '" + text.substr(i, c.bytes) + "' is not supported; only ASCII");
      const bool digit = c.code >= '0' && c.code <= '9';
      const bool letter = (c.code | 32) >= 'a' && (c.code | 32) <= 'z';
      if (name == "isalpha" ? !letter : name == "isalnum" ? !letter && !digit : !digit)
        return Value(false);
    }
    i += c.bytes;
  }
  return Value(true);
}

const std::map<std::string, Method, std::less<>>& string_methods() {
  static const std::map<std::string, Method, std::less<>> all = {{"startswith", affix},
                                                                 {"endswith", affix},
                                                                 {"strip", strip},
                                                                 {"lstrip", strip},
                                                                 {"rstrip", strip},
                                                                 {"upper", change_case},
                                                                 {"lower", change_case},
                                                                 {"capitalize", change_case},
                                                                 {"title", change_case},
                                                                 {"split", split_method},
                                                                 {"rsplit", split_method},
                                                                 {"splitlines", lines},
                                                                 {"replace", replace},
                                                                 {"find", find},
                                                                 {"rfind", find},
                                                                 {"index", find},
                                                                 {"rindex", find},
                                                                 {"count", count},
                                                                 {"join", join},
                                                                 {"removeprefix", affix_removed},
                                                                 {"removesuffix", affix_removed},
                                                                 {"isspace", is_made_of},
                                                                 {"isdigit", is_made_of},
                                                                 {"isdecimal", is_made_of},
                                                                 {"isnumeric", is_made_of},
                                                                 {"isalpha", is_made_of},
                                                                 {"isalnum", is_made_of}};
  return all;
}

Value pair_of(const std::string& key, const Value& value) {
  List l;
  l.items = {Value(key), value};
  l.tuple = true;
  return Value(std::move(l));
}

Value view(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound(in, name, given, {});
  Values items;
  in.hold(self.dict()->items.size() * 160);
  for (auto& [key, value] : self.dict()->items)
    items.push_back(name == "keys" ? Value(key) : name == "values" ? value : pair_of(key, value));
  return in.made(std::move(items));
}
Value get(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"key", "default"});
  const Value& key = b.value("key");
  const Value* found = key.string() ? self.dict()->find(*key.string()) : nullptr;
  if (found) return *found;
  return b.find("default") ? *b.find("default") : Value();
}
Value copy(Interpreter&, const Value& self, const std::string&, const Arguments&) { return self; }

Value list_index(Interpreter& in, const Value& self, const std::string& name,
                 const Arguments& given) {
  Bound b(in, name, given, {"value"});
  int64_t n = 0;
  for (size_t i = 0; i < self.list()->items.size(); ++i) {
    if (!self.list()->items[i].equals(b.value("value"), in)) continue;
    if (name == "index") return Value(int64_t(i));
    ++n;
  }
  if (name == "index") in.wrong("index: the value is not in the list");
  return Value(n);
}

[[noreturn]] Value not_here(Interpreter& in, const Value& self, const std::string& name,
                            const Arguments&) {
  in.wrong(std::string(self.type()) + "." + name +
           "() changes its object, which the sandbox of chat templates forbids");
}
[[noreturn]] Value missing(Interpreter& in, const Value& self, const std::string& name,
                           const Arguments&) {
  in.wrong(std::string(self.type()) + "." + name + "() is not supported by afina's templates");
}

Method method_of(const Value& object, const std::string& name) {
  static const std::set<std::string> more_of_str = {
      "casefold",   "center",     "encode",       "expandtabs", "format",
      "format_map", "isascii",    "isidentifier", "islower",    "isprintable",
      "istitle",    "isupper",    "ljust",        "maketrans",  "partition",
      "rjust",      "rpartition", "swapcase",     "translate",  "zfill"};
  // Attributes that Python's values have; what it lacks is undefined there as well.
  static const std::set<std::string> of_int = {
      "real",      "imag",     "numerator",  "denominator",      "bit_length", "bit_count",
      "conjugate", "to_bytes", "from_bytes", "as_integer_ratio", "is_integer"};
  static const std::set<std::string> of_float = {
      "real", "imag", "hex", "fromhex", "conjugate", "as_integer_ratio", "is_integer"};
  static const std::set<std::string> of_macro = {"name",          "arguments", "catch_kwargs",
                                                 "catch_varargs", "caller",    "explicit_caller"};
  if ((object.is_int() || object.is_bool()) && of_int.count(name)) return missing;
  if (object.is_float() && of_float.count(name)) return missing;
  if (object.function() && of_macro.count(name)) return missing;
  if (object.string()) {
    auto found = string_methods().find(name);
    if (found != string_methods().end()) return found->second;
    return more_of_str.count(name) ? missing : nullptr;
  }
  if (object.dict()) {
    if (name == "items" || name == "keys" || name == "values") return view;
    if (name == "get") return get;
    if (name == "copy") return copy;
    for (const char* changes : {"clear", "pop", "popitem", "setdefault", "update"})
      if (name == changes) return not_here;
    return name == "fromkeys" ? missing : nullptr;
  }
  if (auto* l = object.list()) {
    if (name == "index" || name == "count") return list_index;
    if (name == "copy" && !l->tuple) return copy;
    for (const char* changes :
         {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"})
      if (name == changes && !l->tuple) return not_here;
  }
  return nullptr;
}

}  // namespace

Value method(Interpreter& in, const Value& object, const std::string& name) {
  Method run = method_of(object, name);
  if (!run) return Value::undefined("");
  if (run == Method(missing) && !object.string() && !object.dict())  // no method: a value
    in.wrong(std::string(object.type()) + "." + name + " is not supported by afina's templates");
  in.hold(128);
  return Value::function(name, [object, name, run](Interpreter& in, const Arguments& given) {
    return run(in, object, name, given);
  });
}

}  // namespace afina::jinja
