// Damages JSON and leaves it JSON: values replaced, members taken out, doubled, moved. What lies
// behind the parser is reached that way only.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "test/fuzz/draw.h"

namespace afina {

// Where a value or a member of an object stands in a text.
struct Piece {
  size_t begin = 0, end = 0;
  explicit operator bool() const { return end > begin; }
};

// The end of the value that begins at `at`.
inline size_t end_of_value(std::string_view text, size_t at) {
  int open = 0;
  for (size_t i = at; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
    } else if (c == '{' || c == '[') {
      ++open;
      continue;
    } else if (c == '}' || c == ']') {
      if (open-- == 0) return i;
    } else if (open > 0 || c != ',') {
      continue;
    }
    if (open == 0) return c == ',' ? i : std::min(i + 1, text.size());
  }
  return text.size();
}

// A value near a random place of the text, and the member it belongs to (itself in an array);
// nothing where there is no JSON.
inline Piece some_value(std::string_view text, Draw& draw, Piece* whole = nullptr) {
  size_t from = text.find_first_of(":,[", draw.below(text.size()));
  if (from == text.npos) from = text.find_first_of(":,[");
  if (from == text.npos) return {};
  size_t begin = text.find_first_not_of(" \n\t\r", from + 1);
  if (begin == text.npos || text[begin] == ']' || text[begin] == '}') return {};
  Piece value = {begin, end_of_value(text, begin)}, member = value;
  size_t colon = text[from] == ':' ? from : text.find_first_not_of(" \n\t\r", value.end);
  bool is_key = text[from] == ',' && colon != text.npos && text[colon] == ':';
  if (is_key) {
    size_t after = text.find_first_not_of(" \n\t\r", colon + 1);
    if (after == text.npos) return {};
    value = {after, end_of_value(text, after)};
    member.end = value.end;
  } else if (text[from] == ':') {
    size_t closing = text.rfind('"', from), opening = closing == text.npos || closing == 0
                                                          ? text.npos
                                                          : text.rfind('"', closing - 1);
    if (opening != text.npos) member.begin = opening;
  }
  if (whole) *whole = member;
  return value;
}

inline std::string odd_value(Draw& draw) {
  static constexpr const char* values[] = {"null",
                                           "true",
                                           "false",
                                           "0",
                                           "-1",
                                           "1",
                                           "2",
                                           "3",
                                           "255",
                                           "65536",
                                           "4294967296",
                                           "2147483647",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "-9223372036854775808",
                                           "18446744073709551615",
                                           "0.5",
                                           "-0.0",
                                           "1e308",
                                           "1e-320",
                                           "16.0",
                                           "1e19",
                                           "\"\"",
                                           "\"a\"",
                                           "\"\\u0000\"",
                                           "\"\\ud83d\\ude00\"",
                                           "\"..\"",
                                           "\"/etc/passwd\"",
                                           "[]",
                                           "{}",
                                           "[[]]",
                                           "[null]",
                                           "{\"a\":1}",
                                           "[0,0]",
                                           "[1,2,3]",
                                           "\"1\"",
                                           "NaN",
                                           "Infinity"};
  return values[draw.below(std::size(values))];
}

// True if there was something to damage.
inline bool damage_json(std::string& input, const std::vector<std::string>& seeds, Draw& draw) {
  Piece member, value = some_value(input, draw, &member);
  if (!value) return false;
  size_t comma;
  switch (draw.below(6)) {
    case 0: input.replace(value.begin, value.end - value.begin, odd_value(draw)); break;
    case 1: {  // with its comma
      comma = input.find_first_not_of(" \n\t\r", member.end);
      size_t before = input.find_last_not_of(" \n\t\r", member.begin - 1);
      if (comma != input.npos && input[comma] == ',')
        input.erase(member.begin, comma + 1 - member.begin);
      else if (before != input.npos && input[before] == ',')
        input.erase(before, member.end - before);
      else input.erase(member.begin, member.end - member.begin);
      break;
    }
    case 2: {  // doubled, mostly under another name
      std::string again = input.substr(member.begin, member.end - member.begin) + ",";
      if (again.size() > 4096) return false;
      if (again[0] == '"' && draw.below(4)) again[1] = char('a' + draw.below(26));
      input.insert(member.begin, again);
      break;
    }
    case 3: {  // a value, or a member for a member, from elsewhere
      const std::string& other = draw.below(2) ? input : seeds[draw.below(seeds.size())];
      Piece more, from = some_value(other, draw, &more);
      if (!from || more.end - more.begin > 4096) return false;
      if (draw.below(2))
        input.replace(value.begin, value.end - value.begin,
                      other.substr(from.begin, from.end - from.begin));
      else
        input.replace(member.begin, member.end - member.begin,
                      other.substr(more.begin, more.end - more.begin));
      break;
    }
    case 4: {  // a number near the one that is there, or a sign, or a fraction
      size_t digit = input.find_first_of("0123456789", value.begin);
      if (digit == input.npos || digit >= value.end) return false;
      if (draw.below(2)) input[digit] = char('0' + draw.below(10));
      else input.insert(digit + draw.below(2), draw.below(2) ? "9" : ".0");
      break;
    }
    default: {  // a letter of a text
      size_t at = value.begin + draw.below(value.end - value.begin);
      if (input[at] == '"' || input[at] == '{' || input[at] == '[' || input[at] == ',' ||
          input[at] == ':')
        return false;
      input[at] = char(32 + draw.below(95));
    }
  }
  return true;
}

}  // namespace afina
