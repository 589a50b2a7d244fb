// What a step cost, by the meters of the engine.
#include "tools/runs/ledger.h"

#include <algorithm>

namespace afina {

void Ledger::begin_step() {
  start_ = seconds_now();
  reset_memory_peak(device_);
  before_ = flops();
}

double Ledger::end_step(const std::vector<Batch>& batches, const StepReport& report) {
  for (const Batch& batch : batches) {
    costs_.samples += batch.rows;
    costs_.tokens += batch.token_count;
    costs_.target_tokens += batch.target_count;
  }
  costs_.steps = report.step;
  const double forward = report.seconds[int(Phase::forward)],
               backward = report.seconds[int(Phase::backward)],
               optimizer = report.seconds[int(Phase::optimizer)];
  const double whole = seconds_now() - start_;
  costs_.seconds.forward += forward;
  costs_.seconds.backward += backward;
  costs_.seconds.optimizer += optimizer;
  costs_.seconds.other += whole - forward - backward - optimizer;
  auto since = [&](Phase phase) { return double(flops().of[int(phase)] - before_.of[int(phase)]); };
  costs_.flops.forward += since(Phase::forward);
  costs_.flops.backward += since(Phase::backward);
  keep_peak();
  return whole;
}

// Of several steps with the same peak the last one counts.
void Ledger::keep_peak() {
  MemoryBytes now = memory_at_peak(memory_use(device_));
  const int64_t resident = std::max(costs_.memory.resident_peak, peak_resident_bytes());
  if (now.peak() >= costs_.memory.peak()) costs_.memory = now;
  costs_.memory.resident_peak = resident;
}

void count_parameters(const Model& model, Costs& costs) {
  for (const Parameter& p : model.parameters->all) {
    costs.total_parameters += p.shape.size();
    if (p.trained) costs.trained_parameters += p.shape.size();
  }
}

MemoryBytes memory_at_peak(const MemoryUse& use) { return {use.at_peak}; }

}  // namespace afina
