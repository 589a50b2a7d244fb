// The tests of Jinja: {{ value is NAME }}.
#include <map>

#include "data/jinja/interpreter.h"
#include "data/jinja/strings.h"

namespace afina::jinja {

namespace {

using Test = bool (*)(Interpreter&, const Value&, const std::string& name, const Arguments&);

const Value& other(Interpreter& in, const std::string& name, const Arguments& given) {
  if (given.positional.size() != 1 || !given.named.empty())
    in.wrong("the test '" + name + "' needs one value to compare with");
  return given.positional[0];
}

int64_t integer(Interpreter& in, const std::string& name, const Value& value) {
  if (!value.is_int() && !value.is_bool())
    in.wrong("the test '" + name + "' of a value of type " + value.type() + "; an int is expected");
  return value.integer();
}

const std::map<std::string, Test, std::less<>>& tests() {
  static const std::map<std::string, Test, std::less<>> all = [] {
    std::map<std::string, Test, std::less<>> t;
    using In = Interpreter;
    using Name = const std::string&;
    using Given = const Arguments&;
    t["defined"] = [](In&, const Value& v, Name, Given) { return !v.is_undefined(); };
    t["undefined"] = [](In&, const Value& v, Name, Given) { return v.is_undefined(); };
    t["none"] = [](In&, const Value& v, Name, Given) { return v.is_none(); };
    t["true"] = [](In&, const Value& v, Name, Given) { return v.is_bool() && v.truth(); };
    t["false"] = [](In&, const Value& v, Name, Given) { return v.is_bool() && !v.truth(); };
    t["boolean"] = [](In&, const Value& v, Name, Given) { return v.is_bool(); };
    t["integer"] = [](In&, const Value& v, Name, Given) { return v.is_int(); };
    t["float"] = [](In&, const Value& v, Name, Given) { return v.is_float(); };
    t["number"] = [](In&, const Value& v, Name, Given) { return v.is_number(); };
    t["string"] = [](In&, const Value& v, Name, Given) { return v.string() != nullptr; };
    t["mapping"] = [](In&, const Value& v, Name, Given) { return v.dict() != nullptr; };
    // An undefined value can be iterated over, and has a length.
    t["iterable"] = [](In&, const Value& v, Name, Given) {
      return v.string() || v.list() || v.dict() || v.is_undefined();
    };
    t["sequence"] = [](In&, const Value& v, Name, Given) {
      return v.string() || v.list() || v.dict() || v.is_undefined();
    };
    t["callable"] = [](In&, const Value& v, Name, Given) {
      return v.function() != nullptr || v.is_undefined();
    };
    t["odd"] = [](In& in, const Value& v, Name n, Given) { return integer(in, n, v) % 2 != 0; };
    t["even"] = [](In& in, const Value& v, Name n, Given) { return integer(in, n, v) % 2 == 0; };
    t["divisibleby"] = [](In& in, const Value& v, Name n, Given g) {
      const int64_t by = integer(in, n, other(in, n, g));
      if (by == 0) in.wrong("divisibleby 0");
      return integer(in, n, v) % by == 0;
    };
    t["sameas"] = [](In& in, const Value& v, Name n, Given g) {
      return v.same(other(in, n, g), in);
    };
    t["in"] = [](In& in, const Value& v, Name n, Given g) {
      return in.contains(other(in, n, g), v);
    };
    t["upper"] = [](In& in, const Value& v, Name n, Given) {
      if (!v.string()) in.wrong("the test '" + n + "' is for str");
      return with_case(*v.string(), Case::upper) == *v.string() &&
             with_case(*v.string(), Case::lower) != *v.string();
    };
    t["lower"] = [](In& in, const Value& v, Name n, Given) {
      if (!v.string()) in.wrong("the test '" + n + "' is for str");
      return with_case(*v.string(), Case::lower) == *v.string() &&
             with_case(*v.string(), Case::upper) != *v.string();
    };
    for (const char* name : {"eq", "equalto", "=="})
      t[name] = [](In& in, const Value& v, Name n, Given g) {
        return v.equals(other(in, n, g), in);
      };
    for (const char* name : {"ne", "!="})
      t[name] = [](In& in, const Value& v, Name n, Given g) {
        return !v.equals(other(in, n, g), in);
      };
    for (const char* name : {"lt", "lessthan", "<"})
      t[name] = [](In& in, const Value& v, Name n, Given g) {
        return in.order(v, other(in, n, g)) < 0;
      };
    for (const char* name : {"le", "<="})
      t[name] = [](In& in, const Value& v, Name n, Given g) {
        return in.order(v, other(in, n, g)) <= 0;
      };
    for (const char* name : {"gt", "greaterthan", ">"})
      t[name] = [](In& in, const Value& v, Name n, Given g) {
        return in.order(v, other(in, n, g)) > 0;
      };
    for (const char* name : {"ge", ">="})
      t[name] = [](In& in, const Value& v, Name n, Given g) {
        return in.order(v, other(in, n, g)) >= 0;
      };
    return t;
  }();
  return all;
}

}  // namespace

bool test(Interpreter& in, const std::string& name, const Value& value, const Arguments& given) {
  auto found = tests().find(name);
  if (found != tests().end()) return found->second(in, value, name, given);
  in.wrong(
      "the test '" + name + "' is not known" +
      (name == "escaped" || name == "filter" || name == "test" ? " to afina's templates" : ""));
}

}  // namespace afina::jinja
