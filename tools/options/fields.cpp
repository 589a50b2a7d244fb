// Values of options from texts and back.
#include "tools/options/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "engine/nearest.h"

namespace afina {

void no_such_word(const std::string& option, const std::string& text,
                  const std::vector<std::string>& known) {
  std::string list, close = nearest_word(text, known);
  for (const std::string& word : known) list += (list.empty() ? "" : ", ") + word;
  throw UsageError("--" + option + " '" + text + "': expected one of " + list +
                   (close.empty() ? "" : "; did you mean '" + close + "'?"));
}

namespace {

[[noreturn]] void expected(const std::string& option, const std::string& text, const char* what) {
  throw UsageError("--" + option + " '" + text + "': expected " + what);
}
template <class T>
void read_number(T& field, const std::string& option, const std::string& text, const char* what) {
  const char *begin = text.data(), *end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  T value{};
  auto [after, error] = std::from_chars(begin, end, value);
  if (error != std::errc() || after != end || begin == end) expected(option, text, what);
  field = value;
}

}  // namespace

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(int64_t value) { return std::to_string(value); }
std::string text_of(int value) { return std::to_string(value); }
std::string text_of(uint64_t value) { return std::to_string(value); }
std::string text_of(double value) {
  std::ostringstream text;
  text.precision(12);
  text << value;
  return text.str();
}
std::string text_of(const std::string& value) { return value; }
std::string text_of(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& one : values) text += (text.empty() ? "" : " ") + one;
  return text;
}

void read_text(bool& field, const std::string& option, const std::string& text) {
  std::string word = text;
  for (char& c : word) c = char(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  auto is_one_of = [&](std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  if (is_one_of({"true", "on", "yes", "1"})) field = true;
  else if (is_one_of({"false", "off", "no", "0"})) field = false;
  else expected(option, text, "true or false");
}
void read_text(int64_t& field, const std::string& option, const std::string& text) {
  read_number(field, option, text,
              option == "warmup" ? "a whole number of steps" : "a whole number");
}
void read_text(int& field, const std::string& option, const std::string& text) {
  read_number(field, option, text, "a whole number");
}
void read_text(uint64_t& field, const std::string& option, const std::string& text) {
  read_number(field, option, text, "a whole number that is not negative");
}
void read_text(double& field, const std::string& option, const std::string& text) {
  double value = 0;
  read_number(value, option, text, "a number");
  if (!std::isfinite(value)) expected(option, text, "a finite number");
  field = value;
}
void read_text(std::string& field, const std::string&, const std::string& text) { field = text; }
void read_text(std::vector<std::string>& field, const std::string&, const std::string& text) {
  field.push_back(text);
}

}  // namespace afina
