// The matrix multiplication of each instruction set, gathered from their namespaces.
#include "engine/gemm_table.h"

namespace afina {

namespace scalar {
void gemm(const Gemm& g);
void gemm_pack_b(void* out, const Gemm& g);
size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);
}  // namespace scalar
#if defined(__x86_64__)
namespace avx2 {
void gemm(const Gemm& g);
void gemm_pack_b(void* out, const Gemm& g);
size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);
}  // namespace avx2
namespace avx512 {
void gemm(const Gemm& g);
void gemm_pack_b(void* out, const Gemm& g);
size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);
}  // namespace avx512
namespace avx512bf16 {
void gemm(const Gemm& g);
void gemm_pack_b(void* out, const Gemm& g);
size_t packed_b_bytes(int64_t n, int64_t k, Dtype in);
}  // namespace avx512bf16
#endif

const GemmTable& gemm_table(Isa isa) {
  static constexpr GemmTable tables[] = {
    {scalar::gemm, scalar::gemm_pack_b, scalar::packed_b_bytes},
#if defined(__x86_64__)
    {avx2::gemm, avx2::gemm_pack_b, avx2::packed_b_bytes},
    {avx512::gemm, avx512::gemm_pack_b, avx512::packed_b_bytes},
    {avx512bf16::gemm, avx512bf16::gemm_pack_b, avx512bf16::packed_b_bytes},
#endif
  };
  return tables[int(isa)];
}

}  // namespace afina
