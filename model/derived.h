// Tensors that follow from a method's parameters and that layers read like weights: a turned or an
// added weight, the blocks of a rotation.
#pragma once
#include <functional>

#include "engine/tape.h"

namespace afina {

// One such tensor. In a training step it is computed once, before the first micro-batch; its
// gradient is added to in place as a weight's is, micro-batch after micro-batch, and goes on to the
// parameters once, at the end. So the parameters' gradients are the same bits however a step is
// split, and the work of computing it does not grow with the number of micro-batches. Outside of
// steps it is computed whenever it is read.
class Derived {
 public:
  // make: of the parameters' values, in f32 (f64). finish, if given: of make's result and of
  // constants, in the dtype that layers compute in. Both are made of recorded operations.
  explicit Derived(std::function<Tensor()> make, std::function<Tensor(const Tensor&)> finish = {})
      : make_(std::move(make)), finish_(std::move(finish)) {}

  Tensor operator()() const { return value_ ? value_ : computed(); }
  // The three calls of a training step (engine/train/step_part.h).
  void begin();
  void complete();
  void forget() { value_ = Tensor(); }

 private:
  Tensor computed() const { return finish_ ? finish_(make_()) : make_(); }
  std::function<Tensor()> make_;
  std::function<Tensor(const Tensor&)> finish_;
  Tensor value_;  // within a step only; holds its gradient
};

}  // namespace afina
