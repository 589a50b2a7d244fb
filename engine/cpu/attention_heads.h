// Shared by both directions of attention on the CPU: the tensors of a call as element pointers, and
// single-threaded products.
#pragma once
#include "engine/cpu/gemm.h"
#include "engine/cpu/loops.h"
#include "engine/ops/attention.h"
#include "engine/scratch.h"

namespace afina::AFINA_ISA {

// The tensors of a call as element pointers, with their sizes.
template <class T>
struct Heads {
  using S = sum_of<T>;
  const T *q, *k, *v;
  const S* lse = nullptr;
  const int32_t* starts;
  int64_t T_, S_, heads, kv_heads, dim, group;
  S scale, cap;    // cap 0: none
  int64_t window;  // 0: none
  Dtype in = dtype_of<T>::value, sums = dtype_of<S>::value;
  AFINA_INLINE Heads(const Tensor& query, const Tensor& key, const Tensor& value,
                     const Tensor& first, AttentionForm form)
      : q(query.data<T>()),
        k(key.data<T>()),
        v(value.data<T>()),
        starts(first.data<int32_t>()),
        T_(query.shape()[1]),
        S_(key.shape()[1]),
        heads(query.shape()[2]),
        kv_heads(key.shape()[2]),
        dim(query.columns()),
        group(heads / kv_heads),
        scale(S(form.scale)),
        cap(S(form.cap)),
        window(form.window) {}
  // Element offset of query t of head h, or of key s of its head.
  AFINA_INLINE int64_t query(int64_t b, int64_t t, int64_t h) const {
    return ((b * T_ + t) * heads + h) * dim;
  }
  AFINA_INLINE int64_t key(int64_t b, int64_t s, int64_t h) const {
    return ((b * S_ + s) * kv_heads + h) * dim;
  }
  AFINA_INLINE int64_t position(int64_t t) const { return S_ - T_ + t; }
  AFINA_INLINE int64_t start(int64_t b, int64_t t) const { return starts[b * T_ + t]; }
  // The first key that query t sees.
  AFINA_INLINE int64_t first(int64_t b, int64_t t) const {
    int64_t from = start(b, t), least = position(t) - window + 1;
    return window && least > from ? least : from;
  }
  // The first key that a block of queries from t on reads: a whole number of pairs and of tiles'
  // blocks (32) after the document's start, so that the bits do not depend on where blocks begin.
  AFINA_INLINE int64_t first_of_block(int64_t b, int64_t t) const {
    return start(b, t) + (first(b, t) - start(b, t)) / 32 * 32;
  }
  // Space for a row of scores over `width` keys: groups of 16 may begin at any of them.
  AFINA_INLINE int64_t row_space(int64_t width) const {
    return (width + lanes - 1) / lanes * lanes + (window ? lanes : 0);
  }
  // End (at most `limit`) of the run of queries from t on that start at the same first key.
  AFINA_INLINE int64_t run_end(int64_t b, int64_t t, int64_t limit) const {
    int64_t end = t + 1;
    while (end < limit && start(b, end) == start(b, t)) ++end;
    return end;
  }
};

// s = cap · tanh(scale s / cap), for the first n elements: the capped scores.
template <class S>
AFINA_INLINE void cap_scores(S* s, int64_t n, S scale, S cap) {
  using V = vector_of<S>;
  V by = scale / cap, most = cap;
  columns16(n, [=](int64_t i, int m) { put(s + i, most * math::tanh(take(s + i, m) * by), m); });
}

// A product on this thread: C (m, n) = [C +] A · B.
template <class T>
AFINA_INLINE Gemm small_product(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, bool ta,
                                const T* b, int64_t ldb, bool tb, void* c, int64_t ldc, Dtype out,
                                bool accumulate) {
  Gemm g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a;
  g.b = b;
  g.c = c;
  g.lda = lda;
  g.ldb = ldb;
  g.ldc = ldc;
  g.ta = ta;
  g.tb = tb;
  g.in = dtype_of<T>::value;
  g.out = out;
  g.accumulate = accumulate;
  g.one_thread = true;
  return g;
}

}  // namespace afina::AFINA_ISA
