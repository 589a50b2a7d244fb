// Weights that never change, kept in the form that the matmul reads: packed on first use, once for each direction.
#pragma once
#include "engine/cpu/gemm.h"
#include "engine/tensor.h"

namespace afina {

// b packed by `pack` into `bytes`, as the right operand of g (whose n, k, in, b, ldb and tb say how); null unless b is a whole constant
// buffer. Metered as weights; lives as long as b's buffer. May be called from several threads.
const void* packed_constant(const Tensor& b, const Gemm& g, size_t bytes, void (*pack)(void* out, const Gemm& g));

}  // namespace afina
