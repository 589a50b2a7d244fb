// What a forward pass reads: token ids and where each stands.
#pragma once
#include <cstdint>

#include "engine/tensor.h"

namespace afina {

struct Inputs {
  Tensor tokens;     // (B, T) i32
  Tensor targets;    // (B, T) i32, -1 where there is none; empty when no loss is asked
  Tensor positions;  // (B, T) i32: counted from the start of the token's document
  Tensor starts;     // (B, T) i32: index in its row (in the cache, when there is one) of the first
                     // token of its document
  Tensor keys;  // (B * T, 2) i32: sample and position, what dropout is keyed by; empty when not
                // training
  bool training = false;
  uint64_t seed = 0;  // of the run
  int64_t step = 0;   // of the optimizer, for dropout
};

// Rows of tokens with documents, positions and keys filled in. tokens, targets (may be empty) and
// starts: rows * length each; samples likewise or empty.
Inputs make_inputs(int64_t rows, int64_t length, const std::vector<int32_t>& tokens,
                   const std::vector<int32_t>& targets, const std::vector<int32_t>& starts,
                   const std::vector<int64_t>& samples, Device device = Device::cpu);
// One row of tokens that is one document, beginning at `position` (what a KV cache holds already).
Inputs make_inputs(const std::vector<int32_t>& tokens, int64_t position = 0,
                   Device device = Device::cpu);

}  // namespace afina
