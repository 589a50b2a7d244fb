// Watches one forward and backward pass, and keeps what linear layers read and what comes back.
#include "tools/checks/gradient_conflict.h"

#include <cmath>
#include <map>
#include <unordered_map>

#include "engine/ops/linear.h"
#include "engine/tape.h"
#include "engine/watch.h"
#include "tools/runs/step.h"

namespace afina {

namespace {

class FactorWatcher : public Watcher {
 public:
  FactorWatcher(const Model& model, GradientFactors& into) : into_(into) {
    const auto& layers = model.parameters->linears;
    into.x.resize(layers.size());
    into.delta.resize(layers.size());
    for (size_t i = 0; i < layers.size(); ++i) layer_of_[layers[i]->weight.value.buffer()] = i;
  }
  int64_t operation_ran(const WatchedOperation& operation) override {
    if (!operation.recorded || recomputing_) return -1;
    for (const Tensor* input : operation.inputs) {
      if (!input || !*input) continue;
      const auto layer = layer_of_.find(input->buffer());
      if (layer == layer_of_.end() || input == operation.inputs[0]) continue;
      into_.x[layer->second] = flat(*operation.inputs[0]).copy();
      return int64_t(layer->second);
    }
    return -1;
  }
  void backward_begins(int64_t number, const char*, const Tensor& dy) override {
    if (number >= 0) into_.delta[size_t(number)] = flat(dy).copy();
  }
  void recomputing_begins() override { recomputing_ = true; }
  void recomputing_ended() override { recomputing_ = false; }

 private:
  GradientFactors& into_;
  std::unordered_map<const Buffer*, size_t> layer_of_;
  bool recomputing_ = false;
};

}  // namespace

size_t GradientFactors::bytes() const {
  size_t sum = 0;
  for (const auto* tensors : {&x, &delta})
    for (const Tensor& one : *tensors)
      if (one) sum += one.bytes();
  return sum;
}

GradientFactors gradient_factors(Model& model, const Sample& row) {
  // Behind the last target nothing reaches the loss.
  Sample sample = row;
  size_t end = sample.trained.size();
  while (end > 0 && !sample.trained[end - 1]) --end;
  require(end >= 2, "gradient_factors: the row has no target; name a sentence that has tokens");
  sample.tokens.resize(end);
  sample.trained.resize(end);
  Samples samples;
  samples.rows.push_back(std::move(sample));
  BatchOptions options;
  options.length = (int64_t(end) + 7) / 8 * 8;
  options.shuffle = options.pack = false;
  const Batch batch = BatchSource(samples, options).once().at(0);
  GradientFactors found;
  {
    FactorWatcher watcher(model, found);
    const Watching watching(&watcher);
    Tape tape;
    const Loss loss = model.loss(inputs_of(batch, 0, -1, model.parameters->device),
                                 1. / double(batch.target_count));
    if (loss.total.needs_grad()) tape.backward(loss.total);
  }
  bool any = false;
  for (size_t i = 0; i < found.x.size(); ++i) {
    if (!found.x[i] || !found.delta[i]) found.x[i] = found.delta[i] = Tensor();
    any = any || found.x[i];
  }
  for (Parameter* p : model.parameters->trained()) {
    p->add_uses();
    p->value.grad().drop();
  }
  require(any,
          "gradient_factors: no linear layer is on the way of a gradient; warm the model up "
          "with full, or with lora on all layers");
  found.squared = gradient_product(found, found);
  return found;
}

double gradient_product(const GradientFactors& a, const GradientFactors& b) {
  double sum = 0;
  for (size_t i = 0; i < a.x.size(); ++i) {
    if (!a.x[i] || !b.x[i]) continue;
    const std::vector<double> inputs = product_of(a.x[i], b.x[i], true).values64(),
                              deltas = product_of(a.delta[i], b.delta[i], true).values64();
    for (size_t k = 0; k < inputs.size(); ++k) sum += inputs[k] * deltas[k];
  }
  return sum;
}

double gradient_cosine(const GradientFactors& a, const GradientFactors& b) {
  const double norms = std::sqrt(a.squared * b.squared);
  return norms > 0 ? gradient_product(a, b) / norms : 0.;
}

}  // namespace afina
