// Multi-threaded loops over elements, rows and columns, used by every kernel in this folder. They
// only divide independent work, so neither the size of the pieces nor the number of threads affects
// the bits.
#pragma once
#include "engine/cpu/register.h"
#include "engine/threads.h"

namespace afina::AFINA_ISA {

// Fewer elements than this are not worth waking a thread.
inline constexpr int64_t piece = 16384;

// Numbers of this folder's scratch buffers (engine/scratch.h).
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

// Calls body(i, n) for groups of n <= 16 of `count` elements.
template <class Body>
AFINA_INLINE void each_element(int64_t count, Body body) {
  parallel_for(count, piece, [=](int64_t begin, int64_t end) {
    columns16(end - begin, [=](int64_t i, int n) { body(begin + i, n); });
  });
}
// Calls body(row) for rows of `cost` elements.
template <class Body>
AFINA_INLINE void each_row(int64_t rows, int64_t cost, Body body) {
  int64_t grain = cost > 0 ? piece / cost : piece;
  parallel_for(rows, grain > 0 ? grain : 1, [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) body(row);
  });
}
// Calls body(from, count) for stripes of columns, each of which visits all `rows` in order: for
// sums over rows.
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

// with_type for a sum and its summand: f64 goes with f64, f32 and bf16 with each other.
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
