// The training step: batches, loss and gradients, the update, and its entry in the ledger. Runs and
// predictions take the same steps.
#pragma once
#include <memory>

#include "data/batches.h"
#include "engine/train/trainer.h"
#include "model/model.h"
#include "model/step_inputs.h"
#include "tools/options/groups.h"
#include "tools/runs/ledger.h"

namespace afina {

// How rows become the batches of a run's steps. The seed decides their order.
BatchOptions batch_options(const RunOptions& run, const DataOptions& data, uint64_t seed);

// A batch as the model reads it, uploaded to `device`. step: the update it is for, from 0; -1 when
// not training.
Inputs inputs_of(const Batch& batch, uint64_t seed = 0, int64_t step = -1,
                 Device device = Device::cpu);
// The rows of all micro-batches of a step, without copying: `batches` must outlive them.
std::vector<InputRows> rows_of(const std::vector<Batch>& batches);

// An Error where packed rows hold several documents and the method puts virtual tokens before each.
void require_unpacked(const Model& model, const BatchOptions& options);

// One update of the trained parameters from the micro-batches of one step. With `inputs`, batches
// reuse fixed addresses on the device, so that the step can be captured. Errors are those of
// Trainer::step.
StepReport train_on(const std::vector<Batch>& batches, Model& model, Trainer& trainer,
                    uint64_t seed, int64_t step, StepInputs* inputs = nullptr);

// A step that is done.
struct StepDone {
  StepPoint point;
  double tokens_per_second = 0;
  int64_t length = 0;  // tokens of a row
};

// The steps of one run. On an asynchronous device the batches of the next step are made and
// uploaded while the device computes.
class Steps {
 public:
  // All arguments but `options` must outlive it. count: steps of the run.
  Steps(Model& model, Trainer& trainer, const Samples& rows, const BatchOptions& options,
        int64_t count, Costs& costs);
  Steps(const Steps&) = delete;

  // Trains on the batches of step `step`, from 0, and adds what that cost to the run's costs.
  StepDone run(int64_t step);
  // The micro-batches of a step: a function of rows, options and the step's number alone.
  std::vector<Batch> batches(int64_t step) const { return source_.next_step(step); }

 private:
  std::vector<Batch> take(int64_t step);
  void send_ahead();

  Model& model_;
  Trainer& trainer_;
  BatchSource source_;
  uint64_t seed_;
  int64_t count_;
  Costs& costs_;
  Ledger ledger_;
  std::unique_ptr<StepInputs> inputs_;  // where steps may be captured
  std::vector<Batch> next_;             // sent ahead, of step next_step_
  int64_t next_step_ = 0;
};

}  // namespace afina
