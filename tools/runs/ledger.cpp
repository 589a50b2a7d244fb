// What a step cost, by the meters of the engine.
#include "tools/runs/ledger.h"

#include <time.h>

#include <algorithm>

#include "engine/threads.h"
#include "tools/results/machine.h"

namespace afina {

namespace {

// User and system time of the process so far.
double processor_now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

}  // namespace

void Ledger::begin_step() {
  start_ = seconds_now();
  processor_start_ = processor_now();
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
  costs_.machine_use.processor_seconds += processor_now() - processor_start_;
  costs_.machine_use.thread_seconds += whole * thread_count();
  keep_load(whole);
  keep_flops();
  keep_peak();
  return whole;
}

void Ledger::end_look() {
  costs_.seconds.other += seconds_now() - start_;
  keep_flops();
  keep_peak();
}

void Ledger::keep_flops() {
  auto since = [&](Phase phase) { return double(flops().of[int(phase)] - before_.of[int(phase)]); };
  costs_.flops.forward += since(Phase::forward);
  costs_.flops.backward += since(Phase::backward);
}

// The mean over the seconds of training, weighted by them. The system renews its figure every five
// seconds.
void Ledger::keep_load(double seconds) {
  const double now = seconds_now();
  if (load_seen_ < 0 || now - load_seen_ > 1) {
    load_ = load_average();
    load_seen_ = now;
  }
  const double all = costs_.seconds.training();
  double& mean = costs_.machine_use.load;
  if (all > 0) mean += (load_ - mean) * std::min(1., seconds / all);
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
