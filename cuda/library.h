// Opens libraries at run time, so that the program starts and works on machines without them.
#pragma once
#include <dlfcn.h>

#include <initializer_list>
#include <string>

namespace afina {

class Library {
 public:
  // Opens the first of these names that exists.
  explicit Library(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if ((handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL))) {
        missing_.clear();
        return;
      }
      const char* said = dlerror();
      if (missing_.empty())
        missing_ =
            said ? said : std::string(name) + " cannot be opened";  // about the name tried first
    }
  }
  // Looks up a function of the library. If it has none of that name, the library counts as missing.
  template <class F>
  void find(const char* name, F& function) {
    function = handle_ ? reinterpret_cast<F>(dlsym(handle_, name)) : nullptr;
    if (!function && missing_.empty()) missing_.append("it has no ").append(name);
  }
  bool usable() const { return missing_.empty(); }
  const std::string& missing() const { return missing_; }  // why it cannot be used; empty if it can

 private:
  void* handle_ = nullptr;
  std::string missing_;
};

}  // namespace afina
