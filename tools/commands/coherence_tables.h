// What 'afina coherence' prints when all its runs are made.
#pragma once
#include <iosfwd>

#include "tools/results/coherence.h"

namespace afina {

// For each method a row a rate: the figures with their intervals, then their changes against the
// lowest rate.
void print_coherence(std::ostream& out, const CoherenceResult& result);

}  // namespace afina
