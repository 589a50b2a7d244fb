// Prose for a terminal of any width.
#pragma once
#include <string>

namespace afina {

// The text with its paragraphs filled anew to at most `width` columns. Paragraphs are parted by
// empty lines; lines that begin with a blank (examples to copy) stay as they are. A word longer
// than the width has a line of its own.
std::string reflowed(const std::string& text, size_t width);

// One paragraph filled to at most `width` columns, its lines after the first behind `indent`
// blanks, which count. A word longer than that is parted behind its last '.', '/' or ',' that
// fits, or else '_', where it has one. No line feed at its end.
std::string filled(const std::string& text, size_t width, size_t indent = 0);

}  // namespace afina
