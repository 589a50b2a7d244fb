// Takes JSON text apart into the values it consists of, without parsing them: so that a file is
// read record by record, and one bad record does not hide the others.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// Walks over JSON text. What is found is where values begin and end, by brackets and quotes; what
// is inside of them is for parse_json.
class JsonPieces {
 public:
  // first_line: the number of the text's first line in its file.
  explicit JsonPieces(std::string_view text, int64_t first_line = 1)
      : text_(text), line_(first_line) {}

  // The next character that is no white space (and no byte order mark); 0 at the end.
  char next();
  void skip() { step(); }
  // The value that begins here, and past it. Empty where the text ends before the value does, or
  // where a line ends inside a string.
  std::string_view value();
  int64_t line() const { return line_; }  // of the next character
  size_t at() const { return at_; }

 private:
  void step();
  std::string_view text_;
  size_t at_ = 0;
  int64_t line_;
};

// A member of an object that was not parsed.
struct JsonPiece {
  std::string key;  // as it is written between the quotes
  std::string_view value;
  int64_t line;
};
// The members of the object that `text` consists of; empty where it is damaged.
std::vector<JsonPiece> members_of(std::string_view text, int64_t first_line);

}  // namespace afina
