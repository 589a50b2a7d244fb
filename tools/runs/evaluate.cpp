// Evaluation: sums per sample in f64, in the order of positions, so that batching cannot show.
#include "tools/runs/evaluate.h"

#include "engine/graph.h"
#include "tools/runs/step.h"

namespace afina {

Evaluation evaluate(Model& model, const Samples& samples, int64_t batch, int64_t length) {
  PhaseScope phase(Phase::evaluation);
  StepMemory memory(model.parameters->device);  // between steps theirs is free
  BatchOptions options;
  options.batch = batch;
  options.length = length;
  options.shuffle = false;
  options.pack = model.method->virtual_tokens() == 0;  // packed or not: the same losses
  Evaluation out;
  out.losses.assign(samples.rows.size(), 0.);
  out.tokens.assign(samples.rows.size(), 0);
  for (const Batch& b : BatchSource(samples, options).once()) {
    Loss loss = model.loss(inputs_of(b, 0, -1, model.parameters->device), 1.);
    auto losses = loss.losses.values64();
    for (size_t i = 0; i < losses.size(); ++i)
      if (b.targets[i] >= 0) {
        out.losses[size_t(b.samples[i])] += losses[i];
        ++out.tokens[size_t(b.samples[i])];
      }
  }
  double sum = 0;
  for (size_t s = 0; s < out.losses.size(); ++s) {
    sum += out.losses[s];
    out.targets += out.tokens[s];
    if (out.tokens[s]) out.losses[s] /= double(out.tokens[s]);
  }
  out.mean = out.targets ? sum / double(out.targets) : 0.;
  return out;
}

}  // namespace afina
