// The choices of this process, and its libraries of kernels.
#include "engine/choices.h"

#include <mutex>

namespace afina {

namespace {
std::mutex mutex;
int64_t adopted = 0;
std::map<std::string, std::string>& all() {
  static auto* made = new std::map<std::string, std::string>;
  return *made;
}
std::vector<KernelLibrary>& libraries() {
  static auto* made = new std::vector<KernelLibrary>;
  return *made;
}
}  // namespace

void note_choice(const std::string& what, const std::string& chosen) {
  std::lock_guard lock(mutex);
  all()[what] = chosen;
}
std::string choice_of(const std::string& what) {
  std::lock_guard lock(mutex);
  auto found = all().find(what);
  return found == all().end() ? "" : found->second;
}
std::map<std::string, std::string> choices() {
  std::lock_guard lock(mutex);
  return all();
}
void adopt_choices(const std::map<std::string, std::string>& wanted) {
  std::lock_guard lock(mutex);
  for (auto& [what, chosen] : wanted) all()[what] = chosen;
  ++adopted;
}
int64_t choices_adopted() {
  std::lock_guard lock(mutex);
  return adopted;
}

bool add_kernel_library(const KernelLibrary& library) {
  libraries().push_back(library);
  return true;
}
const std::vector<KernelLibrary>& kernel_libraries() { return libraries(); }

}  // namespace afina
