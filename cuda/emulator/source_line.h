// Translates addresses in the program to source lines and names, for the emulator's errors.
#pragma once
#include <string>

namespace afina::emulated {

// "cuda/norm.cu:41" for a code address; for inlined code also the line of the call. Without
// debugging information or addr2line: "at an unknown line".
std::string source_line(const void* code);
// The name of the function at an address, without namespaces and parameters.
std::string function_name(const void* code);
// Whether the address is in the program's own file, code or data: constants that a kernel may read.
bool in_program(const void* at);
// "/home/x/afina/cuda/norm.cu" -> "cuda/norm.cu"
std::string short_path(const std::string& path);

}  // namespace afina::emulated
