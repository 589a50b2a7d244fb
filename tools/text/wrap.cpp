// Filling paragraphs.
#include "tools/text/wrap.h"

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

}  // namespace afina
