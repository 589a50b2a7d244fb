// Loops over elements, rows and columns, threaded: what every kernel here is written in. Pieces
// only share out work that is independent, so neither their size nor the threads can show in the
// bits.
#pragma once
#include "engine/cpu/register.h"
#include "engine/threads.h"

namespace afina::AFINA_ISA {

// Work below this many elements is not worth waking a thread for.
inline constexpr int64_t piece = 16384;

// The numbers of this folder's own buffers (engine/scratch.h).
enum Scratch : int {
  scratch_sums = 8,
  scratch_query,
  scratch_scores,
  scratch_weights,
  scratch_slopes,
  scratch_slopes_rounded,
  scratch_key_sum,
  scratch_value_sum
};

// body(i, n) for groups of at most 16 of `count` elements.
template <class Body>
AFINA_INLINE void each_element(int64_t count, Body body) {
  parallel_for(count, piece, [=](int64_t begin, int64_t end) {
    columns16(end - begin, [=](int64_t i, int n) { body(begin + i, n); });
  });
}
// body(row) for rows of `cost` elements.
template <class Body>
AFINA_INLINE void each_row(int64_t rows, int64_t cost, Body body) {
  int64_t grain = cost > 0 ? piece / cost : piece;
  parallel_for(rows, grain > 0 ? grain : 1, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}
// body(from, count) for stripes of columns, each of which walks all `rows`: for sums over rows,
// which are chains in their order.
template <class Body>
AFINA_INLINE void each_stripe(int64_t columns, int64_t rows, Body body) {
  int64_t threads = thread_count(), width = (columns + threads - 1) / threads;
  if (rows * columns < piece) width = columns;
  width = (width + 31) / 32 * 32;
  parallel_for((columns + width - 1) / (width ? width : 1), 1, [=](int64_t begin, int64_t end) {
    int64_t from = begin * width, to = end * width < columns ? end * width : columns;
    body(from, to - from);
  });
}

// with_type for a sum and its addend: f32 and bf16 in any pair, f64 with f64; an Error for others.
template <class Body>
AFINA_INLINE void with_types(Dtype a, Dtype b, Body body,
                             const char* kernel = __builtin_FUNCTION()) {
  auto are = [=](Dtype sum, Dtype addend) { return a == sum && b == addend; };
  if (are(Dtype::f64, Dtype::f64)) return body((double*)nullptr, (double*)nullptr);
  if (are(Dtype::f32, Dtype::f32)) return body((float*)nullptr, (float*)nullptr);
  if (are(Dtype::f32, Dtype::bf16)) return body((float*)nullptr, (bf16*)nullptr);
  if (are(Dtype::bf16, Dtype::f32)) return body((bf16*)nullptr, (float*)nullptr);
  if (are(Dtype::bf16, Dtype::bf16)) return body((bf16*)nullptr, (bf16*)nullptr);
  unsupported_dtypes(kernel, a, b);
}

// The element type behind with_type's pointer; a reference in some lambdas, as GCC has it.
#define AFINA_TYPE(pointer) std::remove_pointer_t<std::remove_reference_t<decltype(pointer)>>

// The same with zero in the lanes from n on.
template <class V>
AFINA_INLINE V first_lanes(V x, int n) {
  if (n == lanes) return x;
  alignas(64) std::conditional_t<math::is_double<V>::value, double, float> each[16];
  to_lanes(each, x);
  return load(each, n);
}

AFINA_INLINE void store_one(float* p, float x) { *p = x; }
AFINA_INLINE void store_one(double* p, double x) { *p = x; }
AFINA_INLINE void store_one(bf16* p, float x) { *p = to_bf16(x); }

}  // namespace afina::AFINA_ISA
