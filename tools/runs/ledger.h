// The ledger of training: seconds by phase, FLOPs, rows and tokens, and memory at its peak, entered
// step by step. A run keeps one, and so does a prediction.
#pragma once
#include "data/batches.h"
#include "engine/meter.h"
#include "engine/train/trainer.h"
#include "model/model.h"
#include "tools/results/results.h"

namespace afina {

class Ledger {
 public:
  // Enters into `costs`, which outlives the ledger, what steps on `device` cost.
  Ledger(Device device, Costs& costs) : device_(device), costs_(costs) {}

  // Starts the clock and the peak of memory anew.
  void begin_step();
  // Adds what has happened since begin_step(). Returns the step's seconds. Time outside forward,
  // backward and optimizer (by the report) counts as `other`.
  double end_step(const std::vector<Batch>& batches, const StepReport& report);
  // The same for a look at the data before training: seconds count as `other`, and no tokens.
  void end_look();

 private:
  void keep_flops();
  void keep_peak();
  void keep_load(double seconds);
  Device device_;
  Costs& costs_;
  double start_ = 0, processor_start_ = 0;
  double load_ = 0, load_seen_ = -1;  // the load average, and when it was read
  FlopCount before_;
};

// Enters the model's parameters, all and trained, into `costs`.
void count_parameters(const Model& model, Costs& costs);
// Bytes by purpose at the moment when the device's memory was at its peak.
MemoryBytes memory_at_peak(const MemoryUse& use);

}  // namespace afina
