// Writing over what the program wrote, and over nothing else.
#include "tools/look/own_file.h"

#include <filesystem>
#include <fstream>

#include "engine/error.h"
#include "engine/files/atomic_file.h"

namespace afina {

void require_own_file(const std::string& path, std::string_view mark) {
  if (!std::filesystem::exists(path)) return;
  std::string begin(4096, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(begin.data(), std::streamsize(begin.size()));
  begin.resize(size_t(file.gcount()));
  require(begin.find(mark) != begin.npos, path,
          ": there is a file already, and this command did not write it; name another with --out, "
          "or move it away");
}

void write_own_file(const std::string& path, std::string_view text, std::string_view mark) {
  require(text.substr(0, 4096).find(mark) != text.npos, path, ": the text lacks its mark '", mark,
          "'");
  require_own_file(path, mark);
  write_text_file(path, text);
}

}  // namespace afina
