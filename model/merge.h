// Adapters taken into the weights they stand beside, and how much that changes.
#pragma once
#include "model/model.h"

namespace afina {

// Merges every adapter into its layer's weight and bias (rounded to the model's dtype) and removes
// it. An Error for a method whose adapters cannot be merged.
void merge_adapters(Model& model);

// How one set of logits differs from another of the same tokens.
struct Agreement {
  double largest_difference = 0.,
         largest_logit = 0.;               // max |Δlogit|, and max |logit| to measure it by
  double kl = 0.;                          // mean Kullback-Leibler divergence per position, in nats
  int64_t positions = 0, same_choice = 0;  // positions where the likeliest token is the same
};
// before, after: (B, T, vocabulary).
Agreement agreement(const Tensor& before, const Tensor& after);
// Merges and says what it did to the logits of these inputs.
Agreement merge_and_check(Model& model, const Inputs& inputs);

}  // namespace afina
