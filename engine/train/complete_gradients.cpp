// Gradients that no recorded step will add to any more.
#include "engine/train/complete_gradients.h"

namespace afina {

namespace {

long holders(const Parameter& p) {
  long sum = p.value.grad().holders();
  for (const Tensor& use : p.uses) sum += use.grad().holders();
  return sum;
}
bool touched(const Parameter& p) {
  bool any = p.value.grad().touched();
  for (const Tensor& use : p.uses) any = any || use.grad().touched();
  return any;
}

}  // namespace

CompleteGradients::CompleteGradients(const std::vector<Parameter*>& trained)
    : trained_(trained), taken_(trained.size(), false) {
  for (Parameter* p : trained) idle_holders_.push_back(holders(*p));
}

std::vector<size_t> CompleteGradients::take() {
  std::vector<size_t> complete;
  for (size_t i = 0; i < trained_.size(); ++i) {
    if (!touched(*trained_[i]) || holders(*trained_[i]) > idle_holders_[i]) continue;
    require(!taken_[i], "the weight '", trained_[i]->name,
            "' was updated before its gradient was complete, because several checkpointed blocks "
            "use it; train without --apply-as-you-go");
    taken_[i] = true;
    complete.push_back(i);
  }
  return complete;
}

std::vector<size_t> CompleteGradients::missing() const {
  std::vector<size_t> left;
  for (size_t i = 0; i < trained_.size(); ++i)
    if (!taken_[i]) left.push_back(i);
  return left;
}

}  // namespace afina
