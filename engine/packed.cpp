// Packed forms of constant weights, made on first use.
#include "engine/packed.h"

#include <mutex>

#include "engine/gemm_table.h"
#include "engine/isa.h"
#include "engine/loop_settings.h"
#include "engine/on_gpu.h"
#include "engine/primitives.h"

namespace afina {

namespace {

// Stands before a packed form and says what it is a form of: another instruction set, another order
// of bf16's sums, or another view of the buffer, needs its own.
struct alignas(64) Head {
  int64_t n, k;
  int isa, in, sums;
  bool amx;
  bool operator==(const Head&) const = default;
};
std::mutex packing;

bool to_be_packed(const Tensor& b) {
  Buffer* whole = b.buffer();
  return packing_constants() && whole && whole->constant && !b.blocks() &&
         b.data<void>() == whole->data && b.bytes() == whole->bytes;
}

// On Device::shapes: the room of the form that the CPU's matmul would make, or of the panel to
// which a GPU's unpacks blocks.
void hold_packed(const Tensor& b, int64_t n, int64_t k, bool tb) {
  if (b.blocks() && on_gpu(Device::shapes)) {
    PurposeScope purpose(Purpose::workspace);
    Tensor({panel_columns(Device::shapes, b, tb), k}, b.computed(), Device::shapes);
    return;
  }
  if (stood_for() != Device::cpu || !to_be_packed(b)) return;
  std::shared_ptr<Buffer>& form = b.buffer()->packed[tb];
  size_t bytes = sizeof(Head) + gemm_table(isa()).packed_b_bytes(n, k, b.dtype());
  if (form && form->bytes == bytes) return;
  form.reset();
  form = std::make_shared<Buffer>(bytes, Device::shapes, Purpose::weights);
}
void matmul(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool, const Tensor&) {
  hold_packed(b, c.columns(), ta ? a.rows() : a.columns(), tb);
}
void matmul2(Tensor& c, const Tensor& a, const Tensor& b, const Tensor&, const Tensor& b2, bool tb,
             const Tensor&) {
  Tensor beside;  // the columns of b2 that a panel is multiplied with are copied
  if (b.blocks() && on_gpu(Device::shapes) && !tb) {
    PurposeScope purpose(Purpose::workspace);
    const int64_t columns = panel_columns(Device::shapes, b, tb);
    if (columns < b2.columns()) beside = Tensor({b2.rows(), columns}, b2.dtype(), Device::shapes);
  }
  hold_packed(b, c.columns(), a.columns(), tb);
}
REGISTER_KERNEL(matmul, Device::shapes, holds_packed, 0, matmul);
REGISTER_KERNEL(matmul2, Device::shapes, holds_packed, 0, matmul2);

}  // namespace

bool packing_constants() { return loop_settings().packing; }
PackScope::PackScope(bool on) : outer_(loop_settings().packing) { loop_settings().packing = on; }
PackScope::~PackScope() { loop_settings().packing = outer_; }

const void* packed_constant(const Tensor& b, const Gemm& g, size_t bytes,
                            void (*pack)(void* out, const Gemm& g)) {
  if (!to_be_packed(b)) return nullptr;
  Buffer* whole = b.buffer();
  Head head{g.n, g.k, int(isa()), int(g.in), int(bf16_sums()), has_tiles()};
  std::lock_guard lock(packing);
  std::shared_ptr<Buffer>& form = whole->packed[g.tb];
  if (!form || !(*static_cast<Head*>(form->data) == head)) {
    form.reset();
    form = std::make_shared<Buffer>(sizeof(Head) + bytes, Device::cpu, Purpose::weights);
    *static_cast<Head*>(form->data) = head;
    pack(static_cast<char*>(form->data) + sizeof(Head), g);
  }
  return static_cast<char*>(form->data) + sizeof(Head);
}

}  // namespace afina
