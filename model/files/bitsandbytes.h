// Weights that transformers saved with bitsandbytes' 4 bits (NF4, FP4) or 8 bits (LLM.int8), read
// as they lie.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/blocks.h"
#include "engine/files/stored_tensor.h"

namespace afina {

// A matrix in blocks, and the tensors of the file that it consists of.
struct SavedBlocks {
  std::shared_ptr<Blocks> blocks;  // its holder and `computed` are the caller's to set
  size_t bytes = 0;
  std::vector<std::string> names;
};
// The matrix `weight` of this shape, where the file holds it in 4 or 8 bits; no blocks: it does
// not. Throws an Error by the tensor's name for parts that are missing or of another size, and for
// what is not supported.
SavedBlocks saved_blocks(const StoredTensors& file, const StoredTensor& weight, const Shape& shape);

}  // namespace afina
