// Libraries opened while the program runs, so that it starts and works on machines that do not have
// them.
#pragma once
#include <dlfcn.h>

#include <initializer_list>
#include <string>

namespace afina {

class Library {
 public:
  // Opens the first of these that is there.
  explicit Library(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if ((handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL))) {
        missing_.clear();
        return;
      }
      const char* said = dlerror();
      if (missing_.empty())
        missing_ =
            said ? said
                 : std::string(name) + " cannot be opened";  // of the name that is looked for first
    }
  }
  // Gives a function of the library to `function`; the library counts as missing when it has none
  // of that name.
  template <class F>
  void find(const char* name, F& function) {
    function = handle_ ? reinterpret_cast<F>(dlsym(handle_, name)) : nullptr;
    if (!function && missing_.empty()) missing_ = std::string("it has no ") + name;
  }
  bool usable() const { return missing_.empty(); }
  const std::string& missing() const { return missing_; }  // why it cannot be used

 private:
  void* handle_ = nullptr;
  std::string missing_;
};

}  // namespace afina
