// Weights that never change, kept in the form that the matmul reads: packed on first use, once for
// each direction.
#pragma once
#include "engine/cpu/gemm.h"
#include "engine/tensor.h"

namespace afina {

// Does the calling thread pack? Packing gains 3 to 10 % of a matmul's time and holds every frozen
// matrix twice more (thrice in f32 without VDPBF16PS): only while a PackScope asks for it, as
// memory is what most people lack. The bits are the same.
bool packing_constants();

// While alive, the calling thread and the workers of its loops pack, or do not.
class PackScope {
 public:
  explicit PackScope(bool on);
  ~PackScope();
  PackScope(const PackScope&) = delete;

 private:
  bool outer_;
};

// b packed by `pack` into `bytes`, as the right operand of g (whose n, k, in, b, ldb and tb say
// how); null unless packing is on and b is a whole constant buffer. Metered as weights; lives as
// long as b's buffer. May be called from several threads.
const void* packed_constant(const Tensor& b, const Gemm& g, size_t bytes,
                            void (*pack)(void* out, const Gemm& g));

}  // namespace afina
