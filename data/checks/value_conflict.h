// Values that most similar records have otherwise, for the checks that tell of them.
#pragma once
#include "data/checks/check.h"

namespace afina {

struct ValueConflict {
  uint32_t sentence;  // that has the value
  uint64_t winner;    // the value that the others have
};
// As Corpus::value_conflicts() keeps them.
struct ValueConflicts {
  std::vector<ValueConflict> all;
  std::string findings;  // of each of them, in this order; packed (check.h)
};
ValueConflicts find_conflicts(const Corpus& corpus);

}  // namespace afina
