// A method away from its start, and the rows that tests of methods read: what these tests share.
#pragma once
#include "engine/random.h"
#include "model/files/save.h"
#include "test/model/tiny.h"

namespace afina {

// The rows of a tiny model's reference: two of twelve tokens.
struct Batch {
  std::vector<int32_t> tokens, targets;
  double scale;
  explicit Batch(const std::string& base) {
    Reference reference(tiny_path(base) + "/reference.safetensors");
    tokens = reference.integers("input_ids");
    targets = reference.integers("targets");
    scale = scale_of(targets);
  }
  // Rows first .. first + count, in training, so that dropout takes part.
  Inputs rows(int64_t first = 0, int64_t count = 2) const {
    auto part = [&](const std::vector<int32_t>& all) {
      return std::vector<int32_t>(all.begin() + 12 * first, all.begin() + 12 * (first + count));
    };
    Inputs inputs = plain_inputs(count, part(tokens), part(targets), first);
    inputs.training = true;
    inputs.seed = 5;
    inputs.step = 3;
    return inputs;
  }
};

// Moves what a method adds or trains away from its start, so that nothing is zero by chance: by the
// same numbers on every device.
inline void move_away(Model& model) {
  for (Parameter& p : model.parameters->all) {
    if (p.aside && !p.trained) continue;  // no file brings it back
    if (!p.aside && !in_adapter(p, model.method->stored())) continue;
    std::vector<float> values = p.exact().values();
    Random random(1, "test", p.name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1f * random.normal(i);
    p.assign(values.data());
  }
}

// Does the method store more than its parameters, as what it took out of the pretrained weights?
inline bool stores_more(const Model& model) {
  const auto& all = model.parameters->all;
  return std::any_of(all.begin(), all.end(),
                     [&](const Parameter& p) { return model.method->stored_behind(p).extent > 0; });
}

using Gradients = std::map<std::string, std::vector<float>>;
inline void add_gradients(Model& model, const Inputs& inputs, double scale) {
  Tape tape;
  tape.backward(model.loss(inputs, scale).total);
}
// Of all that is trained; what has none is a failure of the test.
inline Gradients gradients_of(Model& model) {
  Gradients all;
  for (Parameter* p : model.parameters->trained()) {
    p->add_uses();
    BOOST_TEST(p->value.grad().touched(), p->name << " has no gradient");
    if (p->value.grad().touched()) all[p->name] = p->value.grad().value().values();
  }
  return all;
}

}  // namespace afina
