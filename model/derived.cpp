// A derived tensor's part of a training step.
#include "model/derived.h"

#include "engine/meter.h"

namespace afina {

void Derived::begin() {
  Unrecorded plain;
  PurposeScope purpose(Purpose::activations);
  value_ = computed().detached();
  value_.track();
}

void Derived::complete() {
  if (!value_) return;
  const Gradient gradient = value_.grad();
  // finish() adds constants and rounds, so that the gradient passes it as it is.
  if (gradient.touched()) {
    Tape tape;
    const Tensor made = make_();
    if (made.needs_grad()) tape.backward(made, gradient.value());
  }
  gradient.drop();
  forget();
}

}  // namespace afina
