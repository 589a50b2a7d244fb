// The trainer: turns the losses of a step's micro-batches into one update. It knows parameters and
// losses, but neither models nor data.
#pragma once
#include <functional>

#include "engine/meter.h"
#include "engine/ops/cross_entropy.h"
#include "engine/train/optimizer.h"
#include "engine/train/schedule.h"
#include "engine/train/step_part.h"

namespace afina {

class AsyncStep;
class CompleteGradients;
class StepGraphs;
class Tape;
class WeightTable;
struct StepKind;

enum class GraphUse : uint8_t { automatic, on, off };  // automatic: on for cuda alone

struct TrainOptions {
  Schedule schedule;
  OptimizerOptions optimizer;
  double clip = 1.;  // greatest global norm of the gradient; 0 switches clipping off
  // Updates each parameter as soon as its gradient is complete and frees the gradient, so that
  // gradients are never all held. Same bits. Needs clip == 0 and one micro-batch per step.
  bool apply_as_you_go = false;
  GraphUse graphs = GraphUse::automatic;
};

// What one step did.
struct StepReport {
  int64_t step = 0;           // 1 is the first update
  double loss = 0.;           // mean over the step's targets, before the update
  double gradient_norm = 0.;  // before clipping
  double lr = 0.;
  int64_t targets = 0;
  double penalty = 0.;         // the method's own term of the loss (StepPart), not in `loss`
  double gradient_scale = 1.;  // by which clipping multiplied the gradients
  int64_t steps = 0;           // of the whole run, by the schedule
  double seconds[phase_count] = {0, 0, 0, 0};
};

class Trainer {
 public:
  // Runs micro-batch i forward and returns its loss, multiplied by `scale` and recorded on the live
  // tape.
  using Forward = std::function<Loss(size_t i, double scale)>;

  // part: the model's method (or nullptr where there is none), which may take part in steps; no
  // default, as a method left out would silently not do its part. Throws an Error if `trained` is
  // empty, or if options ask for apply_as_you_go and there is clipping or a method that takes part.
  Trainer(std::vector<Parameter*> trained, const TrainOptions& options, StepPart* part);
  ~Trainer();

  // Makes one update from `micro_batches` micro-batches with `targets` targets in all. Gradients
  // take memory only within the step. With a kind, the step may be captured and replayed for the
  // next step of that kind.
  // Throws an Error if the step has no target, or if a trained parameter got no gradient in the
  // first step; a NotFinite (engine/train/not_finite.h) if the loss or a gradient is not finite,
  // which names the operation. The weights are then unchanged, except with apply_as_you_go where a
  // gradient was not finite.
  StepReport step(size_t micro_batches, int64_t targets, const Forward& forward,
                  const StepKind* kind = nullptr);
  // Sets work to do once in each step while an asynchronous device runs it: preparing the next
  // step. Not called on other devices.
  void meanwhile(std::function<void()> work) { meanwhile_ = std::move(work); }

  int64_t steps_done() const { return done_; }
  const std::vector<Parameter*>& trained() const { return trained_; }
  const TrainOptions& options() const { return options_; }
  const Optimizer& optimizer() const { return *optimizer_; }
  // Null on devices that are not asynchronous.
  const StepGraphs* step_graphs() const { return graphs_.get(); }
  // Why steps are not captured as graphs; empty when they are.
  std::string why_no_graphs() const;

  // Name and tensor of everything a checkpoint must hold: the masters, then the optimizer's state
  // and the method's.
  // To resume, write into these tensors and call resumed().
  std::vector<std::pair<std::string, Tensor>> state();
  void resumed(int64_t steps_done);
  // Names of trained parameters whose values equal those at construction or resumption: training
  // that ends with any was in vain for them.
  std::vector<std::string> unchanged() const;

 private:
  std::vector<Parameter*> trained_;
  TrainOptions options_;
  StepPart* part_;  // null where the method takes no part in steps
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<AsyncStep> async_;      // where the device has kernels for all weights at once
  std::unique_ptr<StepGraphs> graphs_;    // likewise
  std::function<void()> meanwhile_;       // may be empty
  int64_t done_ = 0;                      // updates so far
  std::vector<uint64_t> start_checksum_;  // of each trained parameter at construction or resumption

  struct Step;
  void run_on_host(Step& step);
  void run_on_device(Step& step, const StepKind* kind);
  void launch(Step& step, WeightTable& table);
  Tensor run_penalty();
  void complete_part();
  void update_all(Step& step);
  void update_eagerly(Step& step, Tape& tape, const Loss& loss, CompleteGradients& complete);
  void update(size_t index, double lr, double gradient_scale);
  void complete_gradient(Parameter& parameter);
  double complete_and_square(Parameter& parameter);
  void finish_part(StepReport& report);
  void drop_gradients();
  [[noreturn]] void fail_not_finite(const Step& step);
  void find_not_finite(const Step& step);
};

// Order-dependent 64-bit checksum of a tensor's bytes, fast enough for whole models: have these
// weights changed? 0 on a device without bytes.
uint64_t checksum(const Tensor& tensor);
uint64_t checksum_of_blocks(const Tensor& matrix);  // of the values, some rows at a time

}  // namespace afina
