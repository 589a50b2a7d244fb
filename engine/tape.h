// Reverse-mode differentiation. While a Tape is alive, operations are recorded on it; without one
// there is no graph, and nothing is saved for backward.
#pragma once
#include <functional>
#include <source_location>
#include <span>
#include <vector>

#include "engine/tensor.h"

namespace afina {

// The steps of a computation in the order in which they ran. Constructing a Tape makes it the
// calling thread's current one; tapes nest.
class Tape {
 public:
  // Receives dy, the gradient of an operation's result, and adds to the gradients of its inputs.
  using Backward = std::function<void(const Tensor& dy)>;
  Tape() : outer_(current_) { current_ = this; }
  ~Tape() { current_ = outer_; }
  Tape(const Tape&) = delete;

  // Runs the recorded steps in reverse, starting with dloss = 1. Each step is dropped after it has
  // run, freeing what it saved; then after_step is called, if given. loss: one element, and
  // recorded; an Error otherwise.
  void backward(const Tensor& loss, const std::function<void()>& after_step = {});
  // The same from any result y with its gradient dy.
  void backward(const Tensor& y, const Tensor& dy, const std::function<void()>& after_step = {});

  // Records y as the result of `operation` on `inputs` and returns it with a gradient slot. The
  // only way into the graph: `backward` captures what it needs, among it the inputs' gradients.
  // Returns y unchanged when no tape is alive or no input needs a gradient. y must not share memory
  // with another tensor of the graph, unless it is a view of one. where: the operation's
  // definition, for who looks (engine/watch.h).
  static Tensor record(const char* operation, Tensor y, std::initializer_list<Tensor> inputs,
                       Backward backward,
                       std::source_location where = std::source_location::current());
  // needed: does any input need a gradient? seen: the inputs, for who looks.
  static Tensor record(const char* operation, Tensor y, bool needed, Backward backward,
                       std::span<const Tensor* const> seen = {},
                       std::source_location where = std::source_location::current());
  // Is a tape alive, so that an operation should save what backward needs?
  static bool recording() { return current_ != nullptr; }

  // While on, every recorded result and gradient is searched for NaN and infinity, and the first
  // one found throws an Error that names the operation. To explain a loss that is not finite, the
  // step is run again with this on.
  static void check_finite(bool on) { check_finite_ = on; }

 private:
  friend class Unrecorded;
  struct Step {
    const char* operation;
    Gradient output;
    Backward run;
    int64_t number;  // a watcher's, for the operation
  };
  static void run(Step step);
  std::vector<Step> steps_;
  Tape* outer_;
  static inline thread_local Tape* current_ = nullptr;
  static inline bool check_finite_ = false;
};

// While alive, nothing is recorded in this thread, even if a tape is alive.
class Unrecorded {
 public:
  Unrecorded() : outer_(Tape::current_) { Tape::current_ = nullptr; }
  ~Unrecorded() { Tape::current_ = outer_; }
  Unrecorded(const Unrecorded&) = delete;

 private:
  Tape* outer_;
};

// Gradient checkpointing (Chen et al., 2016): returns block(x), saves only x, and runs the block a
// second time when its gradient is needed. The second run gives the same bits, dropout included.
Tensor checkpoint(const Tensor& x, const std::function<Tensor(const Tensor&)>& block);

}  // namespace afina
