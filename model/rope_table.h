// Rotary position tables as Hugging Face computes them: frequencies from a config, and their
// cosines and sines (RoPE: Su et al., 2021).
#pragma once
#include "model/model.h"

namespace afina {

// The scaled frequency in f32, radians per position, of each of the head_dim / 2 column pairs.
// Throws for unknown kinds of scaling; `where` begins the message.
std::vector<float> rope_frequencies(const ModelConfig& config, const std::string& where);

// Holds the table (positions, head_dim): in each row head_dim / 2 cosines, then as many sines; f32,
// or f64 for models in f64. Grows to the longest sequence seen.
class RopeTable {
 public:
  RopeTable(const ModelConfig& config, Dtype dtype, Device device);
  // The table with rows for at least the positions below `end`, which must not exceed the context.
  const Tensor& up_to(int64_t end);

 private:
  std::vector<float> frequencies_;
  int64_t context_;
  Dtype dtype_;
  Device device_;
  Tensor table_;
  std::vector<Tensor> earlier_tables_;  // captured steps may still read them
};

}  // namespace afina
