// Unpacking whole rows of matrices in blocks.
#include "engine/cpu/blocks.h"

#include "engine/cpu/loops.h"
#include "engine/primitives.h"

namespace afina::AFINA_ISA {

static void unpack(Tensor& to, const Tensor& x, int64_t first) {
  const Unpacking u = unpacking(*x.blocks());
  const int64_t n = x.columns();
  auto rows = [&](auto* type) {
    auto* out = to.data<AFINA_TYPE(type)>();
    each_row(to.rows(), n,
             [=](int64_t r) { unpack_part(u, first + r, first + r + 1, 0, n, out + r * n, n); });
  };
  switch (to.dtype()) {
    case Dtype::f32: return rows((float*)nullptr);
    case Dtype::bf16: return rows((bf16*)nullptr);
    case Dtype::f64:
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype("unpack", to.dtype());
}

REGISTER_CPU(unpack, unpack);

}  // namespace afina::AFINA_ISA
