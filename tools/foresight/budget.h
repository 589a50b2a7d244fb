// What to change when a run does not fit into memory: tried on the device without bytes, not
// guessed.
#pragma once
#include "tools/foresight/predict.h"

namespace afina {

struct Attempt {
  std::string options;  // to be given instead: "--batch 2 --accumulate 4 --checkpoint block"
  bool same_result;     // the bits of the result stay what they were
  MemoryBytes memory;
  bool fits;
};
// Each change alone, then together, the gentlest first, until one fits.
std::vector<Attempt> attempts(const RunShape& shape, const MethodSpec& spec, uint64_t seed,
                              int64_t budget);
// As lines for a person; says so when nothing fits.
std::string ways_out(const std::vector<Attempt>& attempts);

}  // namespace afina
