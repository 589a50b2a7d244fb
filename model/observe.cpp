// The pass over some of the data before training.
#include "model/observe.h"

#include "engine/meter.h"

namespace afina {

void observe(Model& model, size_t batches, int64_t targets,
             const std::function<Inputs(size_t)>& inputs) {
  Method& method = *model.method;
  if (method.observes() == 0) return;
  require(batches > 0 && targets > 0, "method '", method.in_force.name,
          "' looks at data before training, and was shown none with a target");
  method.begin_observing();
  for (size_t i = 0; i < batches; ++i) {
    const Inputs batch = inputs(i);
    PhaseScope forward(Phase::forward);
    if (!method.observes_gradients()) {
      model.hidden(batch);
      continue;
    }
    Tape tape;
    const Loss loss = model.loss(batch, 1. / double(targets));
    PhaseScope backward(Phase::backward);
    tape.backward(loss.total);
  }
  method.end_observing();
}

}  // namespace afina
