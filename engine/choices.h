// What was chosen by measuring while the program ran, such as the algorithms of a library: written
// into manifests, so that a run can be repeated to the bit on the same kind of device. And the
// libraries that kernels come from.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace afina {

// "cublas matmul 1024x576x1536 ..." -> how it is done.
void note_choice(const std::string& what, const std::string& chosen);
// What was noted or asked for before; empty when it is still to be chosen.
std::string choice_of(const std::string& what);
std::map<std::string, std::string> choices();

// Asks for the choices of another run. What was chosen differently here is to be chosen again:
// whoever keeps a choice compares how often choices were taken up with how often they had been when
// it was made.
void take_up_choices(const std::map<std::string, std::string>& all);
int64_t choices_taken_up();

// A library that variants of kernels come from, opened when it is first needed.
struct KernelLibrary {
  const char* variant;       // what those variants are called: cublas
  std::string (*version)();  // what is there, for people: "cuBLASLt 130002"
  std::string (*missing)();  // why it cannot be used; empty when it can
};
bool add_kernel_library(const KernelLibrary& library);
const std::vector<KernelLibrary>& kernel_libraries();

}  // namespace afina
