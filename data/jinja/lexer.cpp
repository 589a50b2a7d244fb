// Splits a Jinja template into tokens.
#include "data/jinja/lexer.h"

#include <algorithm>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina::jinja {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || uint8_t(c) >= 0x80;
}
bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

// "\r\n" and "\r" become "\n", and one newline at the very end goes: Jinja's defaults.
std::string with_plain_newlines(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
      continue;
    }
    text += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& where)
      : source_(with_plain_newlines(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) outside();
    add(Token::end, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    fail(where_, ", line ", line_, ": ", what);
  }
  void add(Token::Kind kind, std::string value) {
    tokens_.push_back({kind, std::move(value), line_});
  }
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  void advance(size_t bytes) {
    line_ += int(
        std::count(source_.begin() + int64_t(at_), source_.begin() + int64_t(at_ + bytes), '\n'));
    at_ += bytes;
  }

  // From the end of one tag to the beginning of the next, and the tag.
  void outside() {
    size_t tag = at_;
    while ((tag = source_.find('{', tag)) != source_.npos) {
      const char next = tag + 1 < source_.size() ? source_[tag + 1] : '\0';
      if (next == '{' || next == '%' || next == '#') break;
      ++tag;
    }
    if (tag == source_.npos) {
      add_text(source_.size(), source_.size());
      return;
    }
    const char kind = source_[tag + 1], sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
    size_t end = tag;
    if (sign == '-') {
      while (end > at_ && blank(source_[end - 1])) --end;
    } else if (kind != '{' && sign != '+') {
      // lstrip_blocks: blanks from the beginning of the line to a block or a comment.
      size_t first = end;
      while (first > at_ && (source_[first - 1] == ' ' || source_[first - 1] == '\t')) --first;
      if (first > at_ ? source_[first - 1] == '\n' : line_starts_) end = first;
    }
    add_text(end, tag);
    advance(2 + ((sign == '-' || sign == '+') ? 1 : 0));
    if (kind == '#') comment();
    else if (kind == '{') variable();
    else block();
  }
  // Text up to `end` is kept, and what follows up to `next` is passed over.
  void add_text(size_t end, size_t next) {
    if (end > at_) add(Token::text, source_.substr(at_, end - at_));
    advance(next - at_);
  }

  void comment() {
    const size_t end = source_.find("#}", at_);
    if (end == source_.npos) wrong("a comment {# is not closed by #}");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    advance(end + 2 - at_);
    after_tag(sign, true);
  }
  void variable() {
    add(Token::begin_variable, "{{");
    const char sign = inside("}}");
    add(Token::end_variable, "}}");
    after_tag(sign, false);
  }
  void block() {
    if (raw_begins()) return raw();
    add(Token::begin_block, "{%");
    const char sign = inside("%}");
    add(Token::end_block, "%}");
    after_tag(sign, true);
  }
  // White space behind a tag.
  void after_tag(char sign, bool trims) {
    size_t end = at_;
    if (sign == '-')
      while (end < source_.size() && blank(source_[end])) ++end;
    else if (trims && sign != '+' && end < source_.size() && source_[end] == '\n') ++end;
    line_starts_ = end > at_ && source_[end - 1] == '\n';
    advance(end - at_);
  }

  static size_t skip_blanks(std::string_view text, size_t at) {
    while (at < text.size() && blank(text[at])) ++at;
    return at;
  }
  // The length of `word` and the end of its tag from `at` on, 0 if it is not there; `sign`: the
  // character that stood before %}.
  static size_t closing(std::string_view text, size_t at, std::string_view word, char& sign) {
    size_t i = skip_blanks(text, at);
    if (text.substr(i, word.size()) != word) return 0;
    i = skip_blanks(text, i + word.size());
    sign = '\0';
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) sign = text[i++];
    return text.substr(i, 2) == "%}" ? i + 2 - at : 0;
  }
  bool raw_begins() {
    char sign;
    return closing(source_, at_, "raw", sign) > 0;
  }
  void raw() {
    char sign = '\0';
    advance(closing(source_, at_, "raw", sign));
    if (sign == '-')
      while (at_ < source_.size() && blank(source_[at_])) advance(1);
    for (size_t tag = at_; (tag = source_.find("{%", tag)) != source_.npos; ++tag) {
      size_t i = tag + 2;
      const char before = i < source_.size() ? source_[i] : '\0';
      if (before == '-' || before == '+') ++i;
      const size_t length = closing(source_, i, "endraw", sign);
      if (!length) continue;
      size_t end = tag;
      if (before == '-') {
        while (end > at_ && blank(source_[end - 1])) --end;
      } else if (before != '+') {
        size_t first = end;
        while (first > at_ && (source_[first - 1] == ' ' || source_[first - 1] == '\t')) --first;
        if (first > at_ && source_[first - 1] == '\n') end = first;
      }
      add_text(end, i + length);
      after_tag(sign, true);
      return;
    }
    wrong("{% raw %} is not closed by {% endraw %}");
  }

  // The tokens inside a tag up to `close`; gives the sign before it.
  char inside(std::string_view close) {
    int depth = 0;
    for (;;) {
      while (at_ < source_.size() && blank(source_[at_])) advance(1);
      if (at_ >= source_.size()) wrong("a tag is not closed by " + std::string(close));
      const std::string_view left = rest();
      if (depth == 0) {
        if (left.starts_with(close)) {
          advance(2);
          return '\0';
        }
        if ((left[0] == '-' || left[0] == '+') && left.substr(1).starts_with(close)) {
          const char sign = left[0];
          advance(3);
          return sign;
        }
      }
      if (letter(left[0])) word();
      else if (digit(left[0])) number();
      else if (left[0] == '"' || left[0] == '\'') string();
      else depth += operator_sign();
    }
  }
  void word() {
    size_t end = at_;
    while (end < source_.size() && (letter(source_[end]) || digit(source_[end]))) ++end;
    add(Token::name, source_.substr(at_, end - at_));
    advance(end - at_);
  }
  void number() {
    size_t end = at_;
    auto digits = [&] {
      while (end < source_.size() && (digit(source_[end]) || source_[end] == '_')) ++end;
    };
    digits();
    bool real = false;
    if (end + 1 < source_.size() && source_[end] == '.' && digit(source_[end + 1])) {
      real = true;
      ++end;
      digits();
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-'))
        ++exponent;
      if (exponent < source_.size() && digit(source_[exponent])) {
        real = true;
        end = exponent;
        digits();
      }
    }
    std::string text = source_.substr(at_, end - at_);
    std::erase(text, '_');
    if (!real && text.size() > 1 && text[0] == '0' && text.find_first_not_of('0') != text.npos)
      wrong("the number " + text + " begins with 0");
    if (!real && end < source_.size() && letter(source_[end]))
      wrong("'" + text + source_[end] + "' is no number; only decimal numbers are supported");
    add(real ? Token::real : Token::integer, text);
    advance(end - at_);
  }
  void string() {
    const char quote = source_[at_];
    std::string value;
    size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] != '\\') {
        value += source_[i];
        continue;
      }
      if (++i >= source_.size()) break;
      escape(i, value);
    }
    if (i >= source_.size()) wrong("a string is not closed");
    const int line = line_;
    advance(i + 1 - at_);
    tokens_.push_back({Token::string, std::move(value), line});
  }
  // The escape sequence whose letter is at i, as Python's unicode-escape reads it; i ends on its
  // last character.
  void escape(size_t& i, std::string& value) {
    const char c = source_[i];
    constexpr std::string_view letters = "abfnrtv\\'\"", values = "\a\b\f\n\r\t\v\\'\"";
    if (size_t known = letters.find(c); known != letters.npos) {
      value += values[known];
    } else if (c == '\n') {
      // a line continued
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      const std::string hex = source_.substr(i + 1, digits);
      if (hex.size() != digits || hex.find_first_not_of("0123456789abcdefABCDEF") != hex.npos)
        wrong(std::string("\\") + c + " is followed by '" + hex + "' where " +
              std::to_string(digits) + " hexadecimal digits are expected");
      const unsigned long code = std::stoul(hex, nullptr, 16);
      if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        wrong("\\" + std::string(1, c) + hex + " is no character");
      append_utf8(value, uint32_t(code));
      i += digits;
    } else if (c >= '0' && c <= '7') {
      uint32_t code = 0;
      size_t digits = 0;
      while (digits < 3 && i + digits < source_.size() && source_[i + digits] >= '0' &&
             source_[i + digits] <= '7')
        code = 8 * code + uint32_t(source_[i + digits++] - '0');
      append_utf8(value, code);
      i += digits - 1;
    } else if (c == 'N') {
      wrong("\\N{...} in a string is not supported; write the character itself");
    } else {
      value += '\\';
      value += c;
    }
  }
  // Adds an operator; gives +1 for an opening bracket, -1 for a closing one.
  int operator_sign() {
    const std::string_view left = rest();
    for (std::string_view two : {"==", "!=", "<=", ">=", "//", "**"})
      if (left.starts_with(two)) {
        add(Token::sign, std::string(two));
        advance(2);
        return 0;
      }
    if (std::string_view("+-*/%~<>=()[]{}.,:|").find(left[0]) == std::string_view::npos)
      wrong("unexpected '" + std::string(left.substr(0, character_at(left, 0).bytes)) +
            "' in a tag");
    const char c = left[0];
    add(Token::sign, std::string(1, c));
    advance(1);
    return c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
  }

  const std::string source_;
  const std::string& where_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // does a line begin here?
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source, const std::string& where) {
  return Lexer(source, where).run();
}

}  // namespace afina::jinja
