// The small networks that tell what a sentence or an answer is from its measures, and their
// weights, which test/data/checks/fit_stray.py fits and writes.
#pragma once
#include <cstddef>
#include <span>

namespace afina {

// Several networks of one hidden layer, x / (1 + |x|), and a softmax; what they say is averaged.
// Weights of each, one behind the other: of each hidden unit those of the inputs and its bias, then
// of each kind those of the hidden units and its bias.
struct SmallNets {
  size_t inputs, hidden, kinds, nets;
  const float* weights;
};
extern const SmallNets sentence_nets, answer_nets;
// Of stray_features, the last one the bias: may the sentence be out of the ordinary at all?
extern const float stray_gate[];
// Of pair_features and of the logarithms of how far the two are aside, the lesser first; the last
// one is the bias.
extern const float pair_weights[];

// chances: of each kind, together 1.
void chances_of(const SmallNets& nets, std::span<const float> inputs, std::span<double> chances);

}  // namespace afina
