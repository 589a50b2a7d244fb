// Shows a model the data that its method looks at before the first step.
#pragma once
#include "model/model.h"

namespace afina {

// Runs `batches` batches through the model, between the method's begin_observing() and
// end_observing(): hidden states alone, or losses (scaled by 1 / targets) and their gradients where
// the method asks for them. inputs(i): batch i, called once for each in order. targets: of all
// batches. Does nothing for a method that looks at no data. FLOPs count as forward and backward.
void observe(Model& model, size_t batches, int64_t targets,
             const std::function<Inputs(size_t)>& inputs);

}  // namespace afina
