// Operations are recorded while a Tape is alive, and only then: no tape, no graph, no memory held
// for it.
#pragma once
#include <functional>
#include <vector>

#include "engine/tensor.h"

namespace afina {

class Tape {
 public:
  using Backward = std::function<void(const Tensor& dy)>;
  Tape() : outer_(current_) { current_ = this; }
  ~Tape() { current_ = outer_; }
  Tape(const Tape&) = delete;

  // Runs the recorded steps last to first from dloss = 1. Each is forgotten once it ran, and frees
  // what it had kept; after_step, when given, is called then.
  void backward(const Tensor& loss, const std::function<void()>& after_step = {});
  void backward(const Tensor& y, const Tensor& dy, const std::function<void()>& after_step = {});

  // Marks y as computed by `operation` from inputs: `backward` turns y's gradient into theirs. The
  // only door into autodiff. Nothing is recorded when no tape is alive or no input needs a
  // gradient. y must not share memory with a tensor that is in the graph already unless it is a
  // view of it.
  static Tensor record(const char* operation, Tensor y, std::initializer_list<Tensor> inputs,
                       Backward backward);
  static Tensor record(const char* operation, Tensor y, bool needed, Backward backward);
  // Is a tape alive, so that an operation should save what backward needs?
  static bool recording() { return current_ != nullptr; }

  // While on, every recorded result is searched for NaN and infinity, and the first one found is an
  // Error naming the operation: switched on to explain a loss that is not finite by running the
  // step again.
  static void check_finite(bool on) { check_finite_ = on; }

 private:
  friend class Unrecorded;
  struct Step {
    const char* operation;
    Gradient output;
    Backward run;
  };
  static void run(Step step);
  std::vector<Step> steps_;
  Tape* outer_;
  static inline thread_local Tape* current_ = nullptr;
  static inline bool check_finite_ = false;
};

// While alive, nothing is recorded, whatever tape is.
class Unrecorded {
 public:
  Unrecorded() : outer_(Tape::current_) { Tape::current_ = nullptr; }
  ~Unrecorded() { Tape::current_ = outer_; }
  Unrecorded(const Unrecorded&) = delete;

 private:
  Tape* outer_;
};

// Gradient checkpointing (Chen et al., 2016): keeps a block's input only, and runs the block again
// when its gradient is due. The second run gives the same bits, as every operation does, dropout
// included.
Tensor checkpoint(const Tensor& x, const std::function<Tensor(const Tensor&)>& block);

}  // namespace afina
