// Reads letters, then digits and marks, byte by byte.
#include "data/checks/id_fronted.h"

namespace afina {

namespace {

constexpr size_t most_marks = 4;  // bytes between two digits: " - ", a dash with a blank

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return uint8_t((c | 32) - 'a') < 26; }

// Is it a mark between an identifier and something else: a line's end, money, "FD-207, 12"?
bool parts(std::string_view text, size_t at) {
  if (text[at] == '\n' || text[at] == '$' || text.substr(at).starts_with("£") ||
      text.substr(at).starts_with("€"))
    return true;
  return at + 1 < text.size() && text[at + 1] == ' ' &&
         std::string_view(",.:;").find(text[at]) != std::string_view::npos;
}

// Behind the letters; 0: other ones.
size_t letters_at(std::string_view text, std::string_view front, size_t at) {
  for (char letter : front) {
    if (at >= text.size() || text[at] != letter) return 0;
    if (++at < text.size() && text[at] == '.') ++at;
  }
  return at;
}

}  // namespace

size_t find_fronted(std::string_view text, std::string_view front, size_t digits, size_t from,
                    size_t& end) {
  for (size_t begin = from; (begin = text.find(front[0], begin)) != text.npos; ++begin) {
    if (begin > 0 && (is_letter(text[begin - 1]) || is_digit(text[begin - 1]))) continue;
    size_t at = letters_at(text, front, begin), found = 0, marks = 0;
    if (at == 0) continue;
    for (; at < text.size() && found < digits; ++at) {
      if (is_digit(text[at])) {
        ++found;
        marks = 0;
      } else if (is_letter(text[at]) || ++marks > most_marks || parts(text, at)) {
        break;
      }
    }
    if (found < digits || (at < text.size() && is_digit(text[at]))) continue;
    end = at;
    return begin;
  }
  return text.npos;
}

}  // namespace afina
