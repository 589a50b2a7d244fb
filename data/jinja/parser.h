// The parser of Jinja templates: statements (parser.cpp) and expressions (expressions.cpp).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/jinja/ast.h"
#include "data/jinja/lexer.h"

namespace afina::jinja {

class Parser {
 public:
  Parser(std::vector<Token> tokens, const std::string& where);
  // Statements up to a block that begins with one of `ends` (not consumed), or to the end of the
  // template when `ends` is empty.
  Body body(const std::vector<std::string_view>& ends, const char* opened, int line);

 private:
  // Bounds how deep the parser calls itself, so that a hostile template cannot exhaust the stack.
  struct Deeper {
    explicit Deeper(Parser& p) : parser(p) {
      if (++parser.depth_ > 150) parser.wrong("nested more than 150 deep");
    }
    ~Deeper() { --parser.depth_; }
    Parser& parser;
  };
  [[noreturn]] void wrong(const std::string& what, int line = 0) const;
  const Token& now() const { return tokens_[at_]; }
  std::string found() const;
  bool is_sign(std::string_view text) const;
  bool is_name(std::string_view text) const;
  bool take_sign(std::string_view text);
  bool take_name(std::string_view text);
  void expect_sign(std::string_view text);
  std::string expect_name();
  void expect_end_of_block();
  bool at_block(const std::vector<std::string_view>& words) const;

  std::unique_ptr<Statement> made(Statement::Kind kind) const;
  std::unique_ptr<Statement> statement();
  Body closed_body(const std::string& word, int line);
  std::unique_ptr<Statement> condition();
  std::unique_ptr<Statement> loop();
  Target target();
  void targets(Statement& s);
  std::unique_ptr<Statement> set();
  std::unique_ptr<Statement> macro();
  std::unique_ptr<Statement> call_block();
  std::unique_ptr<Statement> filter_block();
  std::unique_ptr<Statement> with();
  void parameters(Statement& s);
  Expr filters_of_body();

  Expr made(Expression::Kind kind) const;
  // An expression whose parts are complete, with its height measured; `construct` names it in the
  // error for one that is too high. Every expression that has parts passes through here.
  Expr whole(Expr e, const std::string& construct) const;
  Expr joined(Expr e, Expr left, Expr right, const std::string& construct) const;
  // a, b, c is a tuple; one expression alone is itself.
  Expr tuple_or_one(bool conditional = true);
  Expr expression();
  Expr without_condition();
  Expr conjunction();
  Expr negation();
  Expr comparison();
  Expr sum();
  Expr concatenation();
  Expr product();
  Expr power();
  Expr unary(bool with_filters);
  Expr primary();
  Expr brackets();
  Expr postfix(Expr inner);
  Expr call(Expr function);
  Expr subscript(Expr inner);
  Expr filters(Expr inner);
  Expr test(Expr inner);
  CallArguments call_arguments();

  std::vector<Token> tokens_;
  const std::string& where_;
  size_t at_ = 0;
  int depth_ = 0, loops_ = 0;
  int64_t loop_names_ = 0;  // how often the name `loop` was read
};

}  // namespace afina::jinja
