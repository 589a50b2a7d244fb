// The filters of Jinja that work on lists and dicts.
#include "data/jinja/filters.h"

#include <algorithm>

#include "data/jinja/strings.h"

namespace afina::jinja {

namespace {

Value list(Interpreter& in, const Value& v, const std::string&, const Arguments&) {
  return in.made(in.items_of(v));
}

// Values as `sort` and `dictsort` compare them: text without regard to case unless asked for.
Value key_of(Interpreter& in, const Value& v, bool case_sensitive) {
  if (v.string()) in.spend(v.string()->size());
  return v.string() && !case_sensitive ? Value(with_case(*v.string(), Case::lower)) : v;
}

// value.a.b or value.0 for "a.b" and "0".
Value attribute(Interpreter& in, Value v, const Value& path) {
  if (!path.string()) return in.item(v, path);
  for (const std::string& part : split(*path.string(), ".", -1)) {
    const bool index = !part.empty() && part.find_first_not_of("0123456789") == part.npos;
    if (part.size() > 18 && index) return Value::undefined("there is no item " + part);
    v = index ? in.item(v, Value(int64_t(std::stoll(part)))) : in.item(v, Value(part));
  }
  return v;
}

Value dictsort(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"case_sensitive", "by", "reverse"});
  const std::string by = b.string("by", "key");
  if (by != "key" && by != "value") in.wrong("dictsort: by is 'key' or 'value'");
  Values pairs = dict_items(in, v, name, {}).list()->items;
  const size_t place = by == "value";
  std::stable_sort(pairs.begin(), pairs.end(), [&](const Value& x, const Value& y) {
    const Value a = key_of(in, x.list()->items[place], b.flag("case_sensitive", false));
    const Value c = key_of(in, y.list()->items[place], b.flag("case_sensitive", false));
    return b.flag("reverse", false) ? in.order(c, a) < 0 : in.order(a, c) < 0;
  });
  return in.made(std::move(pairs));
}

Value sort(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"reverse", "case_sensitive", "attribute"});
  Values all = in.items_of(v);
  auto key = [&](const Value& one) {
    return key_of(in, b.find("attribute") ? attribute(in, one, *b.find("attribute")) : one,
                  b.flag("case_sensitive", false));
  };
  std::stable_sort(all.begin(), all.end(), [&](const Value& x, const Value& y) {
    return b.flag("reverse", false) ? in.order(key(y), key(x)) < 0 : in.order(key(x), key(y)) < 0;
  });
  return in.made(std::move(all));
}

Value unique(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"case_sensitive", "attribute"});
  Values all, seen;
  for (const Value& one : in.items_of(v)) {
    const Value key =
        key_of(in, b.find("attribute") ? attribute(in, one, *b.find("attribute")) : one,
               b.flag("case_sensitive", false));
    in.spend(seen.size());
    if (std::any_of(seen.begin(), seen.end(), [&](auto& k) { return k.equals(key, in); })) continue;
    seen.push_back(key);
    all.push_back(one);
  }
  return in.made(std::move(all));
}

Value join(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"d", "attribute"});
  const std::string separator = b.find("d") ? b.find("d")->text(in) : "";
  std::string text;
  bool first = true;
  for (const Value& one : in.items_of(v)) {
    if (!first) text += separator;
    first = false;
    const std::string part =
        (b.find("attribute") ? attribute(in, one, *b.find("attribute")) : one).text(in);
    in.spend(part.size() + separator.size());
    text += part;
  }
  return in.made(std::move(text));
}

Value first(Interpreter& in, const Value& v, const std::string& name, const Arguments&) {
  const Values all = in.items_of(v);
  if (all.empty()) return Value::undefined("there is no " + name + " item: the sequence is empty");
  return name == "first" ? all.front() : all.back();
}

Value reverse(Interpreter& in, const Value& v, const std::string&, const Arguments&) {
  Values all = in.items_of(v);
  std::reverse(all.begin(), all.end());
  if (!v.string()) return in.made(std::move(all));
  std::string text;
  for (const Value& one : all) text += *one.string();
  return in.made(std::move(text));
}

// The items with, or without, what a test says of them or of one of their attributes.
Value select(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  const bool wanted = name.starts_with("select"), of_attribute = name.ends_with("attr");
  if (!given.named.empty()) in.wrong(name + " takes no named arguments");
  const size_t at = of_attribute;
  if (given.positional.size() < at) in.wrong(name + " needs the name of an attribute");
  Arguments rest;
  std::string what;
  if (given.positional.size() > at) {
    if (!given.positional[at].string()) in.wrong(name + " needs the name of a test");
    what = *given.positional[at].string();
    rest.positional.assign(given.positional.begin() + int64_t(at) + 1, given.positional.end());
  }
  Values all;
  for (const Value& one : in.items_of(v)) {
    const Value looked = of_attribute ? attribute(in, one, given.positional[0]) : one;
    if ((what.empty() ? looked.truth() : test(in, what, looked, rest)) == wanted)
      all.push_back(one);
  }
  return in.made(std::move(all));
}

Value map(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Values all;
  if (given.positional.empty()) {
    Bound b(in, name, given, {"attribute", "default"});
    for (const Value& one : in.items_of(v)) {
      Value found = attribute(in, one, b.value("attribute"));
      if (found.is_undefined() && b.find("default")) found = *b.find("default");
      all.push_back(std::move(found));
    }
    return in.made(std::move(all));
  }
  if (!given.positional[0].string()) in.wrong("map needs the name of a filter");
  Arguments rest{{given.positional.begin() + 1, given.positional.end()}, given.named};
  for (const Value& one : in.items_of(v))
    all.push_back(filter(in, *given.positional[0].string(), one, rest));
  return in.made(std::move(all));
}

Value extreme(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"case_sensitive", "attribute"});
  auto key = [&](const Value& one) {
    return key_of(in, b.find("attribute") ? attribute(in, one, *b.find("attribute")) : one,
                  b.flag("case_sensitive", false));
  };
  const Values all = in.items_of(v);
  if (all.empty()) return Value::undefined("there is no " + name + " of an empty sequence");
  const Value* best = &all[0];
  for (const Value& one : all) {
    const int o = in.order(key(one), key(*best));
    if (name == "min" ? o < 0 : o > 0) best = &one;
  }
  return *best;
}

Value sum(Interpreter& in, const Value& v, const std::string& name, const Arguments& given) {
  Bound b(in, name, given, {"attribute", "start"});
  Value total = b.find("start") ? *b.find("start") : Value(int64_t(0));
  for (const Value& one : in.items_of(v))
    total =
        in.binary("+", total, b.find("attribute") ? attribute(in, one, *b.find("attribute")) : one);
  return total;
}

}  // namespace

const Filters& sequence_filters() {
  static const Filters all = {
      {"dictsort", dictsort}, {"first", first},       {"join", join},       {"last", first},
      {"list", list},         {"map", map},           {"max", extreme},     {"min", extreme},
      {"reject", select},     {"rejectattr", select}, {"reverse", reverse}, {"select", select},
      {"selectattr", select}, {"sort", sort},         {"sum", sum},         {"unique", unique}};
  return all;
}

}  // namespace afina::jinja
