// The functions that every template can call: range(), dict(), namespace(), ...
#include <tuple>

#include "data/jinja/dates.h"
#include "data/jinja/interpreter.h"

namespace afina::jinja {

namespace {

Value range(Interpreter& in, const Arguments& given) {
  if (given.positional.empty() || given.positional.size() > 3 || !given.named.empty())
    in.wrong("range takes one to three numbers");
  int64_t bounds[3] = {0, 0, 1};
  for (size_t i = 0; i < given.positional.size(); ++i) {
    const Value& v = given.positional[i];
    if (!v.is_int() && !v.is_bool()) in.wrong(std::string("range of a value of type ") + v.type());
    bounds[given.positional.size() == 1 ? 1 : i] = v.integer();
  }
  auto [from, to, step] = std::tie(bounds[0], bounds[1], bounds[2]);
  if (step == 0) in.wrong("the step of range is 0");
  Values items;
  for (int64_t i = from; step > 0 ? i < to : i > to;) {
    if (items.size() == 100000)
      in.wrong("range of more than 100000 numbers, which the sandbox forbids");
    items.push_back(Value(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return in.made(std::move(items));
}

void fill(Interpreter& in, Dict& to, const Arguments& given, const char* what) {
  if (given.positional.size() > 1)
    in.wrong(std::string(what) + " takes one dict at most, and names");
  if (!given.positional.empty()) {
    const Value& from = given.positional[0];
    if (from.dict()) {
      for (auto& [key, value] : from.dict()->items) {
        in.spend(to.items.size());
        to.set(key, value);
      }
    } else {
      for (const Value& one : in.items_of(from)) {
        const Values both = in.items_of(one);
        if (both.size() != 2 || !both[0].string())
          in.wrong(std::string(what) + " needs pairs of a str and a value");
        in.spend(to.items.size());
        to.set(*both[0].string(), both[1]);
      }
    }
  }
  for (auto& [name, value] : given.named) to.set(name, value);
}

}  // namespace

std::map<std::string, Value, std::less<>> builtins() {
  std::map<std::string, Value, std::less<>> all;
  all["range"] = Value::function("range", range);
  all["dict"] = Value::function("dict", [](Interpreter& in, const Arguments& given) {
    Dict d;
    fill(in, d, given, "dict");
    in.hold_items(3 * d.items.size());
    return Value(std::move(d));
  });
  all["namespace"] = Value::function("namespace", [](Interpreter& in, const Arguments& given) {
    Value space = in.space();
    Dict& members = space.space_members()->members;
    fill(in, members, given, "namespace");
    for (auto& [name, value] : members.items) in.checked_member(name);
    return space;
  });
  all["raise_exception"] =
      Value::function("raise_exception", [](Interpreter& in, const Arguments& given) -> Value {
        in.wrong("the template refuses this conversation: " +
                 Bound(in, "raise_exception", given, {"message"}).value("message").text(in));
      });
  all["strftime_now"] = Value::function("strftime_now", [](Interpreter& in,
                                                           const Arguments& given) {
    in.environment().asked_for_now = true;
    return in.made(date_text(in.environment().now,
                             Bound(in, "strftime_now", given, {"format"}).string("format", "")));
  });
  for (const char* name : {"cycler", "joiner", "lipsum"})
    all[name] = Value::function(name, [name](Interpreter& in, const Arguments&) -> Value {
      in.wrong(std::string(name) + "() is not supported by afina's templates");
    });
  return all;
}

}  // namespace afina::jinja
