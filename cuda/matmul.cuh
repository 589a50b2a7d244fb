// Shared by the matmul variants: the operands of a product, how to address an element, and the
// order of k that gives the CPU's bits.
#pragma once
#include "cuda/blocks.cuh"
#include "cuda/elements.cuh"

namespace afina::AFINA_GPU {

// A (m, k), stored as (k, m) if ta, times B (k, n), stored as (n, k) if tb.
template <class T>
struct Factors {
  const T *a = nullptr, *b = nullptr;
  int64_t lda = 0, ldb = 0;
  int k = 0;
  bool ta = false, tb = false;
  __device__ int64_t a_at(int64_t row, int64_t p) const {
    return ta ? p * lda + row : row * lda + p;
  }
  __device__ int64_t b_at(int64_t p, int64_t column) const {
    return tb ? column * ldb + p : p * ldb + column;
  }
};

// C (m, n) = [C +] first [+ second] [+ bias], ldc elements from row to row. second.k == 0: there is
// no second product.
template <class T, class Out>
struct Product {
  Factors<T> first, second;
  Out* c;
  const sum_of<T>* bias;
  int64_t m, n, ldc;
  bool accumulate;

  __device__ sum_of<T> start(int64_t row, int64_t column) const {
    return accumulate ? sum_of<T>(load(c + row * ldc + column)) : sum_of<T>(0);
  }
  __device__ void finish(int64_t row, int64_t column, sum_of<T> sum) const {
    store(c + row * ldc + column, bias ? sum + bias[column] : sum);
  }
};

// The order of a chain: k ascending, but bf16 in pairs with the odd one first (docs/numerics.md).
// Returns the index of step i of an even stretch.
template <class T>
__device__ constexpr int chain(int i) {
  return std::is_same_v<T, bf16> ? i ^ 1 : i;
}

template <class T>
Factors<T> factors_of(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  return {a.data<T>(), b.data<T>(), a.columns(), b.columns(), int(ta ? a.rows() : a.columns()),
          ta,          tb};
}

// Calls body with the product in each supported combination of dtypes: those of a and b, and c as
// f32 or in their dtype; for each panel where b is in blocks.
template <class Body>
void with_product(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
                  bool ta, bool tb, bool accumulate, const Tensor& bias, Body body) {
  auto go = [&](auto* type, auto* out_type) {
    using T = pointed<decltype(type)>;
    using Out = pointed<decltype(out_type)>;
    each_panel(b, tb, [&](const Tensor& panel, Columns at) {
      Product<T, Out> p{};
      p.first = factors_of<T>(a, panel, ta, tb);
      if (a2) {
        p.second = factors_of<T>(a2, b2, false, tb);
        p.second.b += p.second.b_at(0, at.from);
      }
      p.c = c.data<Out>() + at.from;
      p.bias = bias ? bias.data<sum_of<T>>() + at.from : nullptr;
      p.m = c.rows();
      p.n = at.count;
      p.ldc = c.columns();
      p.accumulate = accumulate;
      body(p);
    });
  };
  auto are = [&](Dtype in, Dtype out) { return a.dtype() == in && c.dtype() == out; };
  if (are(Dtype::f64, Dtype::f64)) go((double*)nullptr, (double*)nullptr);
  else if (are(Dtype::f32, Dtype::f32)) go((float*)nullptr, (float*)nullptr);
  else if (are(Dtype::bf16, Dtype::f32)) go((bf16*)nullptr, (float*)nullptr);
  else if (are(Dtype::bf16, Dtype::bf16)) go((bf16*)nullptr, (bf16*)nullptr);
  else unsupported_dtypes("matmul", a.dtype(), c.dtype());
}

}  // namespace afina::AFINA_GPU
