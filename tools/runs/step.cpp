// One step after the other: from rows to an update.
#include "tools/runs/step.h"

namespace afina {

StepReport train_on(const std::vector<Batch>& batches, Model& model, Trainer& trainer,
                    uint64_t seed, int64_t step, StepInputs* inputs) {
  int64_t targets = 0;
  for (const Batch& batch : batches) targets += batch.target_count;
  // The trainer calls this for each micro-batch, runs backward from the loss, and then updates.
  if (!inputs)
    return trainer.step(batches.size(), targets, [&](size_t i, double scale) {
      return model.loss(inputs_of(batches[i], seed, step, model.parameters->device), scale);
    });
  inputs->load(rows_of(batches), seed, step);
  auto forward = [&](size_t i, double scale) { return model.loss(inputs->of(i), scale); };
  StepKind kind = inputs->kind();
  // With virtual tokens attention sees whole rows: its FLOPs follow from their shape alone.
  if (model.method->virtual_tokens() > 0)
    for (auto& [window, pairs] : kind.pairs) pairs = 1;
  return trainer.step(batches.size(), targets, forward, &kind);
}

StepDone Steps::run(int64_t step) {
  ledger_.begin_step();
  std::vector<Batch> batches = take(step);
  StepReport report = train_on(batches, model_, trainer_, seed_, step, inputs_.get());
  report.step = step + 1;
  const int64_t before = costs_.tokens;
  const double seconds = ledger_.end_step(batches, report);
  return {{report.step, costs_.tokens, costs_.seconds.training(), report.loss, report.lr,
           report.gradient_norm},
          double(costs_.tokens - before) / seconds,
          batches[0].length};
}

void require_unpacked(const Model& model, const BatchOptions& options) {
  require(!options.pack || model.method->virtual_tokens() == 0, "the method '",
          model.method->in_force.name,
          "' puts virtual tokens before every document, so a row can hold one document alone; add "
          "--pack off");
}

Steps::Steps(Model& model, Trainer& trainer, const Samples& rows, const BatchOptions& options,
             int64_t count, Costs& costs)
    : model_(model),
      trainer_(trainer),
      source_(rows, options),
      seed_(options.seed),
      count_(count),
      costs_(costs),
      ledger_(model.parameters->device, costs) {
  // Said before the first step: which rows are packed is chance, and a run must not end by it.
  require_unpacked(model, options);
  const Device device = model.parameters->device;
  if (!trainer.step_graphs() || !holds_bytes(device)) return;
  inputs_ = std::make_unique<StepInputs>(device);
  trainer.meanwhile([this] { send_ahead(); });
}

std::vector<Batch> Steps::take(int64_t step) {
  std::vector<Batch> batches = next_.empty() ? source_.next_step(step) : std::move(next_);
  next_.clear();
  next_step_ = step + 1;
  return batches;
}

void Steps::send_ahead() {
  if (next_step_ >= count_) return;
  next_ = source_.next_step(next_step_);
  inputs_->send_ahead(rows_of(next_), seed_, next_step_);
}

BatchOptions batch_options(const RunOptions& run, const DataOptions& data, uint64_t seed) {
  BatchOptions options;
  options.batch = run.batch;
  options.accumulate = run.accumulate;
  options.length = data.length;
  options.seed = seed;
  options.pack = data.packing == OnOff::on;
  return options;
}

Inputs inputs_of(const Batch& batch, uint64_t seed, int64_t step, Device device) {
  PurposeScope purpose(Purpose::workspace);
  Inputs inputs = make_inputs(batch.rows, batch.length, batch.tokens, batch.targets, batch.starts,
                              batch.samples, device);
  inputs.training = step >= 0;
  inputs.seed = seed;
  inputs.step = step;
  return inputs;
}

std::vector<InputRows> rows_of(const std::vector<Batch>& batches) {
  std::vector<InputRows> rows;
  for (const Batch& b : batches)
    rows.push_back({b.rows, b.length, b.tokens, b.targets, b.starts, b.samples});
  return rows;
}

}  // namespace afina
