// The inputs of a forward pass: token ids, and the position and document of each.
#pragma once
#include <cstdint>

#include "engine/tensor.h"

namespace afina {

struct Inputs {
  Tensor tokens;     // (B, T) i32
  Tensor targets;    // (B, T) i32, -1: no target; empty if no loss is computed
  Tensor positions;  // (B, T) i32, counted from the start of the token's document
  // (B, T) i32: index of the first token of the document, within the row (within the cache if there
  // is one).
  Tensor starts;
  // (B * T, 2) i32: sample and position, the key of dropout's random numbers; empty unless
  // training.
  Tensor keys;
  // How many virtual tokens stand before each row in this pass (model/points.h). With them a row is
  // one document. Set by Model::placed, not by callers.
  int64_t virtual_tokens = 0;
  bool training = false;
  uint64_t seed = 0;  // the run's seed
  int64_t step = 0;   // the optimizer step, for dropout
};

// Inputs for rows of tokens; computes positions and keys. tokens, starts, and if not empty targets
// and samples: rows * length elements each. Throws if sizes disagree.
Inputs make_inputs(int64_t rows, int64_t length, const std::vector<int32_t>& tokens,
                   const std::vector<int32_t>& targets, const std::vector<int32_t>& starts,
                   const std::vector<int64_t>& samples, Device device = Device::cpu);
// One row of tokens that continues a document at `position` (the number of tokens in the KV cache).
Inputs make_inputs(const std::vector<int32_t>& tokens, int64_t position = 0,
                   Device device = Device::cpu);

}  // namespace afina
