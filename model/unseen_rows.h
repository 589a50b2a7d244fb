// Rows of an embedding that pretraining never told apart: tokens that did not occur in it.
#pragma once
#include <cstdint>
#include <vector>

#include "engine/tensor.h"

namespace afina {

// Of the tokens asked about (rows of `table` (vocabulary, width), any floating-point dtype, on any
// device that holds bytes), those which pretraining never saw, as far as the table shows it: the
// row is nearly equal (cosine above 0.998) to those of at least three other tokens, or a thousandth
// as long as the median row. A token that never occurs gets the same gradient as all others that
// never do, the softmax's, so that their rows run together (SmolLM2's reserved tokens have cosines
// of 1.0000; after a fine-tuning on them, 0.99). Rows that stay as drawn at random, in a table that
// no head shares, are not found. Reads the table once, and single rows again.
std::vector<int32_t> unseen_rows(const Tensor& table, const std::vector<int32_t>& asked);

}  // namespace afina
