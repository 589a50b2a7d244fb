// The machine and the build, for manifests and reports.
#pragma once
#include <string>

#include "tools/results/results.h"

namespace afina {

Machine this_machine();
std::string version();  // of the program
std::string
commit();  // it was built from, "-dirty" when the tree had changes; "unknown" outside a checkout
std::string utc_now();  // ISO 8601

}  // namespace afina
