// Files that may be written again: those that this program wrote.
#pragma once
#include <string>
#include <string_view>

namespace afina {

// Writes the text as the whole file, atomically. A file that is there already is replaced if it
// holds `mark` near its beginning, as the text must; an Error otherwise: it is somebody's.
void write_own_file(const std::string& path, std::string_view text, std::string_view mark);
// The same question, before any work is done.
void require_own_file(const std::string& path, std::string_view mark);

}  // namespace afina
