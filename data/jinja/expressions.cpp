// Parses the expressions of a Jinja template, from the loosest binding to the tightest.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "data/jinja/parser.h"

namespace afina::jinja {

namespace {

// Is a number out of range because it is too large, not too small? digits: "1e400", "0.00e-400",
// digits with a point or an exponent.
bool is_huge(const std::string& digits) {
  const size_t e = digits.find_first_of("eE");
  return e == digits.npos || digits.find('-', e) == digits.npos;
}

}  // namespace

Expr Parser::made(Expression::Kind kind) const {
  auto e = std::make_unique<Expression>();
  e->kind = kind;
  e->line = now().line;
  return e;
}

// Loops of the parser build trees as high as a chain is long (1+1+..., m.a.a...), and what walks
// the tree calls itself once a level: the height is bounded here, and nesting by Deeper.
Expr Parser::whole(Expr e, const std::string& construct) const {
  constexpr int highest = 1000;
  int below = 0;
  for (auto& part : e->parts)
    if (part) below = std::max(below, part->height);
  for (auto& argument : e->arguments.positional) below = std::max(below, argument->height);
  for (auto& [name, argument] : e->arguments.named) below = std::max(below, argument->height);
  e->height = below + 1;
  if (e->height > highest)
    wrong("an expression with more than " + std::to_string(highest) +
              " links in a chain, here at " + construct +
              "; split it up: {% set %} keeps a part of it in a variable",
          e->line);
  return e;
}

Expr Parser::joined(Expr e, Expr left, Expr right, const std::string& construct) const {
  e->parts.push_back(std::move(left));
  e->parts.push_back(std::move(right));
  return whole(std::move(e), construct);
}

Expr Parser::tuple_or_one(bool conditional) {
  auto one = [&] { return conditional ? expression() : without_condition(); };
  Expr first = one();
  if (!is_sign(",")) return first;
  Expr all = made(Expression::tuple);
  all->parts.push_back(std::move(first));
  while (take_sign(",")) {
    if (now().kind == Token::end_variable || now().kind == Token::end_block || is_sign(")")) break;
    all->parts.push_back(one());
  }
  return whole(std::move(all), "a tuple");
}

Expr Parser::expression() {
  Deeper deeper(*this);
  Expr value = without_condition();
  while (is_name("if")) {
    Expr e = made(Expression::conditional);
    ++at_;
    Expr condition = without_condition();
    e->parts.push_back(std::move(value));
    e->parts.push_back(std::move(condition));
    e->parts.push_back(take_name("else") ? expression() : nullptr);
    value = whole(std::move(e), "'if'");
  }
  return value;
}

Expr Parser::without_condition() {
  Deeper deeper(*this);
  Expr left = conjunction();
  while (is_name("or")) {
    Expr e = made(Expression::disjunction);
    ++at_;
    left = joined(std::move(e), std::move(left), conjunction(), "'or'");
  }
  return left;
}

Expr Parser::conjunction() {
  Expr left = negation();
  while (is_name("and")) {
    Expr e = made(Expression::conjunction);
    ++at_;
    left = joined(std::move(e), std::move(left), negation(), "'and'");
  }
  return left;
}

Expr Parser::negation() {
  if (!is_name("not")) return comparison();
  Deeper deeper(*this);
  Expr e = made(Expression::negated_not);
  ++at_;
  e->parts.push_back(negation());
  return whole(std::move(e), "'not'");
}

Expr Parser::comparison() {
  Expr e = made(Expression::comparison);
  e->parts.push_back(sum());
  for (;;) {
    std::string word;
    for (const char* sign : {"==", "!=", "<=", ">=", "<", ">"})
      if (word.empty() && take_sign(sign)) word = sign;
    if (word.empty() && take_name("in")) word = "in";
    if (word.empty() && is_name("not") && tokens_[at_ + 1].kind == Token::name &&
        tokens_[at_ + 1].value == "in") {
      word = "not in";
      at_ += 2;
    }
    if (word.empty()) break;
    e->words.push_back(word);
    e->parts.push_back(sum());
  }
  if (e->words.empty()) return std::move(e->parts[0]);
  return whole(std::move(e), "a comparison");
}

Expr Parser::sum() {
  Expr left = concatenation();
  while (is_sign("+") || is_sign("-")) {
    Expr e = made(Expression::binary);
    e->text = tokens_[at_++].value;
    const std::string sign = "'" + e->text + "'";
    left = joined(std::move(e), std::move(left), concatenation(), sign);
  }
  return left;
}

Expr Parser::concatenation() {
  Expr left = product();
  while (is_sign("~")) {
    Expr e = made(Expression::binary);
    e->text = tokens_[at_++].value;
    const std::string sign = "'" + e->text + "'";
    left = joined(std::move(e), std::move(left), product(), sign);
  }
  return left;
}

Expr Parser::product() {
  Expr left = power();
  while (is_sign("*") || is_sign("/") || is_sign("//") || is_sign("%")) {
    Expr e = made(Expression::binary);
    e->text = tokens_[at_++].value;
    const std::string sign = "'" + e->text + "'";
    left = joined(std::move(e), std::move(left), power(), sign);
  }
  return left;
}

Expr Parser::power() {
  Expr left = unary(true);
  while (is_sign("**")) {
    Expr e = made(Expression::binary);
    e->text = tokens_[at_++].value;
    const std::string sign = "'" + e->text + "'";
    left = joined(std::move(e), std::move(left), unary(true), sign);
  }
  return left;
}

Expr Parser::unary(bool with_filters) {
  Deeper deeper(*this);
  Expr e;
  if (is_sign("-") || is_sign("+")) {
    e = made(is_sign("-") ? Expression::minus : Expression::plus);
    ++at_;
    e->parts.push_back(unary(false));
    e = whole(std::move(e), "a sign");
  } else {
    e = primary();
  }
  e = postfix(std::move(e));
  return with_filters ? filters(std::move(e)) : std::move(e);
}

Expr Parser::primary() {
  Expr e = made(Expression::constant);
  const Token& t = now();
  if (t.kind == Token::name) {
    if (t.value == "true" || t.value == "True") e->value = Value(true);
    else if (t.value == "false" || t.value == "False") e->value = Value(false);
    else if (t.value == "none" || t.value == "None") e->value = Value();
    else {
      e->kind = Expression::name;
      e->text = t.value;
      loop_names_ += t.value == "loop";
    }
    ++at_;
    return e;
  }
  if (t.kind == Token::string) {
    std::string all;
    while (now().kind == Token::string) all += tokens_[at_++].value;
    e->value = Value(std::move(all));
    return e;
  }
  if (t.kind == Token::integer) {
    int64_t number = 0;
    auto [end, error] = std::from_chars(t.value.data(), t.value.data() + t.value.size(), number);
    if (error != std::errc()) wrong("the number " + t.value + " is larger than 64 bits hold");
    e->value = Value(number);
    ++at_;
    return e;
  }
  if (t.kind == Token::real) {
    double number = 0.;
    const auto read = std::from_chars(t.value.data(), t.value.data() + t.value.size(), number).ec;
    // Beyond the largest number lies infinity, as in Python; below the smallest, nothing.
    if (read == std::errc::result_out_of_range && is_huge(t.value)) number = HUGE_VAL;
    e->value = Value(number);
    ++at_;
    return e;
  }
  if (is_sign("(") || is_sign("[") || is_sign("{")) return brackets();
  wrong("expected a value, found " + found());
}

Expr Parser::brackets() {
  Deeper deeper(*this);
  if (is_sign("(")) {
    Expr empty = made(Expression::tuple);
    ++at_;
    if (take_sign(")")) return empty;
    Expr inner = tuple_or_one();
    expect_sign(")");
    return inner;
  }
  const bool list = is_sign("[");
  Expr e = made(list ? Expression::list : Expression::dict);
  ++at_;
  const char* close = list ? "]" : "}";
  while (!take_sign(close)) {
    if (!e->parts.empty()) expect_sign(",");
    if (take_sign(close)) break;
    e->parts.push_back(expression());
    if (list) continue;
    expect_sign(":");
    e->parts.push_back(expression());
  }
  return whole(std::move(e), list ? "a list" : "a dict");
}

Expr Parser::postfix(Expr inner) {
  for (;;) {
    if (is_sign(".")) {
      Expr e = made(Expression::member);
      ++at_;
      if (now().kind == Token::integer) {
        e->kind = Expression::item;
        e->parts.push_back(std::move(inner));
        e->parts.push_back(primary());
      } else {
        e->text = expect_name();
        e->parts.push_back(std::move(inner));
      }
      inner = whole(std::move(e), "'.'");
    } else if (is_sign("[")) {
      inner = subscript(std::move(inner));
    } else if (is_sign("(")) {
      inner = call(std::move(inner));
    } else {
      return inner;
    }
  }
}

Expr Parser::call(Expr function) {
  Expr e = made(Expression::call);
  e->parts.push_back(std::move(function));
  e->arguments = call_arguments();
  return whole(std::move(e), "a call");
}

Expr Parser::subscript(Expr inner) {
  Expr e = made(Expression::item);
  ++at_;
  e->parts.push_back(std::move(inner));
  if (!is_sign(":")) {
    e->parts.push_back(expression());
    if (is_sign(",")) wrong("an index of several parts is not supported");
    if (take_sign("]")) return whole(std::move(e), "'[]'");
  } else {
    e->parts.push_back(nullptr);
  }
  e->kind = Expression::slice;
  for (int bound = 0; bound < 2; ++bound)
    e->parts.push_back(take_sign(":") && !is_sign(":") && !is_sign("]") ? expression() : nullptr);
  expect_sign("]");
  return whole(std::move(e), "'[]'");
}

Expr Parser::filters(Expr inner) {
  for (;;) {
    if (take_sign("|")) {
      Expr e = made(Expression::filter);
      e->text = expect_name();
      while (take_sign(".")) e->text += "." + expect_name();
      e->parts.push_back(std::move(inner));
      if (is_sign("(")) e->arguments = call_arguments();
      const std::string construct = "the filter '" + e->text + "'";
      inner = whole(std::move(e), construct);
    } else if (is_name("is")) {
      inner = test(std::move(inner));
    } else if (is_sign("(")) {
      inner = call(std::move(inner));  // of what a filter gave
    } else {
      return inner;
    }
  }
}

Expr Parser::test(Expr inner) {
  ++at_;  // is
  const bool negated = take_name("not");
  Expr e = made(Expression::test);
  e->text = expect_name();
  e->parts.push_back(std::move(inner));
  if (is_sign("(")) {
    e->arguments = call_arguments();
  } else if (now().kind == Token::string || now().kind == Token::integer ||
             now().kind == Token::real || is_sign("[") || is_sign("{") ||
             (now().kind == Token::name && !is_name("else") && !is_name("or") && !is_name("and") &&
              !is_name("if") && !is_name("in") && !is_name("not"))) {
    if (is_name("is")) wrong("tests cannot be chained with 'is'");
    e->arguments.positional.push_back(postfix(primary()));
  }
  e = whole(std::move(e), "'is'");
  if (!negated) return e;
  Expr no = made(Expression::negated_not);
  no->parts.push_back(std::move(e));
  return whole(std::move(no), "'is not'");
}

CallArguments Parser::call_arguments() {
  CallArguments all;
  expect_sign("(");
  bool first = true;
  while (!take_sign(")")) {
    if (!first) expect_sign(",");
    if (take_sign(")")) break;
    first = false;
    if (is_sign("*") || is_sign("**")) wrong("*arguments in a call are not supported");
    if (now().kind == Token::name && tokens_[at_ + 1].kind == Token::sign &&
        tokens_[at_ + 1].value == "=") {
      std::string name = expect_name();
      ++at_;
      all.named.emplace_back(std::move(name), expression());
    } else {
      if (!all.named.empty()) wrong("an argument without a name follows one with a name");
      all.positional.push_back(expression());
    }
  }
  return all;
}

}  // namespace afina::jinja
