// Batches shown to the model before training.
#include "tools/runs/observation.h"

#include "model/observe.h"
#include "tools/runs/step.h"

namespace afina {

void look_at_data(Model& model, const Samples& rows, const BatchOptions& options, Costs& costs) {
  const int64_t steps = model.method->observes();
  if (steps == 0) return;
  const BatchSource source(rows, options);
  std::vector<Batch> all;
  int64_t targets = 0;
  for (int64_t step = 0; step < steps; ++step)
    for (Batch& batch : source.next_step(step)) {
      targets += batch.target_count;
      all.push_back(std::move(batch));
    }
  Ledger ledger(model.parameters->device, costs);
  ledger.begin_step();
  observe(model, all.size(), targets,
          [&](size_t i) { return inputs_of(all[i], options.seed, 0, model.parameters->device); });
  ledger.end_look();
}

}  // namespace afina
