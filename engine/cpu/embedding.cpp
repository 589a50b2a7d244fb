// Embedding lookup, and the gradient of its table.
#include "engine/ops/embedding.h"

#include "engine/cpu/blocks.h"
#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

static void embedding(Tensor& y, const Tensor& table, const Tensor& ids) {
  if (table.blocks()) {
    const Unpacking u = unpacking(*table.blocks());
    const int32_t* id = ids.data<int32_t>();
    const int64_t n = table.columns();
    return with_type(y.dtype(), [&](auto* type) {
      if constexpr (!std::is_same_v<AFINA_TYPE(type), double>) {
        auto* out = y.data<AFINA_TYPE(type)>();
        each_row(ids.size(), n,
                 [=](int64_t i) { unpack_part(u, id[i], id[i] + 1, 0, n, out + i * n, n); });
      }
    });
  }
  size_t width = size_t(table.columns()) * size_of(table.dtype());
  char* out = y.data<char>();
  const char* rows = table.data<char>();
  const int32_t* id = ids.data<int32_t>();
  each_row(ids.size(), table.columns(), [=](int64_t i) {
    memcpy(out + size_t(i) * width, rows + size_t(id[i]) * width, width);
  });
}

static void embedding_backward(Tensor& dtable, const Tensor& dy, const Tensor& ids) {
  with_types(dtable.dtype(), dy.dtype(), [&](auto* sum_type, auto* type) {
    auto* sums = dtable.data<AFINA_TYPE(sum_type)>();
    const auto* slope = dy.data<AFINA_TYPE(type)>();
    const int32_t* id = ids.data<int32_t>();
    int64_t n = dtable.columns(), count = ids.size();
    each_stripe(n, count, [=](int64_t from, int64_t width) {
      for (int64_t r = 0; r < count; ++r) {
        auto* to = sums + int64_t(id[r]) * n + from;
        const auto* d = slope + r * n + from;
        columns16(width,
                  [=](int64_t i, int m) { put(to + i, take(to + i, m) + take(d + i, m), m); });
      }
    });
  });
}

REGISTER_CPU(embedding, embedding);
REGISTER_CPU(embedding_backward, embedding_backward);

}  // namespace afina::AFINA_ISA
