// Takes JSON text apart into values.
#include "data/formats/json_pieces.h"

namespace afina {

void JsonPieces::step() { line_ += text_[at_++] == '\n'; }

char JsonPieces::next() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') step();
    else if (text_.substr(at_).starts_with("\xEF\xBB\xBF")) at_ += 3;
    else return c;
  }
  return 0;
}

std::string_view JsonPieces::value() {
  const char first = next();
  const size_t begin = at_;
  int64_t open = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_)
        at_ += text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n';
      if (at_ >= text_.size() || text_[at_] != '"') return {};
      ++at_;
      if (open == 0) return text_.substr(begin, at_ - begin);
      continue;
    }
    const bool closes = c == ']' || c == '}';
    if (open == 0 && at_ > begin && first != '[' && first != '{' &&
        (closes || c == ',' || c == ':' || c == ' ' || c == '\t' || c == '\r' || c == '\n'))
      return text_.substr(begin, at_ - begin);
    if (c == '[' || c == '{') ++open;
    step();
    if (closes && --open <= 0) return text_.substr(begin, at_ - begin);
  }
  return first != '[' && first != '{' ? text_.substr(begin) : std::string_view();
}

std::vector<JsonPiece> members_of(std::string_view text, int64_t first_line) {
  std::vector<JsonPiece> members;
  JsonPieces pieces(text, first_line);
  if (pieces.next() != '{') return {};
  pieces.skip();
  while (pieces.next() == '"') {
    const std::string_view key = pieces.value();
    if (key.size() < 2 || pieces.next() != ':') return {};
    pieces.skip();
    pieces.next();
    const int64_t line = pieces.line();
    const std::string_view value = pieces.value();
    if (value.empty()) return {};
    members.push_back({std::string(key.substr(1, key.size() - 2)), value, line});
    if (pieces.next() != ',') break;
    pieces.skip();
  }
  return pieces.next() == '}' ? members : std::vector<JsonPiece>();
}

}  // namespace afina
