// Runs the statements of a Jinja template.
#include "data/jinja/interpreter.h"

#include <algorithm>

#include "engine/error.h"

namespace afina::jinja {

const Value* Scope::find(std::string_view name, size_t& looked) const {
  for (const Scope* s = this; s; s = s->outer) {
    looked += s->names.size();
    for (auto& [known, value] : s->names)
      if (known == name) return &value;
  }
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  for (auto& [known, old] : names)
    if (known == name) {
      old = std::move(value);
      return;
    }
  names.emplace_back(std::string(name), std::move(value));
}

Interpreter::Interpreter(const Dict& variables, const Environment& environment,
                         const Limits& limits, const std::string& where)
    : variables_(variables),
      environment_(environment),
      limits_(limits),
      where_(where),
      builtins_(builtins()) {}

// A namespace that holds itself, or what holds it, would count a reference for ever.
Interpreter::~Interpreter() {
  std::vector<Dict> members;
  for (Namespace* space : spaces_) {
    members.push_back(std::move(space->members));
    space->all = nullptr;
  }
}

struct Interpreter::Deeper {
  explicit Deeper(Interpreter& i) : in(i) {
    if (++in.depth_ > in.limits_.depth)
      in.wrong("macros and blocks nested more than " + std::to_string(in.limits_.depth) + " deep");
  }
  ~Deeper() { --in.depth_; }
  Interpreter& in;
};

void Interpreter::wrong(const std::string& what) const {
  fail(where_, ", line ", line_, ": ", what);
}

void Interpreter::spend(size_t amount) {
  if (amount > limits_.work || (spent_ += amount) > limits_.work)
    wrong("the template does more than a chat template can need (" + std::to_string(limits_.work) +
          " steps and bytes)");
}

void Interpreter::hold(size_t bytes) {
  if (bytes > limits_.memory || (held_ += bytes) > limits_.memory)
    wrong("the template makes more values than a chat template can need (" +
          std::to_string(limits_.memory) + " bytes)");
}

void Interpreter::printed(size_t more, size_t all) {
  spend(more + 1);
  if (all > limits_.output)
    wrong("the text of a value is longer than " + std::to_string(limits_.output) + " bytes");
}

const std::string& Interpreter::checked_member(const std::string& name) const {
  if (name.starts_with("_"))
    wrong("a namespace cannot have the member '" + name + "', as it begins with '_'");
  return name;
}

Value Interpreter::space() {
  hold(256);
  return Value::space(spaces_);
}

Value Interpreter::made(std::string text) {
  spend(text.size());
  hold(text.size() + 64);
  return Value(std::move(text));
}
Value Interpreter::made(Values items) {
  spend(items.size() * 4);
  hold_items(items.size());
  return Value(std::move(items));
}

void Interpreter::write(std::string_view text) {
  spend(text.size());
  if (out_->size() + text.size() > limits_.output)
    wrong("the rendered text is longer than " + std::to_string(limits_.output) + " bytes");
  *out_ += text;
}

template <class Work>
auto Interpreter::scoped(Work work) {
  auto inner = std::make_unique<Scope>();
  inner->outer = scope_;
  struct Leave {
    Interpreter& in;
    std::unique_ptr<Scope>& inner;
    ~Leave() {
      in.scope_ = inner->outer;
      if (inner->captured) in.kept_.push_back(std::move(inner));
    }
  } leave{*this, inner};
  scope_ = inner.get();
  return work();
}

std::string Interpreter::captured(const Body& body, Flow& flow) {
  std::string text;
  struct Redirect {
    std::string*& out;
    std::string* before;
    ~Redirect() { out = before; }
  } redirect{out_, out_};
  out_ = &text;
  flow = run(body);
  return text;
}

Rendered Interpreter::render(const Body& body) {
  try {
    run(body);
  } catch (const Error& e) {
    // What does not know its place, as the printing of a value, is told it here.
    if (std::string_view(e.what()).starts_with(where_)) throw;
    wrong(e.what());
  }
  return {std::move(text_), std::move(generated_)};
}

Interpreter::Flow Interpreter::run(const Body& body) {
  for (auto& s : body) {
    const Flow flow = run(*s);
    if (flow != Flow::on) return flow;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::run(const Statement& s) {
  Deeper deeper(*this);
  spend(1);
  line_ = s.line;
  switch (s.kind) {
    case Statement::text: write(s.words); return Flow::on;
    case Statement::output: write(evaluate(*s.value).text(*this)); return Flow::on;
    case Statement::condition: return run(evaluate(*s.value).truth() ? s.body : s.otherwise);
    case Statement::loop: return loop(s);
    case Statement::assign: bind(s, evaluate(*s.value)); return Flow::on;
    case Statement::capture: {
      Flow flow = Flow::on;
      Value text = made(scoped([&] { return captured(s.body, flow); }));
      if (flow != Flow::on) return flow;
      bind(s, with_innermost(*s.value, std::move(text)));
      return Flow::on;
    }
    case Statement::filtered: {
      Flow flow = Flow::on;
      Value text = made(scoped([&] { return captured(s.body, flow); }));
      if (flow != Flow::on) return flow;
      write(with_innermost(*s.value, std::move(text)).text(*this));
      return Flow::on;
    }
    case Statement::macro: scope_->set(s.words, macro(s)); return Flow::on;
    case Statement::call_block: {
      const Value function = evaluate(*s.value->parts[0]);
      Arguments given = arguments(s.value->arguments);
      given.named.emplace_back("caller", macro(s));
      write(call(function, given).text(*this));
      return Flow::on;
    }
    case Statement::with: {
      Values values;
      for (auto& one : s.values) values.push_back(evaluate(*one));
      return scoped([&] {
        for (size_t i = 0; i < values.size(); ++i) scope_->set(s.targets[i].name, values[i]);
        return run(s.body);
      });
    }
    case Statement::generation: {
      if (out_ != &text_)
        wrong(
            "{% generation %} inside of a macro or a captured text is not supported: where its "
            "text ends up is not known");
      // Of marks in each other the outermost counts, which has all their text.
      const size_t begin = text_.size();
      ++generation_;
      scoped([&] { return run(s.body); });
      hold(sizeof(Span));
      if (--generation_ == 0) generated_.push_back({begin, text_.size()});
      return Flow::on;
    }
    case Statement::leave: return Flow::leave;
    case Statement::next: return Flow::next;
  }
  fail("unknown statement");
}

void Interpreter::bind(const Statement& s, const Value& value) {
  if (!s.unpacks) {
    const Target& t = s.targets[0];
    if (t.member.empty()) return scope_->set(t.name, value);
    size_t looked = 0;
    const Value* object = scope_->find(t.name, looked);
    Namespace* members = object ? object->space_members() : nullptr;
    if (!members)
      wrong("'" + t.name + "." + t.member + "' cannot be set: " + t.name + " is no namespace");
    spend(looked / 16 + members->members.items.size());
    return members->members.set(checked_member(t.member), value);
  }
  const Values items = items_of(value);
  if (items.size() != s.targets.size())
    wrong(std::to_string(items.size()) + " values for " + std::to_string(s.targets.size()) +
          " names");
  for (size_t i = 0; i < items.size(); ++i) scope_->set(s.targets[i].name, items[i]);
}

Interpreter::Flow Interpreter::loop(const Statement& s) {
  // What is iterated over is held until the loop ends.
  struct Release {
    size_t &held, bytes;
    ~Release() { held -= bytes; }
  } release{held_, 0};
  Values items = items_of(evaluate(*s.value));
  release.bytes = items.size() * sizeof(Value);
  if (s.filter) {
    Values wanted;
    for (Value& one : items)
      if (scoped([&] {
            bind(s, one);
            return evaluate(*s.filter).truth();
          }))
        wanted.push_back(std::move(one));
    items = std::move(wanted);
  }
  auto seen = std::make_shared<Values>();
  for (size_t i = 0; i < items.size(); ++i) {
    spend(1);
    const Flow flow = scoped([&] {
      if (s.uses_loop) scope_->set("loop", loop_object(items, i, seen));
      bind(s, items[i]);
      return run(s.body);
    });
    if (flow == Flow::leave) break;
  }
  // The else of a loop runs when there was nothing to iterate over.
  if (items.empty()) return scoped([&] { return run(s.otherwise); });
  return Flow::on;
}

// What a template reads as `loop` in the i-th round. depth is that of a recursive loop, and those
// are not supported. seen: what loop.changed() was last called with.
Value Interpreter::loop_object(const Values& items, size_t i, const std::weak_ptr<Values>& seen) {
  hold(1024);
  const int64_t index = int64_t(i), count = int64_t(items.size());
  Dict d;
  d.attributes = true;
  d.items = {{"index", index + 1},
             {"index0", index},
             {"revindex", count - index},
             {"revindex0", count - index - 1},
             {"first", index == 0},
             {"last", index + 1 == count},
             {"length", count},
             {"depth", int64_t(1)},
             {"depth0", int64_t(0)},
             {"previtem", i ? items[i - 1] : Value::undefined("there is no previous item")},
             {"nextitem",
              i + 1 < items.size() ? items[i + 1] : Value::undefined("there is no next item")}};
  d.set("cycle", Value::function("loop.cycle", [i](Interpreter& in, const Arguments& given) {
          if (given.positional.empty()) in.wrong("loop.cycle() needs something to cycle through");
          return given.positional[i % given.positional.size()];
        }));
  // `seen` is the loop's: what it holds may hold this function.
  d.set("changed", Value::function("loop.changed", [seen](Interpreter& in, const Arguments& given) {
          const auto last = seen.lock();
          if (!last) in.wrong("loop.changed() is called when its loop has ended");
          const Values& now = given.positional;
          const bool same = !last->empty() && last->size() == now.size() &&
                            std::equal(now.begin(), now.end(), last->begin(),
                                       [&](auto& a, auto& b) { return a.equals(b, in); });
          if (!same) *last = now;
          return Value(!same);
        }));
  return Value(std::move(d));
}

Value Interpreter::macro(const Statement& s) {
  hold(512);
  for (Scope* scope = scope_; scope; scope = scope->outer) scope->captured = true;
  return Value::function(s.words,
                         [&s, defined_in = scope_](Interpreter& in, const Arguments& given) {
                           return in.call_macro(s, defined_in, given);
                         });
}

Value Interpreter::call_macro(const Statement& s, Scope* defined_in, const Arguments& given) {
  Deeper deeper(*this);
  const int line = line_;
  const std::string called = s.words.empty() ? "caller" : s.words;
  if (given.positional.size() > s.parameters.size())
    wrong("the macro '" + called + "' takes " + std::to_string(s.parameters.size()) +
          " arguments, and " + std::to_string(given.positional.size()) + " are given");
  Scope* before = scope_;
  struct Back {
    Scope*& scope;
    Scope* before;
    ~Back() { scope = before; }
  } back{scope_, before};
  scope_ = defined_in;
  Value text = made(scoped([&] {
    for (auto& [name, value] : given.named) {
      const bool known = name == "caller" || std::any_of(s.parameters.begin(), s.parameters.end(),
                                                         [&](auto& p) { return p.name == name; });
      if (!known) wrong("the macro '" + called + "' has no argument '" + name + "'");
      if (name == "caller") scope_->set(name, value);
    }
    for (size_t i = 0; i < s.parameters.size(); ++i) {
      const MacroParameter& p = s.parameters[i];
      const Value* value = i < given.positional.size() ? &given.positional[i] : nullptr;
      for (auto& [name, one] : given.named)
        if (name == p.name) {
          if (value) wrong("the macro '" + called + "' is given '" + name + "' twice");
          value = &one;
        }
      scope_->set(p.name, value ? *value
                          : p.otherwise
                              ? evaluate(*p.otherwise)
                              : Value::undefined("the argument '" + p.name + "' of the macro '" +
                                                 called + "' was not given"));
    }
    Flow flow;  // a macro's body has no break of a loop around it
    return captured(s.body, flow);
  }));
  line_ = line;
  return text;
}

Value Interpreter::call(const Value& function, const Arguments& given) {
  if (function.is_undefined()) wrong(function.hint());
  const Function* f = function.function();
  if (!f) wrong(std::string("a value of type ") + function.type() + " cannot be called");
  spend(1);
  return f->call(*this, given);
}

}  // namespace afina::jinja
