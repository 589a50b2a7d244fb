// Linear layers: construction and merging.
#include "model/layers.h"

#include <algorithm>

namespace afina {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Init init,
               bool transposed)
    : path(scope.path()),
      weight(scope.base("weight", {out, in}, init, transposed)),
      bias(with_bias ? &scope.base("bias", {out}, {Init::zeros}) : nullptr),
      stored_transposed(transposed),
      adapter(scope.method().adapt(*this, scope)) {}

std::vector<Tensor> together(const std::vector<const Linear*>& layers, const Tensor& x,
                             const Inputs& inputs, bool again) {
  auto first = std::find_if(layers.begin(), layers.end(),
                            [](const Linear* layer) { return layer->adapter != nullptr; });
  std::vector<Tensor> ys;
  if (first != layers.end()) ys = (*first)->adapter->forward_together(x, layers, inputs);
  if (ys.empty())
    for (const Linear* layer : layers) ys.push_back((*layer)(x, inputs));
  for (size_t i = 0; again && i < layers.size(); ++i)
    ys[i] = recomputed(x, ys[i],
                   [layer = layers[i], inputs](const Tensor& of) { return (*layer)(of, inputs); });
  return ys;
}

void Linear::merge() {
  if (!adapter) return;
  Tensor merged = adapter->merged(weight.exact());
  weight.assign(merged.values().data());
  adapter.reset();
}

}  // namespace afina
