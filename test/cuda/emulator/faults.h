// Kernels that do something wrong, and what the emulator must say of each.
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace afina {

struct Fault {
  std::string name;
  std::function<void()> run;
  int line;           // of faults.cu, where it goes wrong
  std::string words;  // that the error must hold
};
const std::vector<Fault>& faults();

}  // namespace afina
