// Merges adapters into the weights of their layers, and measures how much that changes the logits.
#pragma once
#include "model/model.h"

namespace afina {

// Merges every adapter into its layer's weight and bias (rounded to the model's dtype) and removes
// it. An Error for a method whose adapters cannot be merged.
void merge_adapters(Model& model);

// Difference between two sets of logits for the same tokens.
struct Agreement {
  // max |Δlogit|, and max |logit| for comparison.
  double largest_difference = 0., largest_logit = 0.;
  double kl = 0.;  // mean Kullback-Leibler divergence per position, in nats
  // Positions compared, and those where the most likely token agrees.
  int64_t positions = 0, same_choice = 0;
};
// before, after: logits (B, T, vocabulary). Throws if shapes differ.
Agreement agreement(const Tensor& before, const Tensor& after);
// Merges all adapters and compares the logits of `inputs` before and after.
Agreement merge_and_check(Model& model, const Inputs& inputs);

}  // namespace afina
