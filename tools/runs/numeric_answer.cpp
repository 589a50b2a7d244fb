// Numbers in answers.
#include "tools/runs/numeric_answer.h"

namespace afina {

namespace {

constexpr std::string_view mark = "####", minus_sign = "\xE2\x88\x92";  // U+2212

bool digit(std::string_view text, size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}
bool three_digits(std::string_view text, size_t at) {
  return digit(text, at) && digit(text, at + 1) && digit(text, at + 2) && !digit(text, at + 3);
}

// Could what ends here be subtracted from? A digit, a letter, a closing bracket.
bool has_value_before(std::string_view text, size_t at) {
  if (at == 0) return false;
  const unsigned char c = (unsigned char)(text[at - 1]);
  return digit(text, at - 1) || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == ')' || c >= 0x80;
}
bool negative(std::string_view text, size_t at) {
  if (at >= 1 && text[at - 1] == '$') --at;
  if (at >= 1 && text[at - 1] == '-') return !has_value_before(text, at - 1);
  return at >= 3 && text.substr(at - 3, 3) == minus_sign && !has_value_before(text, at - 3);
}

// The number that begins here; `at` is moved behind it.
std::string number_at(std::string_view text, size_t& at) {
  const bool below_zero = negative(text, at);
  std::string whole, part;
  const size_t first = at;
  while (digit(text, at)) whole += text[at++];
  while (at - first > 0 && at < text.size() && text[at] == ',' && three_digits(text, at + 1)) {
    whole += text.substr(at + 1, 3);
    at += 4;
  }
  if (at < text.size() && text[at] == '.' && digit(text, at + 1))
    for (++at; digit(text, at);) part += text[at++];
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  part.resize(part.find_last_not_of('0') + 1);
  if (whole.empty() && part.empty()) return "0";
  if (whole.empty()) whole = "0";
  return (below_zero ? "-" : "") + whole + (part.empty() ? "" : "." + part);
}

std::string last_number(std::string_view text) {
  std::string last;
  for (size_t at = 0; at < text.size();) {
    if (digit(text, at)) last = number_at(text, at);
    else ++at;
  }
  return last;
}

// The first number of the line behind the last mark.
std::string marked_number(std::string_view text) {
  const size_t found = text.rfind(mark);
  if (found == text.npos) return "";
  const std::string_view behind = text.substr(found + mark.size());
  const std::string_view line = behind.substr(0, behind.find('\n'));
  for (size_t at = 0; at < line.size(); ++at)
    if (digit(line, at)) return number_at(line, at);
  return "";
}

}  // namespace

std::string numeric_answer(std::string_view text) {
  const std::string marked = marked_number(text);
  return marked.empty() ? last_number(text) : marked;
}

bool has_marked_number(std::string_view text) { return !marked_number(text).empty(); }

}  // namespace afina
