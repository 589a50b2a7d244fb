// Weights with adapters merged into them.
#include "model/merged.h"

namespace afina {

MergedWeights::MergedWeights(const Model& model) : model_(model) {
  for (const Linear* linear : model.parameters->linears)
    if (linear->adapter) {
      adapted_[&linear->weight] = linear;
      if (linear->bias) adapted_[linear->bias] = linear;
    }
}

Tensor MergedWeights::of(const Parameter& p) const {
  if (auto bias = biases_.find(&p); bias != biases_.end()) return bias->second;
  if (auto found = adapted_.find(&p); found != adapted_.end()) {
    const Linear& linear = *found->second;
    Linear::Merged both = linear.merged();
    if (linear.bias) biases_[linear.bias] = both.bias;
    return &p == &linear.weight ? both.weight : both.bias;
  }
  if (Tensor table = model_.ends().merged(p)) return table;
  return p.exact();
}

}  // namespace afina
