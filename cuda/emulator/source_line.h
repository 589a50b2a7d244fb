// From addresses in the program to lines and names in its sources, for the emulator's errors.
#pragma once
#include <string>

namespace afina::emulated {

// "cuda/norm.cu:41" for an address in code; a call that inlined code stands in is named too.
// Without debugging information or addr2line: "at an unknown line".
std::string source_line(const void* code);
// The name of the function at an address, without its namespaces and parameters.
std::string function_name(const void* code);
// Does this address lie in the program's own file, code and data: constants that a kernel may read?
bool in_program(const void* at);
// "/home/x/afina/cuda/norm.cu" -> "cuda/norm.cu"
std::string short_path(const std::string& path);

}  // namespace afina::emulated
