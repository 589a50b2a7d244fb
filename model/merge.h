// Merges adapters into the weights of their layers and takes them out again, and measures how much
// that changes the logits.
#pragma once
#include "model/model.h"

namespace afina {

// Merges every adapter into its layer's weight and bias (rounded to the model's dtype) and removes
// it. An Error for a method whose adapters cannot be merged.
void merge_adapters(Model& model);

// The same for a time: the weights that change and the adapters are kept, so that unmerge() brings
// back every bit of both, in every dtype. (Subtracting what was added would not: it rounds twice.)
// The model must outlive it, must not be trained in between, and stays merged where unmerge() is
// never called. Memory: the changed weights a second time.
class MergedAdapters {
 public:
  explicit MergedAdapters(Model& model);
  MergedAdapters(const MergedAdapters&) = delete;
  // An Error if it was called before.
  void unmerge();

 private:
  struct Kept {
    Parameter* parameter;
    Tensor value, master;
    bool lent;
  };
  void keep(Parameter& parameter);
  Model& model_;
  bool merged_ = true;
  std::vector<Kept> weights_;
  std::vector<std::pair<Linear*, std::unique_ptr<Adapter>>> adapters_;
  TokenEnds::Adapters ends_;
};

// Difference between two sets of logits for the same tokens.
struct Agreement {
  // max |Δlogit|, and max |logit| for comparison.
  double largest_difference = 0., largest_logit = 0.;
  double kl = 0.;  // mean Kullback-Leibler divergence per position, in nats
  // Positions compared, and those where the most likely token agrees.
  int64_t positions = 0, same_choice = 0;

  double share() const { return positions ? double(same_choice) / double(positions) : 0.; }
  // Counts the positions of `other` as well.
  void add(const Agreement& other);
};
// before, after: logits (B, T, vocabulary). Throws if shapes differ or a logit is not finite.
Agreement agreement(const Tensor& before, const Tensor& after);
// Merges all adapters and compares the logits of `inputs` before and after.
Agreement merge_and_check(Model& model, const Inputs& inputs);

}  // namespace afina
