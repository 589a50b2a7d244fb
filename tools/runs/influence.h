// Cheap estimates of what a training row does to the held-out loss, to be held against the truth
// (tools/runs/counterfactual.h).
#pragma once
#include "tools/runs/counterfactual.h"

namespace afina {

// How a number for each row is computed, and what it is called.
struct EstimateKind {
  const char *name, *words;
};
// In the order of Estimates::values. A larger number says: this row lowers the held-out loss more.
// Of the first three, which know nothing of held-out rows, the number itself stands there.
//   loss        of the row under the untouched model
//   loss-after  of the row under the model trained with all rows
//   ifd         the loss of the answer with its question over that without (Li et al., 2024,
//               "From Quantity to Quality"), under the untouched model
//   cosine      of the row's gradient and that of the held-out loss, after training
//   tracin      sum over kept states of rate * <gradient of the row, held-out gradient> (Pruthi et
//               al., 2020, "Estimating Training Data Influence by Tracing Gradient Descent")
//   less        the same with cosines, the row's gradient as Adam would move by it (Xia et al.,
//               2024, "LESS: Selecting Influential Data for Targeted Instruction Tuning")
//   shapley     first-order in-run Shapley value: sum over the steps that used the row of rate *
//               <its part of the step's gradient, held-out gradient at that step> (Wang et al.,
//               2024, "Data Shapley in One Training Run"), which takes plain gradient descent for
//               granted
extern const std::vector<EstimateKind> estimate_kinds;

struct Estimates {
  std::vector<int64_t> rows;                // indices of bench.train.rows
  std::vector<std::vector<double>> values;  // [kind][row]; NaN where it cannot be said
};

// Prepares the estimates that need the run with all rows while it is made: to be constructed before
// run.with_all() and finished after it. The run, the bench and the method must outlive it.
class Influence {
 public:
  // Takes a gradient over the held-out rows in every step, for the Shapley values.
  Influence(Counterfactual& run, const Workbench& bench, std::vector<int64_t> rows);
  // All estimates; restores the run's states one after the other. progress: called with the parts
  // done and those in all; may be empty.
  Estimates finish(const std::function<void(int64_t done, int64_t all)>& progress);

 private:
  using Gradient = std::vector<std::vector<double>>;  // of each trained parameter
  Gradient gradient_of(const Samples& rows, double scale);
  Gradient held_out_gradient();
  void watch(int64_t step, const std::vector<Batch>& batches);
  Samples one(int64_t row, bool answer_alone = false) const;
  double loss_of(int64_t row, bool answer_alone);
  Gradient as_adam_moves(const Gradient& gradient, int64_t steps_done);

  Counterfactual& run_;
  const Workbench& bench_;
  Estimates found_;
  std::map<int64_t, size_t> place_;  // of a row among found_.rows
};

// Spearman's rank correlation of two lists, with ties at their mean rank, and its 95 % interval by
// a bootstrap over pairs (percentiles of 2000 replicates of counter-based draws). Pairs with a
// value that is not finite are left out; NaN for fewer than three (an interval: eight), or where
// one list is constant.
struct RankCorrelation {
  double rho = 0, low = 0, high = 0;
  int64_t pairs = 0;
};
RankCorrelation rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace afina
