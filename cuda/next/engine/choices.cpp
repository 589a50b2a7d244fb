// The choices of this process.
#include "engine/choices.h"

#include <mutex>

namespace afina {

namespace {
std::mutex mutex;
std::map<std::string, std::string>& all() {
  static auto* made = new std::map<std::string, std::string>;
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

}  // namespace afina
