// A Jinja template as tokens: text between tags, and what is inside of tags.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace afina::jinja {

struct Token {
  enum Kind : uint8_t {
    text,            // outside of tags, white space already taken away as the tags beside it ask
    begin_variable,  // {{
    end_variable,    // }}
    begin_block,     // {%
    end_block,       // %}
    name,
    string,  // its value, escapes resolved
    integer,
    real,
    sign,  // an operator or bracket, as written
    end    // of the template
  } kind = end;
  std::string value;
  int line = 0;
};

// Splits a template as Jinja does with trim_blocks and lstrip_blocks on (what transformers sets):
// the newline behind a block goes, blanks before a block that begins its line go, and "-" beside a
// tag takes all white space. An Error begins with `where` and names the line.
std::vector<Token> tokens_of(std::string_view source, const std::string& where);

}  // namespace afina::jinja
