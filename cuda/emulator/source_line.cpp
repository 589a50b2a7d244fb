// Source lines and names by addr2line (binutils, which comes with every compiler). Called only to
// explain an error.
#include "cuda/emulator/source_line.h"

#include <link.h>

#include <cstdio>
#include <filesystem>
#include <vector>

namespace afina::emulated {

namespace {

// The address at which the program was loaded, which its file does not contain.
size_t load_address() {
  size_t at = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* out) {
        *static_cast<size_t*>(out) = info->dlpi_addr;
        return 1;  // the first entry is the program itself
      },
      &at);
  return at;
}

// Function and line of the address and of every function it is inlined into, innermost first.
std::vector<std::string> asked(const void* code) {
  std::vector<std::string> lines;
  std::error_code error;
  std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error || program.find('\'') != std::string::npos) return lines;
  char address[32];
  std::snprintf(address, sizeof address, "0x%zx", size_t(code) - load_address());
  FILE* out =
      popen(("addr2line -f -C -i -e '" + program + "' " + address + " 2>/dev/null").c_str(), "r");
  if (!out) return lines;
  std::string line;
  for (int c; (c = std::fgetc(out)) != EOF;)
    if (c == '\n') {
      lines.push_back(line);
      line.clear();
    } else line.push_back(char(c));
  pclose(out);
  return lines;
}

// "cuda/norm.cu:41" from "/somewhere/cuda/norm.cu:41 (discriminator 3)"; empty if unknown.
std::string place(const std::string& line) {
  if (line.empty() || line[0] == '?') return "";
  std::string path = short_path(line.substr(0, line.find(' ')));
  return path.ends_with(":?") || path.ends_with(":0") ? "" : path;
}

}  // namespace

extern "C" const char __executable_start, end;  // defined by the linker
bool in_program(const void* at) { return at >= &__executable_start && at < &end; }

std::string short_path(const std::string& path) {
  size_t at = path.rfind("/cuda/emulator/");
  if (at == std::string::npos) at = path.rfind("/cuda/");
  return at == std::string::npos ? path : path.substr(at + 1);
}

std::string source_line(const void* code) {
  auto lines = asked(code);
  std::string inner = lines.size() > 1 ? place(lines[1]) : "",
              outer = lines.size() > 1 ? place(lines.back()) : "";
  if (inner.empty()) return "at an unknown line";
  return inner == outer || outer.empty() ? inner : inner + " (from " + outer + ")";
}

std::string function_name(const void* code) {
  auto lines = asked(code);
  if (lines.empty() || lines[0].empty() || lines[0][0] == '?') return "of unknown name";
  std::string name = lines[lines.size() >= 2 ? lines.size() - 2 : 0];
  for (const char* space : {"(anonymous namespace)::", "afina::emulated::", "afina::"})
    for (size_t at; (at = name.find(space)) != std::string::npos;)
      name.erase(at, std::string(space).size());
  if (name.starts_with("void ")) name.erase(0, 5);
  return name.substr(0, name.find('('));
}

}  // namespace afina::emulated
