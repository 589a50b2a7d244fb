// A comparison with plausible figures, for tests of reports and for looking at one without
// training.
#pragma once
#include "tools/results/results.h"

namespace afina {

// full, LoRA of rank 8 and LoRA of rank 64, each with `seeds` runs.
Comparison fixture_comparison(int seeds);
// The first `methods` of these and, beyond the third, others with longer labels and figures between
// theirs.
Comparison fixture_of(size_t methods, int seeds);

}  // namespace afina
