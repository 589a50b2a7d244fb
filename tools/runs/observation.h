// The look at the training data that some methods take before the first step (EVA, LoRA-GA, CorDA).
#pragma once
#include "data/batches.h"
#include "model/model.h"
#include "tools/results/results.h"

namespace afina {

// Shows the model the batches of as many steps as its method asks for, from the run's first step
// on, and adds seconds (as `other`), FLOPs and memory to `costs`. The same batches give the same
// start, so a run that goes on looks again instead of storing what it saw. Does nothing for a
// method that looks at no data.
void look_at_data(Model& model, const Samples& rows, const BatchOptions& options, Costs& costs);

}  // namespace afina
