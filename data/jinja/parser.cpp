// Parses a Jinja template: statements here, expressions in expressions.cpp.
#include "data/jinja/parser.h"

#include <algorithm>

#include "engine/error.h"

namespace afina::jinja {

Parser::Parser(std::vector<Token> tokens, const std::string& where)
    : tokens_(std::move(tokens)), where_(where) {}

void Parser::wrong(const std::string& what, int line) const {
  fail(where_, ", line ", line ? line : now().line, ": ", what);
}

std::string Parser::found() const {
  switch (now().kind) {
    case Token::end: return "the end of the template";
    case Token::text: return "text";
    case Token::end_block: return "%}";
    case Token::end_variable: return "}}";
    default: return "'" + now().value + "'";
  }
}

bool Parser::is_sign(std::string_view text) const {
  return now().kind == Token::sign && now().value == text;
}
bool Parser::is_name(std::string_view text) const {
  return now().kind == Token::name && now().value == text;
}
bool Parser::take_sign(std::string_view text) {
  if (!is_sign(text)) return false;
  ++at_;
  return true;
}
bool Parser::take_name(std::string_view text) {
  if (!is_name(text)) return false;
  ++at_;
  return true;
}
void Parser::expect_sign(std::string_view text) {
  if (!take_sign(text)) wrong("expected '" + std::string(text) + "', found " + found());
}
std::string Parser::expect_name() {
  if (now().kind != Token::name) wrong("expected a name, found " + found());
  return tokens_[at_++].value;
}
void Parser::expect_end_of_block() {
  if (now().kind != Token::end_block) wrong("expected %}, found " + found());
  ++at_;
}

bool Parser::at_block(const std::vector<std::string_view>& words) const {
  return now().kind == Token::begin_block && tokens_[at_ + 1].kind == Token::name &&
         std::find(words.begin(), words.end(), tokens_[at_ + 1].value) != words.end();
}

Body Parser::body(const std::vector<std::string_view>& ends, const char* opened, int line) {
  Deeper deeper(*this);
  Body all;
  for (;;) {
    if (now().kind == Token::end) {
      if (!ends.empty())
        wrong(std::string("{% ") + opened + " %} is not closed by {% " + std::string(ends.back()) +
                  " %}",
              line);
      return all;
    }
    if (!ends.empty() && at_block(ends)) return all;
    all.push_back(statement());
  }
}

std::unique_ptr<Statement> Parser::made(Statement::Kind kind) const {
  auto s = std::make_unique<Statement>();
  s->kind = kind;
  s->line = now().line;
  return s;
}

std::unique_ptr<Statement> Parser::statement() {
  if (now().kind == Token::text) {
    auto s = made(Statement::text);
    s->words = tokens_[at_++].value;
    return s;
  }
  if (now().kind == Token::begin_variable) {
    auto s = made(Statement::output);
    ++at_;
    s->value = tuple_or_one();
    if (now().kind != Token::end_variable) wrong("expected }}, found " + found());
    ++at_;
    return s;
  }
  ++at_;  // {%
  if (now().kind != Token::name) wrong("expected the name of a statement, found " + found());
  const std::string word = now().value;
  if (word == "if") return condition();
  if (word == "for") return loop();
  if (word == "set") return set();
  if (word == "macro") return macro();
  if (word == "call") return call_block();
  if (word == "filter") return filter_block();
  if (word == "with") return with();
  if (word == "generation") {
    auto s = made(Statement::generation);
    ++at_;
    expect_end_of_block();
    const int loops = std::exchange(loops_, 0);
    s->body = closed_body("generation", s->line);
    loops_ = loops;
    return s;
  }
  if (word == "break" || word == "continue") {
    auto s = made(word == "break" ? Statement::leave : Statement::next);
    ++at_;
    if (!loops_) wrong("{% " + word + " %} outside of a loop");
    expect_end_of_block();
    return s;
  }
  for (const char* known :
       {"include", "import", "from", "extends", "block", "autoescape", "do", "trans", "debug"})
    if (word == known)
      wrong("{% " + word +
            " %} is not supported in chat templates (it would need other files or an "
            "extension that transformers does not load)");
  wrong("unknown statement {% " + word + " %}");
}

// The body of a block that ends with "end" + word, and that end.
Body Parser::closed_body(const std::string& word, int line) {
  const std::string end = "end" + word;
  Body all = body({end}, word.c_str(), line);
  at_ += 2;
  expect_end_of_block();
  return all;
}

std::unique_ptr<Statement> Parser::condition() {
  auto s = made(Statement::condition);
  ++at_;
  s->value = tuple_or_one();
  expect_end_of_block();
  s->body = body({"elif", "else", "endif"}, "if", s->line);
  ++at_;
  if (is_name("elif")) {
    Deeper deeper(*this);
    s->otherwise.push_back(condition());
    return s;
  }
  if (take_name("else")) {
    expect_end_of_block();
    s->otherwise = body({"endif"}, "else", s->line);
    ++at_;
  }
  ++at_;  // endif
  expect_end_of_block();
  return s;
}

std::unique_ptr<Statement> Parser::loop() {
  auto s = made(Statement::loop);
  ++at_;
  targets(*s);
  if (!take_name("in")) wrong("expected 'in', found " + found());
  s->value = tuple_or_one(false);
  if (take_name("if")) s->filter = expression();
  if (is_name("recursive")) wrong("a recursive loop is not supported");
  expect_end_of_block();
  ++loops_;
  const int64_t before = loop_names_;
  s->body = body({"else", "endfor"}, "for", s->line);
  s->uses_loop = loop_names_ > before;
  --loops_;
  ++at_;
  if (take_name("else")) {
    expect_end_of_block();
    s->otherwise = body({"endfor"}, "else", s->line);
    ++at_;
  }
  ++at_;  // endfor
  expect_end_of_block();
  return s;
}

Target Parser::target() {
  Target t;
  t.name = expect_name();
  for (const char* reserved : {"true", "false", "none", "True", "False", "None"})
    if (t.name == reserved) wrong("'" + t.name + "' cannot be assigned to");
  return t;
}

void Parser::targets(Statement& s) {
  const bool bracket = take_sign("(");
  do {
    if (!s.targets.empty() && now().kind != Token::name) break;
    s.targets.push_back(target());
    if (take_sign(",")) s.unpacks = true;
    else break;
  } while (true);
  if (bracket) expect_sign(")");
}

std::unique_ptr<Statement> Parser::set() {
  auto s = made(Statement::assign);
  ++at_;
  if (tokens_[at_].kind == Token::name && tokens_[at_ + 1].kind == Token::sign &&
      tokens_[at_ + 1].value == ".") {
    s->targets.push_back(target());
    expect_sign(".");
    s->targets[0].member = expect_name();
  } else {
    targets(*s);
  }
  if (take_sign("=")) {
    s->value = tuple_or_one();
    expect_end_of_block();
    return s;
  }
  if (s->unpacks) wrong("{% set a, b %} needs '=' and a value");
  s->kind = Statement::capture;
  s->value = filters_of_body();
  expect_end_of_block();
  s->body = closed_body("set", s->line);
  return s;
}

// |filter|filter behind {% set x or {% filter: an expression whose innermost part, the text of the
// body, is the name "".
Expr Parser::filters_of_body() {
  auto inner = std::make_unique<Expression>();
  inner->kind = Expression::name;
  inner->line = now().line;
  return filters(std::move(inner));
}

std::unique_ptr<Statement> Parser::filter_block() {
  auto s = made(Statement::filtered);
  ++at_;
  // {% filter a|b %} is written without the first "|".
  tokens_.insert(tokens_.begin() + int64_t(at_), {Token::sign, "|", now().line});
  s->value = filters_of_body();
  expect_end_of_block();
  s->body = closed_body("filter", s->line);
  return s;
}

void Parser::parameters(Statement& s) {
  expect_sign("(");
  while (!take_sign(")")) {
    if (!s.parameters.empty()) expect_sign(",");
    if (take_sign(")")) return;
    MacroParameter p;
    p.name = target().name;
    if (take_sign("=")) p.otherwise = expression();
    else if (!s.parameters.empty() && s.parameters.back().otherwise)
      wrong("the parameter '" + p.name + "' without a default follows one that has a default");
    s.parameters.push_back(std::move(p));
  }
}

std::unique_ptr<Statement> Parser::macro() {
  auto s = made(Statement::macro);
  ++at_;
  s->words = expect_name();
  parameters(*s);
  expect_end_of_block();
  const int loops = std::exchange(loops_, 0);
  s->body = closed_body("macro", s->line);
  loops_ = loops;
  return s;
}

std::unique_ptr<Statement> Parser::call_block() {
  auto s = made(Statement::call_block);
  ++at_;
  if (is_sign("(")) parameters(*s);
  s->value = expression();
  if (s->value->kind != Expression::call) wrong("{% call %} needs a call, as in {% call name() %}");
  expect_end_of_block();
  const int loops = std::exchange(loops_, 0);
  s->body = closed_body("call", s->line);
  loops_ = loops;
  return s;
}

std::unique_ptr<Statement> Parser::with() {
  auto s = made(Statement::with);
  ++at_;
  while (now().kind != Token::end_block) {
    if (!s->targets.empty()) expect_sign(",");
    s->targets.push_back(target());
    expect_sign("=");
    s->values.push_back(expression());
  }
  expect_end_of_block();
  s->body = closed_body("with", s->line);
  return s;
}

Body parse(std::string_view source, const std::string& where) {
  Parser parser(tokens_of(source, where), where);
  return parser.body({}, "", 0);
}

}  // namespace afina::jinja
