// Stopping a run and going on with it later, with the bits of a run that was never stopped: what a
// checkpoint holds beside the trainer's state, and what must be equal before training goes on.
#pragma once
#include <set>

#include "tools/runs/run.h"
#include "tools/runs/step.h"

namespace afina {

class Resumption {
 public:
  // All arguments must outlive it.
  Resumption(const RunPlan& plan, Workbench& bench, Model& model, Trainer& trainer,
             const Steps& steps)
      : plan_(plan), bench_(bench), model_(model), trainer_(trainer), steps_(steps) {}

  // What a checkpoint holds beside the trainer's state, when `step` steps are done.
  Json state(int64_t step, const RunOutcome& outcome) const;
  // Restores the trainer, the figures so far and the choices from the newest complete checkpoint
  // of the plan's folder. Returns the steps done; 0 when there is no checkpoint. Damaged ones are
  // noted at the bench. An Error when all are damaged, when an option, the model or the data
  // differ, or when the model does not give the loss that it gave when the run was stopped.
  int64_t restore(RunOutcome& outcome);
  // Where there is no checkpoint: the model as the run has trained and stored it, and its figures,
  // when the run was stopped before they were written. False where there is nothing of the kind; an
  // Error when what is stored is not what the run has trained.
  bool restore_trained(RunOutcome& outcome);
  // Names of trained parameters whose values are exactly those that the run began with. The
  // trainer knows this since it was made or restored; the checkpoint tells of the time before.
  std::vector<std::string> unchanged() const;

 private:
  void restore_weights();
  int64_t restore_from(const Json& extra, int64_t step, const std::string& folder,
                       RunOutcome& outcome);
  double probe(int64_t step) const;

  const RunPlan& plan_;
  Workbench& bench_;
  Model& model_;
  Trainer& trainer_;
  const Steps& steps_;
  bool restored_ = false;
  std::set<std::string> unchanged_before_;  // the stop
};

}  // namespace afina
