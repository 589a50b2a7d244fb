// report.html of a coherence experiment.
#pragma once
#include "tools/results/coherence.h"

namespace afina {

// The page, complete in itself and without network: charts of each figure over the rates, tables of
// means, changes and findings, answers side by side. All texts are escaped.
std::string coherence_page(const CoherenceResult& result);

}  // namespace afina
