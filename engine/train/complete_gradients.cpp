// Gradients that nothing recorded will add to any more.
#include "engine/train/whole_gradients.h"

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

WholeGradients::WholeGradients(const std::vector<Parameter*>& trained)
    : trained_(trained), taken_(trained.size(), false) {
  for (Parameter* p : trained) before_.push_back(holders(*p));
}

std::vector<size_t> WholeGradients::take() {
  std::vector<size_t> whole;
  for (size_t i = 0; i < trained_.size(); ++i) {
    if (!touched(*trained_[i]) || holders(*trained_[i]) > before_[i]) continue;
    require(!taken_[i], "the weight '", trained_[i]->name,
            "' was moved before its gradient was whole, as several checkpointed blocks use it; "
            "train without --apply-as-you-go");
    taken_[i] = true;
    whole.push_back(i);
  }
  return whole;
}

std::vector<size_t> WholeGradients::missing() const {
  std::vector<size_t> left;
  for (size_t i = 0; i < trained_.size(); ++i)
    if (!taken_[i]) left.push_back(i);
  return left;
}

}  // namespace afina
