// What a fine-tuning method does in a training step besides its adapters' forward passes.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "engine/tensor.h"

namespace afina {

struct Parameter;
struct StepReport;

class StepPart {
 public:
  virtual ~StepPart() = default;
  // Does it take part in steps? Asked when the trainer is made. If so, the trainer calls the
  // functions below, holds all gradients until after_step has returned, and captures no step as a
  // graph, since after_step may read the device.
  virtual bool takes_part() const { return false; }
  // Does what it does in a step depend on how many steps the run is to have? More steps are then
  // another experiment. Asked before the model is built.
  virtual bool plans_by_steps() const { return false; }
  // Called before the first micro-batch of a step, while no tape records: what follows from the
  // weights and is the same for all micro-batches is computed here.
  virtual void begin_step() {}
  // Called after the last micro-batch's backward pass, before the norm: gradients of what
  // begin_step computed go on to the parameters. So each parameter gets one sum over the whole
  // step, however the step is split.
  virtual void complete_gradients() {}
  // The step ended with an error: what begin_step computed is forgotten.
  virtual void abandon_step() {}
  // A term (1) of the loss that depends on the weights alone; empty: none. Called once a step while
  // a tape records, before the first micro-batch: its gradient begins every sum, however the step
  // is split. Not scaled by the number of targets.
  virtual Tensor penalty() const { return {}; }
  // Called after the update, while the step's gradients (before clipping) are still there. What it
  // changes: masters, followed by Parameter::refresh().
  virtual void after_step(const StepReport& report) { (void)report; }
  // Does after_step set this parameter, so that it may end where it began?
  virtual bool sets(const Parameter& parameter) const {
    (void)parameter;
    return false;
  }
  // Name and tensor of everything that after_step carries from step to step: checkpoints hold them.
  // Resuming writes into these tensors.
  virtual std::vector<std::pair<std::string, Tensor>> step_state() { return {}; }
};

}  // namespace afina
