// Linear layers: construction, sharing among neighbours, and merging.
#include "model/layers.h"

namespace afina {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Init init,
               bool transposed)
    : path(scope.path()),
      weight(scope.matrix("weight", {out, in}, init, transposed)),
      bias(with_bias ? &scope.base("bias", {out}, {Init::zeros}) : nullptr),
      stored_transposed(transposed),
      // A layer that is trained as a whole needs no adapter.
      adapter(scope.method().beside.whole(path) ? nullptr : scope.method().adapt(*this, scope)) {
  if (scope.method().beside.whole(path)) scope.method().passes_over(*this);
  scope.method().beside.built(*this);
  scope.parameters().linears.push_back(this);
}

namespace {

// Empty where nothing is shared: outside training stacking the As costs more than their common
// product saves, and lora_low takes trained As or frozen ones, not both.
std::vector<Tensor> shared(const std::vector<const Linear*>& layers, const Tensor& x,
                           const Inputs& inputs) {
  std::vector<const LowRank*> parts;
  std::vector<Tensor> as, ys;
  bool alike = true;
  for (const Linear* layer : layers) {
    parts.push_back(layer->adapter ? layer->adapter->low_rank(inputs) : nullptr);
    if (!parts.back()) continue;
    as.push_back(parts.back()->a.value);
    alike = alike && as.back().needs_grad() == as[0].needs_grad();
  }
  if (as.size() < 2 || !alike || !Tape::recording()) return {};
  Tensor low = lora_low(x, as);
  int64_t from = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Linear& layer = *layers[i];
    const LowRank* part = parts[i];
    const Here here(layer.path);
    ys.push_back(part ? linear_lora_of(x, low, from, layer.weight.value, layer.bias_value(),
                                       part->a.value, part->b.value, part->scale)
                      : layer(x, inputs));
    if (part) from += part->a.value.rows();
  }
  return ys;
}

}  // namespace

std::vector<Tensor> together(const std::vector<const Linear*>& layers, const Tensor& x,
                             const Inputs& inputs, bool again) {
  std::vector<Tensor> ys = shared(layers, x, inputs);
  if (ys.empty())
    for (const Linear* layer : layers) ys.push_back((*layer)(x, inputs));
  for (size_t i = 0; again && i < layers.size(); ++i)
    ys[i] = recomputed(
        x, ys[i], [layer = layers[i], inputs](const Tensor& of) { return (*layer)(of, inputs); });
  return ys;
}

Linear::Merged Linear::merged() const {
  Merged out{weight.exact(), bias ? bias->exact() : Tensor()};
  if (!adapter) return out;
  adapter->merge(out.weight, out.bias);
  require(out.weight.shape() == weight.shape && bool(out.bias) == (bias != nullptr), path,
          ": merging changed the layer's form");
  return out;
}

std::unique_ptr<Adapter> Linear::merge() {
  if (!adapter) return nullptr;
  Merged values = merged();
  weight.unpack();
  weight.assign(values.weight.values().data());
  if (bias) bias->assign(values.bias.values().data());
  return std::move(adapter);
}

}  // namespace afina
