// The weights of a model as they are once its adapters are merged, one at a time; the model stays
// as it is.
#pragma once
#include <map>

#include "model/model.h"

namespace afina {

class MergedWeights {
 public:
  // The model must outlive it and keep its adapters. Its method can be merged
  // (Method::why_not_mergeable).
  explicit MergedWeights(const Model& model);
  // Is something merged into this weight?
  bool adapted(const Parameter& p) const {
    return adapted_.count(&p) > 0 || bool(model_.ends().merged(p));
  }
  // The values in f32, of the parameter's shape, with what is merged into them.
  Tensor of(const Parameter& p) const;

 private:
  const Model& model_;
  std::map<const Parameter*, const Linear*> adapted_;
  mutable std::map<const Parameter*, Tensor> biases_;  // merged with their weights
};

}  // namespace afina
