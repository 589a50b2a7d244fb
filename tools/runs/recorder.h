// Everything that a run writes into its folder: begun.json, log.jsonl (a line a step) and with
// --tensorboard event files, checkpoints, the adapter or the model, manifest.json and run.json.
#pragma once
#include <fstream>
#include <optional>

#include "engine/train/trainer.h"
#include "tools/runs/event_file.h"
#include "tools/runs/run.h"
#include "tools/runs/step.h"

namespace afina {

class Recorder {
 public:
  // All arguments must outlive it.
  Recorder(const RunPlan& plan, const Workbench& bench, Model& model);

  // The disk guard: an Error when the disk cannot hold what the run will write.
  void require_space(Trainer& trainer) const;
  // Writes log.jsonl anew from the steps of the run so far; later ones are appended. With
  // --tensorboard a new event file is begun, which has what earlier ones lack. An Error when one
  // cannot be written.
  void open_log(const RunResult& run);
  // Appends a step, or an evaluation once the log is open, flushed. An Error when it cannot be
  // written.
  void log(const StepDone& step);
  void log(const EvaluationPoint& point);
  // Writes a checkpoint: the trainer's state, and `extra` beside it.
  void checkpoint(Trainer& trainer, const Json& extra) const;
  // Writes what the method says is stored: the adapter, the changed weights, or the whole model
  // (only if the plan keeps models). Sets stored_as and storage_bytes.
  void store(RunOutcome& outcome) const;
  // Writes trained.json beside what was stored: `state`, as a checkpoint holds it, of a run that is
  // trained and not yet measured. Only where what was stored is exactly what was trained.
  void store_state(const Json& state, const RunOutcome& outcome) const;
  // Writes begun.json, which says whose the folder is until run.json does.
  void begin() const;
  // Writes manifest.json and run.json: the run is finished.
  void write_figures(const RunOutcome& outcome) const;
  // The same, with all that has come since, and removes begun.json and the checkpoints; the last
  // one stays where more steps may follow, and all of a run that diverged. keep_earlier: the
  // figures in the folder are of a finished run and stay.
  void finish(const RunOutcome& outcome, bool keep_earlier = false) const;

 private:
  const RunPlan& plan_;
  const Workbench& bench_;
  Model& model_;
  std::ofstream log_;
  std::optional<EventLog> events_;
};

// The folder of a run's checkpoints.
std::string checkpoint_folder(const RunPlan& plan);
// The file that says that a run is trained and stored, until its figures are written.
std::string trained_file(const RunPlan& plan);
// Is the checkpoint of the last step kept? Where the rate does not decay, a run of more steps
// begins with the same steps, so that it can go on from there; and whoever saves checkpoints has
// room.
bool keeps_last_checkpoint(const RunOptions& run);
// A run's figures as JSON. A folder may have a name that is no UTF-8: that is no reason to lose
// them.
Json figures_of(const RunResult& run);
// A number that JSON holds, or null, which stands for one that is not finite.
double number_or_nan(const Json& json);
// The dtype that a whole model is stored in: bf16 or f32, by --store, else by --dtype.
Dtype stored_dtype(const ModelOptions& model, const RunOptions& run);
// What run.json in the plan's folder says, when it is of this very run; else nothing.
std::optional<RunOutcome> finished_run(const RunPlan& plan, const Workbench& bench);

}  // namespace afina
