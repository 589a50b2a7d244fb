// Filling paragraphs.
#include "tools/text/wrap.h"

#include <algorithm>
#include <sstream>

#include "tools/text/format.h"

namespace afina {

std::string reflowed(const std::string& text, size_t width) {
  std::string out, line;
  auto end_line = [&] {
    if (!line.empty()) out += line + "\n";
    line.clear();
  };
  std::istringstream lines(text);
  for (std::string one; std::getline(lines, one);) {
    if (one.empty() || one[0] == ' ') {
      end_line();
      out += one + "\n";
      continue;
    }
    std::istringstream words(one);
    for (std::string word; words >> word;) {
      if (!line.empty() && display_width(line) + 1 + display_width(word) > width) end_line();
      line += (line.empty() ? "" : " ") + word;
    }
  }
  end_line();
  if (!text.ends_with("\n") && !out.empty()) out.pop_back();
  return out;
}

namespace {

// How many bytes of a word stand on a line of so many columns: up to a sign that parts it, '_' only
// where there is no other. 0 where it has none that fits.
size_t parted_at(const std::string& word, size_t columns) {
  for (const std::string signs : {"./,", "_"})
    for (size_t at = std::min(word.size(), 4 * columns); at-- > 1;)
      if (signs.find(word[at]) != std::string::npos &&
          display_width(word.substr(0, at + 1)) <= columns)
        return at + 1;
  return 0;
}

}  // namespace

std::string filled(const std::string& text, size_t width, size_t indent) {
  std::string out, line;
  size_t before = 0;  // blanks that begin the line
  auto end_line = [&] {
    out += (out.empty() ? "" : "\n") + std::string(before, ' ') + line;
    line.clear();
    before = indent;
  };
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const size_t used = before + display_width(line) + (line.empty() ? 0 : 1);
    if (!line.empty() && used + display_width(word) > width) end_line();
    for (size_t at; before + display_width(word) > width; word.erase(0, at)) {
      at = parted_at(word, width - std::min(width, before));
      if (at == 0 || at == word.size()) break;
      line = word.substr(0, at);
      end_line();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  if (!line.empty() || out.empty()) end_line();
  return out;
}

}  // namespace afina
