// Rows of a table by token, and the table's gradient without sorting and without atomics: the first token of each kind gathers for all.
#include "engine/ops/embedding.h"

#include "cuda/elements.cuh"
#include "cuda/rows.cuh"

namespace afina::AFINA_GPU {
namespace {

void embedding(Tensor& y, const Tensor& table, const Tensor& ids) {
  int64_t element = int64_t(size_of(table.dtype())), width = table.columns() * element;
  copy_rows(y.data<void>(), table.data<void>(), {nullptr, ids.data<int32_t>(), width, width, width, ids.size()}, size_t(element));
}

constexpr int lane_columns = 8, slice = lane_columns * warp;

// A warp for every token and 256 columns. If the same id stands earlier, another warp has it; else the chain over its tokens in order,
// found 32 ids at a look. The ids are few beside the rows: T² / 32 looks for T tokens.
template <class S, class T>
__global__ void embedding_backward_kernel(S* dtable, const T* dy, const int32_t* ids, int64_t count, int64_t n) {
  int64_t token = my_row(), first = int64_t(blockIdx.y) * slice;
  if (token >= count) return;
  int lane = int(threadIdx.x);
  int32_t id = ids[token];
  for (int64_t base = 0; base < token; base += warp)
    if (__any_sync(0xffffffffu, base + lane < token && ids[base + lane] == id)) return;
  sum_of<S> sum[lane_columns];
  S* row = dtable + int64_t(id) * n;
  for (int j = 0; j < lane_columns; ++j) {
    int64_t column = first + j * warp + lane;
    sum[j] = column < n ? load(row + column) : sum_of<S>(0);
  }
  for (int64_t base = token / warp * warp; base < count; base += warp) {
    int64_t other = base + lane;
    unsigned same = __ballot_sync(0xffffffffu, other >= token && other < count && ids[other] == id);
    for (; same; same &= same - 1) {
      const T* slope = dy + (base + __ffs(int(same)) - 1) * n;
      for (int j = 0; j < lane_columns; ++j) {
        int64_t column = first + j * warp + lane;
        if (column < n) sum[j] += load(slope + column);
      }
    }
  }
  for (int j = 0; j < lane_columns; ++j) {
    int64_t column = first + j * warp + lane;
    if (column < n) store(row + column, sum[j]);
  }
}

void embedding_backward(Tensor& dtable, const Tensor& dy, const Tensor& ids) {
  with_types(dtable.dtype(), dy.dtype(), [&](auto* sum_type, auto* type) {
    using S = pointed<decltype(sum_type)>;
    using T = pointed<decltype(type)>;
    int64_t n = dtable.columns(), count = ids.size();
    launch(embedding_backward_kernel<S, T>, dim3(unsigned(ceil_div(count, 4)), unsigned(ceil_div(n, slice))), dim3(warp, 4), 0,
           dtable.data<S>(), dy.data<T>(), ids.data<int32_t>(), count, n);
  });
}

// A warp for every id looks for the first like it, 32 at a time.
__global__ void first_places_kernel(int32_t* places, const int32_t* ids, int64_t from, int64_t count) {
  int64_t i = my_row();
  if (i >= count) return;
  int32_t id = ids[from + i];
  int64_t last = from + i;
  for (int64_t base = 0; base <= last; base += warp) {
    int64_t other = base + threadIdx.x;
    unsigned same = __ballot_sync(0xffffffffu, other <= last && ids[other] == id);
    if (!same) continue;
    if (threadIdx.x == 0) places[i] = int32_t(base + __ffs(int(same)) - 1);
    return;
  }
}
void first_places(Tensor& places, const Tensor& ids, int64_t from) {
  int64_t count = places.size();
  launch(first_places_kernel, unsigned(ceil_div(count, 4)), dim3(warp, 4), 0, places.data<int32_t>(), ids.data<const int32_t>(), from,
         count);
}

REGISTER_CUDA(first_places, warp_per_id, 0, first_places);
REGISTER_CUDA(embedding, row_copy, 0, embedding);
REGISTER_CUDA(embedding_backward, first_gathers, 0, embedding_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
