// Embedding lookup, and the gradient of its table.
#include "engine/ops/embedding.h"

#include "engine/cpu/loops.h"

namespace afina::AFINA_ISA {

static void embedding(Tensor& y, const Tensor& table, const Tensor& ids) {
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
