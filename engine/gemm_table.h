// The matrix multiplication of each instruction set, for code that is compiled only once: tests,
// benchmarks and callers outside the kernels.
#pragma once
#include "engine/cpu/gemm.h"
#include "engine/isa.h"

namespace afina {

struct GemmTable {
  void (*gemm)(const Gemm& g);
  void (*gemm_pack_b)(void* out, const Gemm& g);
  size_t (*packed_b_bytes)(int64_t n, int64_t k, Dtype in);
};
const GemmTable& gemm_table(Isa isa);

}  // namespace afina
