// Rotary tables as Hugging Face computes them: which frequencies a config asks for, and their
// cosines and sines.
#pragma once
#include "model/model.h"

namespace afina {

// The f32 frequency of each pair of columns (head_dim / 2 of them), after scaling. A kind of
// scaling that is not known is an Error.
std::vector<float> rope_frequencies(const ModelConfig& config, const std::string& where);

// The table (positions, head_dim), cosines then sines, grown to the longest sequence seen.
class RopeTable {
 public:
  RopeTable(const ModelConfig& config, Dtype dtype, Device device);
  // For positions below `end`, which is at most the context.
  const Tensor& upto(int64_t end);

 private:
  std::vector<float> frequencies_;
  int64_t context_;
  Dtype dtype_;
  Device device_;
  Tensor table_;
  std::vector<Tensor> shorter_;  // those before it
};

}  // namespace afina
