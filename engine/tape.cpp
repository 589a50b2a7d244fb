// The tape: recording, the backward pass, and checkpointing.
#include "engine/tape.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "engine/meter.h"
#include "engine/primitives.h"
#include "engine/watch.h"

namespace afina {

namespace {

// How often each operation ran since the search for NaN began, to tell operations of one name
// apart.
std::map<std::string_view, int> ran;

void require_finite(const Tensor& t, const std::string& what) {
  int64_t position = first_not_finite(t);
  require(position < 0, what, " is not finite at position ", position, " of ", t.shape().text(),
          "; lower the learning rate, or look at the tensors that it comes from");
}

}  // namespace

Tensor Tape::record(const char* operation, Tensor y, std::initializer_list<Tensor> inputs,
                    Backward backward, std::source_location where) {
  bool needed =
      std::any_of(inputs.begin(), inputs.end(), [](const Tensor& x) { return x.needs_grad(); });
  std::vector<const Tensor*> seen;
  if (Watcher::current())
    for (const Tensor& x : inputs) seen.push_back(&x);
  return record(operation, std::move(y), needed, std::move(backward), seen, where);
}

Tensor Tape::record(const char* operation, Tensor y, bool needed, Backward backward,
                    std::span<const Tensor* const> seen, std::source_location where) {
  if (check_finite_)
    require_finite(y, "the result of operation '" + std::string(operation) + "' (its call " +
                          std::to_string(++ran[operation]) + ")");
  else if (!ran.empty()) ran.clear();
  Watcher* watcher = Watcher::current();
  if (!current_ || !needed) {
    if (watcher) watcher->operation_ran({operation, y, seen, false, where});
    return y;
  }
  auto slot = std::make_shared<Slot>();
  slot->shape = y.shape();
  slot->dtype = y.dtype();
  slot->device = y.device();
  y.grad_ = Gradient(slot);
  const int64_t number =
      watcher ? watcher->operation_ran({operation, y, seen, true, where}) : int64_t(-1);
  current_->steps_.push_back({operation, y.grad_, std::move(backward), number});
  return y;
}

void Tape::backward(const Tensor& loss, const std::function<void()>& after_step) {
  require(loss.size() == 1, "backward starts from one number, not from a tensor of shape ",
          loss.shape().text());
  require(loss.needs_grad(),
          "backward: this loss depends on nothing that needs a gradient; does the method train "
          "anything?");
  if (loss.device() == Device::cpu)
    return backward(loss, Tensor::from(std::vector<float>{1.f}, loss.shape(), loss.dtype()),
                    after_step);
  // Computed on the device, as a captured step cannot read the host's memory.
  Tensor one = Tensor::zeros(loss.shape(), loss.dtype(), loss.device());
  kernel::affine(one, one, 0., 1.);
  backward(loss, one, after_step);
}

void Tape::backward(const Tensor& y, const Tensor& dy, const std::function<void()>& after_step) {
  current_ = outer_;  // the backward pass itself is not recorded
  y.grad() += dy;
  while (!steps_.empty()) {
    Step step = std::move(steps_.back());
    steps_.pop_back();
    run(std::move(step));
    if (after_step) after_step();
  }
}

void Tape::run(Step step) {
  if (!step.output.touched()) return;
  Tensor dy = step.output.value();
  step.output.drop();  // step.run may take dy over: nobody else reads it any more
  if (check_finite_)
    require_finite(dy, "the gradient that comes back to the result of operation '" +
                           std::string(step.operation) + "'");
  Watcher* watcher = Watcher::current();
  if (!watcher) return step.run(dy);
  watcher->backward_begins(step.number, step.operation, dy);
  step.run(dy);
  watcher->backward_ended(step.number, [&] {
    step.run = nullptr;
    dy = Tensor();
  });
}

Tensor checkpoint(const Tensor& x, const std::function<Tensor(const Tensor&)>& block) {
  if (!Tape::recording()) return block(x);
  Tensor y;
  {
    Tape forgotten;
    y = block(x);
  }
  bool needed = y.needs_grad();
  const Tensor* const seen[] = {&x};
  return Tape::record(
      "checkpoint", y.detached(), needed,
      [x_grad = x.grad(), saved = x.detached(), block](const Tensor& dy) {
        Tensor x = saved;
        if (x_grad) x.track(x.dtype());
        {
          Recomputing recomputing;
          Tape tape;
          Tensor y = block(x);
          recomputing.done();
          tape.backward(y, dy);
        }
        if (x_grad) x_grad += x.grad().value();
      },
      seen);
}

}  // namespace afina
