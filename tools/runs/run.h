// One training run, from a plan to its figures and files: what `train` does once and `compare` does
// for every method, rate and seed.
#pragma once
#include <functional>

#include "tools/runs/workbench.h"

namespace afina {

struct RunPlan {
  std::string name;    // as in the report: "lora-rank16/lr-0.0001/seed-1"
  std::string folder;  // where its files go
  MethodSpec method;   // without lr
  double lr = 0;
  uint64_t seed = 1;
  bool resume =
      false;  // go on from the newest checkpoint; a finished run is read back from its run.json
  bool locked = false;     // the caller holds the folder's lock (tools/runs/folder_lock.h)
  int64_t stop_after = 0;  // this many steps: as if interrupted there; 0: go on to the end
  bool keep_model = true;  // write the adapter, or the whole model
  std::optional<Prediction> predicted;  // recorded beside the measured figures
  std::function<void(const StepPoint&, int64_t steps, double tokens_per_second)>
      progress;  // after every step; may be empty
  // Judged answers as they are made after training; may be empty.
  std::function<void(int64_t done, int64_t of)> answered = {};
  // What a reader should know before the first step; it is among the bench's notes as well. May be
  // empty.
  std::function<void(const std::string&)> warn;
  // What changed in the weights, at every evaluation with --watch on; may be empty.
  std::function<void(const EvaluationPoint& point)> watched = {};
};

struct RunOutcome {
  RunResult result;
  double choice = 0;  // final loss on the rows that rates are chosen by; NaN when the run diverged
  std::string why_diverged;  // what was not finite, in words; empty unless it diverged in a step
  std::string unchanged;  // the guard against training in vain, in words: which parameters are as
                          // they began; empty when all changed
  std::vector<std::string> notes;  // of this run: sample answers that could not be made
  std::map<std::string, std::string> method_options;
  std::string stored_as;
  bool interrupted =
      false;  // by a signal that came when the last step was done, too late to stop this run
};

// Trains, evaluates as it goes, and writes into plan.folder: begun.json, log.jsonl (a line a step),
// checkpoints/, and at the end what was trained, then the figures (manifest.json, run.json), then
// the sample answers. A run that diverges ends with its figures so far, `result.diverged` set and
// nothing stored. Interrupted by a signal it writes a checkpoint and throws Interrupted. An Error
// when the folder holds something else than this run (tools/runs/earlier.h), or when another
// process works in it.
RunOutcome run_training(const RunPlan& plan, Workbench& bench);

// "step 20: weights changed by 0.42 %, effective rank 5.3".
std::string watch_sentence(const EvaluationPoint& point);

Json manifest_of(const RunPlan& plan, const Workbench& bench, const RunOutcome& outcome);

}  // namespace afina
