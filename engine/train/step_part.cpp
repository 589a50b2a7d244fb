// The method's part of a training step: its term of the loss before the first micro-batch, and what
// it does after the update.
#include "engine/train/step_part.h"

#include "engine/tape.h"
#include "engine/train/trainer.h"

namespace afina {

// Lets the method begin a step, and runs its term of the loss forward and backward. Empty if there
// is none.
Tensor Trainer::run_penalty() {
  if (!part_) return {};
  {
    PhaseScope phase(Phase::forward);
    part_->begin_step();
  }
  Tape tape;
  Tensor term;
  {
    PhaseScope phase(Phase::forward);
    term = part_->penalty();
  }
  PhaseScope phase(Phase::backward);
  if (term && term.needs_grad()) tape.backward(term);
  return term ? term.detached() : term;
}

void Trainer::complete_part() {
  if (!part_) return;
  PhaseScope phase(Phase::backward);
  part_->complete_gradients();
}

// Gives the method the step's gradients and frees them then.
void Trainer::finish_part(StepReport& report) {
  PhaseScope phase(Phase::optimizer);
  double start = seconds_now();
  part_->after_step(report);
  drop_gradients();
  report.seconds[int(Phase::optimizer)] += seconds_now() - start;
}

}  // namespace afina
