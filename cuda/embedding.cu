// Embedding lookup, and the gradient of its table without sorting or atomics: the first occurrence
// of each token sums the rows of all.
#include "engine/ops/embedding.h"

#include "cuda/blocks.cuh"
#include "cuda/elements.cuh"
#include "cuda/rows.cuh"

namespace afina::AFINA_GPU {
namespace {

void embedding(Tensor& y, const Tensor& table, const Tensor& ids) {
  if (table.blocks())
    return unpack_part(y, table, {ids.data<int32_t>(), 0, ids.size(), 0, table.columns()});
  int64_t element = int64_t(size_of(table.dtype())), width = table.columns() * element;
  copy_rows(y.data<void>(), table.data<void>(),
            {nullptr, ids.data<int32_t>(), width, width, width, ids.size()}, size_t(element));
}

// Searches ids `from` .. `to` for `id` with all lanes of a warp, four ids per lane at a time. Calls
// found(index) at the first match, in every lane; returns whether there is one.
template <class Found>
__device__ bool find_id(const int32_t* ids, int64_t from, int64_t to, int32_t id, Found found) {
  constexpr int looks = 4;
  int lane = int(threadIdx.x);
  for (int64_t base = from; base < to; base += looks * warp) {
    bool same[looks], any = false;
#pragma unroll
    for (int k = 0; k < looks; ++k) {
      int64_t i = base + k * warp + lane;
      same[k] = i < to && ids[i] == id;
      any = any || same[k];
    }
    if (!__any_sync(0xffffffffu, any)) continue;
    for (int k = 0; k < looks; ++k)
      if (unsigned lanes = __ballot_sync(0xffffffffu, same[k])) {
        found(base + k * warp + __ffs(int(lanes)) - 1);
        return true;
      }
  }
  return false;
}

// One warp per token finds the next equal token. next (count): its index, -1 for the last one;
// later (count, zeros before): 1 for all but the first. Each element is written by one warp only.
// The ids are few compared with the rows: T² / 256 reads for T tokens, if all differ.
__global__ void chain_kernel(int32_t* next, int32_t* later, const int32_t* ids, int64_t count) {
  int64_t token = my_row();
  if (token >= count) return;
  int32_t after = -1;
  find_id(ids, token + 1, count, ids[token], [&](int64_t at) { after = int32_t(at); });
  if (threadIdx.x != 0) return;
  next[token] = after;
  if (after >= 0) later[after] = 1;
}

// One warp per first occurrence of a token and 256 columns: sums the rows along the chain, in
// order.
template <class S, class T>
__global__ void embedding_backward_kernel(S* dtable, const T* dy, const int32_t* ids,
                                          const int32_t* next, const int32_t* later, int64_t count,
                                          int64_t n, bool whole) {
  constexpr int w = 8;
  int64_t token = my_row(), column = (int64_t(blockIdx.y) * warp + threadIdx.x) * w;
  if (token >= count || column >= n || later[token]) return;
  sum_of<S> sum[w];
  S* row = dtable + int64_t(ids[token]) * n;
  take<w>(sum, row, column, n, whole);
  for (int64_t at = token; at >= 0; at = next[at]) {
    sum_of<T> slope[w];
    take<w>(slope, dy + at * n, column, n, whole);
    for (int j = 0; j < w; ++j) sum[j] += slope[j];
  }
  put<w>(row, sum, column, n, whole);
}

void embedding_backward(Tensor& dtable, const Tensor& dy, const Tensor& ids) {
  PurposeScope purpose(Purpose::workspace);
  int64_t n = dtable.columns(), count = ids.size();
  Tensor next({count}, Dtype::i32, this_device),
      later = Tensor::zeros({count}, Dtype::i32, this_device);
  const dim3 block(warp, 4);
  launch(chain_kernel, unsigned(ceil_div(count, 4)), block, 0, next.data<int32_t>(),
         later.data<int32_t>(), ids.data<int32_t>(), count);
  with_types(dtable.dtype(), dy.dtype(), [&](auto* sum_type, auto* type) {
    using S = pointed<decltype(sum_type)>;
    using T = pointed<decltype(type)>;
    const S* table = dtable.data<S>();
    launch(embedding_backward_kernel<S, T>,
           dim3(unsigned(ceil_div(count, 4)), unsigned(ceil_div(n, 8 * warp))), block, 0,
           dtable.data<S>(), dy.data<T>(), ids.data<int32_t>(), next.data<const int32_t>(),
           later.data<const int32_t>(), count, n, whole(n, 8, table, dy.data<T>()));
  });
}

// One warp per id finds its first occurrence.
__global__ void first_places_kernel(int32_t* places, const int32_t* ids, int64_t from,
                                    int64_t count) {
  int64_t i = my_row();
  if (i >= count) return;
  find_id(ids, 0, from + i + 1, ids[from + i], [&](int64_t at) {
    if (threadIdx.x == 0) places[i] = int32_t(at);
  });
}
void first_places(Tensor& places, const Tensor& ids, int64_t from) {
  int64_t count = places.size();
  launch(first_places_kernel, unsigned(ceil_div(count, 4)), dim3(warp, 4), 0,
         places.data<int32_t>(), ids.data<const int32_t>(), from, count);
}

REGISTER_CUDA(first_places, warp_per_id, 0, first_places);
REGISTER_CUDA(embedding, row_copy, 0, embedding);
REGISTER_CUDA(embedding_backward, first_gathers, 0, embedding_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
