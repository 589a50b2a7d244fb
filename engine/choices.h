// Choices made by measuring at run time, such as a library's algorithms: written into manifests, so
// that a run can be repeated bit for bit on the same kind of device. And the libraries that kernels
// come from.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace afina {

// Records a choice: what ("cublas matmul 1024x576x1536 ...") and the algorithm chosen for it.
void note_choice(const std::string& what, const std::string& chosen);
// The recorded or adopted choice; empty if there is none yet.
std::string choice_of(const std::string& what);
std::map<std::string, std::string> choices();

// Adopts another run's choices. Code that caches a choice must compare choices_adopted() with its
// value at caching time and choose again if it changed.
void adopt_choices(const std::map<std::string, std::string>& all);
int64_t choices_adopted();

// A library that provides kernel variants; opened when it is first needed.
struct KernelLibrary {
  const char* variant;       // the name of those variants: cublas
  std::string (*version)();  // for people: "cuBLASLt 130002"; empty if it cannot be used
  std::string (*missing)();  // why it cannot be used; empty if it can
};
bool add_kernel_library(const KernelLibrary& library);
const std::vector<KernelLibrary>& kernel_libraries();

}  // namespace afina
