// Products with matrices in blocks: panel after panel is unpacked into a workspace and multiplied
// there by the same kernel that multiplies plain matrices.
//
// A panel is so many columns of the product, with all of k: each element is then one sum as ever,
// so the bits are those of unpacking everything first. Unpacking within the product's own loop
// would need no workspace, but each block of the result would unpack again what its neighbours
// below have unpacked, m / 128 times over; a panel is unpacked once, and it is small enough
// (panel_columns) to be read from the second-level cache. For one row, as in generation, it is the
// slower way: the panel is written and read where a product of its own would only read the blocks.
#pragma once
#include "cuda/launch.cuh"
#include "engine/blocks.h"
#include "engine/on_gpu.h"

namespace afina::AFINA_GPU {

// Rows row .. row + rows of a matrix, or those that are listed in ids (i32), and columns column ..
// column + columns of each.
struct PartOfBlocks {
  const int32_t* ids = nullptr;
  int64_t row = 0, rows = 0, column = 0, columns = 0;
};
// to (rows, columns), f32 or bf16, = that part of x in blocks.
void unpack_part(const Tensor& to, const Tensor& x, const PartOfBlocks& part);

// Columns from .. from + count of a product.
struct Columns {
  int64_t from, count;
};

// Calls multiply(panel, columns) for each panel of op(b), which with tb is b's transpose: panel
// holds those columns of op(b), lying as b lies, in the dtype that is computed in. Of a plain b
// there is one, b itself.
template <class Multiply>
void each_panel(const Tensor& b, bool tb, Multiply multiply) {
  const int64_t n = tb ? b.rows() : b.columns(), k = tb ? b.columns() : b.rows();
  if (!b.blocks()) return multiply(b, Columns{0, n});
  PurposeScope purpose(Purpose::workspace);
  const int64_t most = panel_columns(this_device, b, tb);
  const Tensor room({most, k}, b.computed(), this_device);
  for (int64_t from = 0; from < n; from += most) {
    const int64_t count = most < n - from ? most : n - from;
    const Tensor panel = room.slice_rows(0, count).viewed(tb ? Shape{count, k} : Shape{k, count});
    unpack_part(
        panel, b,
        tb ? PartOfBlocks{nullptr, from, count, 0, k} : PartOfBlocks{nullptr, 0, k, from, count});
    multiply(panel, Columns{from, count});
  }
}

}  // namespace afina::AFINA_GPU
