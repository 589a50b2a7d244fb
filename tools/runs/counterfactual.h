// The same training without some of its rows: what would the model be had it never learned them?
#pragma once
#include <functional>
#include <memory>
#include <set>

#include "engine/train/trainer.h"
#include "tools/runs/evaluate.h"
#include "tools/runs/step.h"
#include "tools/runs/workbench.h"

namespace afina {

// A run that can be trained again without rows. A row that is left out is masked in place: its
// tokens stay where they are and none of them is a target, so that every batch, the order of the
// rows, and what each other row adds to a step's gradient (its share of a mean over the step's
// targets as they were) are those of the run with all rows. What differs between the two runs is
// that row's own gradient, and what follows from it. A step of which no target is left has a
// gradient of zero.
//
// The run with all rows is the run that `afina train` makes of the same options, to the bit.
class Counterfactual {
 public:
  // bench must outlive it. Trains nothing yet. states: how many states of the run to keep, evenly
  // spaced, from which others go on (at least the first); fewer where they would take more than
  // `most_bytes` in all.
  Counterfactual(const Workbench& bench, const MethodSpec& method, double lr, int64_t states = 8,
                 int64_t most_bytes = int64_t(1) << 30);

  // Called after each step of any of the runs; may be empty.
  std::function<void(int64_t step)> progress;
  // Called before each update of the run with all rows, with its batches; may be empty.
  std::function<void(int64_t step, const std::vector<Batch>& batches)> watched;

  // Trains with all rows, and keeps states on the way. To be called first, once. Returns the loss
  // on the bench's final rows afterwards.
  Evaluation with_all();
  // Trains without these rows (indices of bench.train.rows) and returns the same loss. Goes on from
  // the last state before any of them was used; the loss of with_all() where none is ever used.
  Evaluation without(const std::set<int64_t>& rows);

  // How often the run uses a row of bench.train, and in which step first (from 0; -1: never).
  int64_t uses(int64_t row) const { return uses_.at(size_t(row)); }
  int64_t first_use(int64_t row) const { return first_.at(size_t(row)); }
  // Steps that without() would train for these rows.
  int64_t steps_for(const std::set<int64_t>& rows) const;
  // SHA-256 of the trained values as they are now; that of `afina train` after with_all().
  std::string digest() const;

  // The states that were kept: for each the steps done by then. restore() makes one the model's.
  const std::vector<int64_t>& states() const { return at_; }
  void restore(size_t state);
  Model& model() { return *model_; }
  Trainer& trainer() { return trainer_; }
  const Schedule& schedule() const { return trainer_.options().schedule; }
  int64_t steps() const { return steps_; }

 private:
  void keep(int64_t step);
  void run(int64_t from, const std::set<int64_t>& without, bool keeping);
  void step(int64_t number, const std::set<int64_t>& without, bool keeping);
  size_t state_for(const std::set<int64_t>& rows) const;
  Evaluation look();

  const Workbench& bench_;
  uint64_t seed_;
  int64_t steps_;
  std::unique_ptr<Model> model_;
  Trainer trainer_;
  BatchSource source_;
  std::vector<int64_t> uses_, first_;      // of each row
  std::vector<int64_t> at_, wanted_;       // steps of the states that are kept, and to be kept
  std::vector<std::vector<Tensor>> kept_;  // their tensors, in the order of Trainer::state()
  Evaluation all_;
};

// A batch whose targets in these rows are none; the counts stay. left: how many targets are left.
Batch masked(const Batch& batch, const std::set<int64_t>& rows, int64_t all_rows, int64_t& left);

}  // namespace afina
