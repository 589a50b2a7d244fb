// The trainer: micro-batches in, one update out. It knows parameters and losses, no models and no
// data.
#pragma once
#include <functional>

#include "engine/meter.h"
#include "engine/ops/cross_entropy.h"
#include "engine/train/optimizer.h"
#include "engine/train/schedule.h"
#include "engine/train/whole_gradients.h"

namespace afina {

class DeviceStep;
class StepGraphs;
class Tape;
class WeightTable;
struct StepKind;

enum class GraphUse : uint8_t { automatic, on, off };  // automatic: on for cuda alone

struct TrainOptions {
  Schedule schedule;
  OptimizerOptions optimizer;
  double clip = 1.;  // greatest global norm of the gradient; 0 switches clipping off
  // Each parameter is moved as soon as its gradient is whole, and the gradient given back, so that
  // they are never all held. The same bits. Needs clip == 0 and one micro-batch a step.
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
  double seconds[phase_count] = {0, 0, 0, 0};
};

class Trainer {
 public:
  // Runs micro-batch i forward and gives its loss scaled by `scale`, recorded on the tape that is
  // alive.
  using Forward = std::function<Loss(size_t i, double scale)>;

  // An Error if nothing is trained, or if gradients are to be applied as they come and clipped.
  Trainer(std::vector<Parameter*> trained, const TrainOptions& options);
  ~Trainer();

  // One update from `micro_batches` micro-batches that hold `targets` targets in all. Errors: no
  // target in the step; a trained parameter without a gradient in the first step; a loss or
  // gradient that is not finite (names the operation). The weights are as before then, but for a
  // gradient that is not finite where they are moved as the gradients come. Gradients take memory
  // within a step alone. With a kind, the step may be captured, and replayed for the next of that
  // kind.
  StepReport step(size_t micro_batches, int64_t targets, const Forward& forward,
                  const StepKind* kind = nullptr);
  // From now on called once a step, while a device that is not waited for works on it: what can be
  // made ready for the next.
  void meanwhile(std::function<void()> work) { meanwhile_ = std::move(work); }
  // Why steps are not captured as graphs; empty when they are.
  std::string why_no_graphs() const;
  const StepGraphs* step_graphs() const {
    return graphs_.get();
  }  // null where the host is asked in the midst of a step

  int64_t steps_done() const { return done_; }
  // Everything to go on later: masters, then the optimizer's state. Restoring writes into these
  // tensors and calls resumed().
  std::vector<std::pair<std::string, Tensor>> state();
  void resumed(int64_t steps_done);
  const std::vector<Parameter*>& trained() const { return trained_; }
  const TrainOptions& options() const { return options_; }
  // Names of trained parameters whose values are exactly what they were when the trainer was made
  // (or resumed): an error when training ends.
  std::vector<std::string> unchanged() const;

 private:
  void explain_not_finite(size_t micro_batches, double scale, const Forward& forward);
  void make_whole(Parameter& parameter);
  double gather(Parameter& parameter);
  StepReport step_on_device(size_t micro_batches, StepReport report, const Forward& forward,
                            const StepKind* kind);
  void give(size_t micro_batches, double scale, const Forward& forward, StepReport& report,
            WeightTable& table);
  void drop_gradients();
  [[noreturn]] void refuse(size_t micro_batches, const Forward& forward, const StepReport& report);
  void move(size_t index, double lr, double gradient_scale);
  void move_all(size_t micro_batches, const Forward& forward, StepReport& report);
  void move_as_they_come(Tape& tape, const Loss& loss, WholeGradients& whole, StepReport& report);
  std::vector<Parameter*> trained_;
  TrainOptions options_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<DeviceStep> device_;  // where the device has kernels for all weights at once
  std::unique_ptr<StepGraphs> graphs_;
  std::function<void()> meanwhile_;
  int64_t done_ = 0;
  std::vector<uint64_t> before_;  // checksum of each trained parameter at the start
};

// Order-dependent 64-bit checksum of a tensor's bytes, quick enough for whole models: have these
// weights changed?
uint64_t checksum(const Tensor& tensor);

}  // namespace afina
