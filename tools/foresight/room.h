// Refusing to begin a run that does not fit into memory: an error with a way out comes before the
// machine swaps or the kernel kills the process.
#pragma once
#include "tools/foresight/predict.h"
#include "tools/options/memory_limit.h"

namespace afina {

// Holds the limit from then on. An Error, naming the largest purpose and what to change, when one
// of these runs would not fit.
void require_room(Predictions& predictions, const MemoryLimit& limit,
                  const std::vector<std::pair<MethodSpec, uint64_t>>& runs);

}  // namespace afina
