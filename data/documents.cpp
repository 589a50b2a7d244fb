// Splits plain text files into documents.
#include "data/documents.h"

#include "engine/error.h"

namespace afina {

namespace {

std::string_view stripped(std::string_view line) {
  size_t begin = line.find_first_not_of(" \t\r"), end = line.find_last_not_of(" \t\r");
  return begin == line.npos ? std::string_view() : line.substr(begin, end - begin + 1);
}

// True for "= Title =", but not for "= = Section = =" or a formula.
bool is_title(std::string_view line) {
  line = stripped(line);
  if (line.size() < 5 || !line.starts_with("= ") || !line.ends_with(" =")) return false;
  std::string_view inside = line.substr(2, line.size() - 4);
  return inside.front() != '=' && inside.back() != '=';
}

}  // namespace

std::vector<Example> split_documents(const std::string& text, const std::string& name) {
  std::vector<Example> documents;
  int64_t line = 0, first_line = 1;
  size_t begin = 0;
  bool after_blank = true;
  auto close = [&](size_t end) {
    std::string_view part = std::string_view(text).substr(begin, end - begin);
    if (part.find_first_not_of(" \t\r\n") == part.npos) return;
    documents.push_back({{}, std::string(part), name + ", line " + std::to_string(first_line)});
  };
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string_view one = std::string_view(text).substr(at, end - at);
    size_t next = std::min(end + 1, text.size());
    ++line;
    bool separator = stripped(one) == "<|endoftext|>";
    if (separator || (after_blank && is_title(one))) {
      close(at);
      begin = separator ? next : at;
      first_line = line + separator;
    }
    after_blank = stripped(one).empty() || separator;
    at = next;
  }
  close(text.size());
  require(!documents.empty(), name, ": there is no text in it");
  return documents;
}

}  // namespace afina
