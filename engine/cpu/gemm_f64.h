// Matrix multiplication in float64, for gradient checks: the same order of sums, not optimised for
// speed.
#pragma once
#include "engine/cpu/gemm.h"

namespace afina::AFINA_ISA {

void gemm_f64(const Gemm& g);
void pack_b_f64(void* out, const Gemm& g);
size_t packed_b_bytes_f64(int64_t n, int64_t k);

}  // namespace afina::AFINA_ISA
