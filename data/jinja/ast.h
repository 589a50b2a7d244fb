// The syntax tree of a Jinja template.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/jinja/value.h"

namespace afina::jinja {

struct Expression;
struct Statement;
using Expr = std::unique_ptr<Expression>;
using Body = std::vector<std::unique_ptr<Statement>>;

struct CallArguments {
  std::vector<Expr> positional;
  std::vector<std::pair<std::string, Expr>> named;
};

struct Expression {
  enum Kind : uint8_t {
    constant,     // value
    name,         // text
    list,         // parts
    tuple,        // parts
    dict,         // parts: key, value, key, value, ...
    member,       // parts[0].text
    item,         // parts[0][parts[1]]
    slice,        // parts[0][parts[1]:parts[2]:parts[3]]; a missing bound is null
    call,         // parts[0](arguments)
    filter,       // parts[0]|text(arguments)
    test,         // parts[0] is text(arguments)
    negated_not,  // not parts[0]
    minus,        // -parts[0]
    plus,         // +parts[0]
    binary,       // parts[0] text parts[1]
    conjunction,  // parts[0] and parts[1]
    disjunction,  // parts[0] or parts[1]
    comparison,   // parts[0] words[0] parts[1] words[1] parts[2] ...
    conditional   // parts[0] if parts[1] else parts[2]; without else parts[2] is null
  } kind = constant;
  int line = 0;
  int height = 1;  // levels of this tree; evaluation and destruction recurse as deep
  std::string text{};
  Value value{};
  std::vector<Expr> parts{};
  std::vector<std::string> words{};
  CallArguments arguments{};
};

// A name, a member of a namespace, or several of them in a tuple: what `set` and `for` assign to.
struct Target {
  std::string name, member;  // "ns" and "found" for ns.found; member empty for a plain name
};

struct MacroParameter {
  std::string name;
  Expr otherwise;  // null: none
};

struct Statement {
  enum Kind : uint8_t {
    text,        // words
    output,      // value
    condition,   // if value: body, else otherwise (an elif is a condition alone in otherwise)
    loop,        // for targets in value (if filter): body, else otherwise
    assign,      // set targets = value
    capture,     // set targets[0] (|value): body; the value's innermost part is the captured text
    macro,       // words, parameters, body
    call_block,  // call(parameters) value: body
    filtered,    // filter value: body; as capture
    with,        // with targets[i] = values[i]: body
    generation,  // body, marked as what the assistant wrote
    leave,       // break
    next         // continue
  } kind = text;
  int line = 0;
  std::string words{};
  Expr value{}, filter{};
  std::vector<Target> targets{};
  bool unpacks = false;    // targets are a tuple, even when there is only one
  bool uses_loop = false;  // the body of a loop says `loop`
  std::vector<Expr> values{};
  std::vector<MacroParameter> parameters{};
  Body body{}, otherwise{};
};

// Parses a template; an Error begins with `where` and names line and construct. What Jinja has and
// this interpreter has not (include, import, extends, block, autoescape) is an Error of its own.
Body parse(std::string_view source, const std::string& where);

}  // namespace afina::jinja
