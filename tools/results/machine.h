// The machine and the build, for manifests and reports.
#pragma once
#include <cstdint>
#include <string>

namespace afina {

struct Machine {
  std::string cpu;
  std::string isa;
  int threads = 0;
  int cores = 0;
  int64_t memory_bytes = 0;
  std::string system;
};

Machine this_machine();
std::string version();  // of the program
std::string
commit();  // it was built from, "-dirty" when the tree had changes; "unknown" outside a checkout
std::string utc_now();  // ISO 8601
// Threads that wanted to run, mean over the last minute; 0 where the system does not say.
double load_average();

}  // namespace afina
