// The matrix multiplication of each instruction set, gathered from their namespaces.
#include "engine/gemm_table.h"

namespace afina {

// Instruction sets that the build leaves out (INSTRUCTION_SETS) have no kernels; engine/isa.cpp
// never chooses them.
#define DECLARE(isa)                                            \
  namespace isa {                                               \
  void gemm(const Gemm& g);                                     \
  void gemm_pack_b(void* out, const Gemm& g);                   \
  size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);        \
  constexpr GemmTable table{gemm, gemm_pack_b, packed_b_bytes}; \
  }
#define LEFT_OUT(isa)          \
  namespace isa {              \
  constexpr GemmTable table{}; \
  }

#if defined(AFINA_BUILT_scalar)
DECLARE(scalar)
#else
LEFT_OUT(scalar)
#endif
#if defined(AFINA_BUILT_avx2)
DECLARE(avx2)
#else
LEFT_OUT(avx2)
#endif
#if defined(AFINA_BUILT_avx512)
DECLARE(avx512)
#else
LEFT_OUT(avx512)
#endif
#if defined(AFINA_BUILT_avx512bf16)
DECLARE(avx512bf16)
#else
LEFT_OUT(avx512bf16)
#endif

const GemmTable& gemm_table(Isa isa) {
  static constexpr GemmTable tables[] = {scalar::table, avx2::table, avx512::table,
                                         avx512bf16::table};
  return tables[int(isa)];
}

}  // namespace afina
