// Elements of tensors in kernels: loads them in the type of the computation, several at a time, for
// every dtype.
#pragma once
#include <type_traits>

#include "cuda/bf16_pairs.cuh"
#include "engine/tensor.h"

namespace afina::AFINA_GPU {

// The type that T is computed in: bf16 is computed in f32.
template <class T>
struct compute;
template <>
struct compute<float> {
  using S = float;
};
template <>
struct compute<bf16> {
  using S = float;
};
template <>
struct compute<double> {
  using S = double;
};
template <class T>
using sum_of = typename compute<T>::S;

__device__ inline float load(const float* p) { return *p; }
__device__ inline double load(const double* p) { return *p; }
__device__ inline float load(const bf16* p) { return to_float(*p); }
__device__ inline float load(const int32_t* p) { return float(*p); }
__device__ inline float widen(float v) { return v; }
__device__ inline double widen(double v) { return v; }
__device__ inline float widen(bf16 v) { return to_float(v); }
__device__ inline void store(float* p, float v) { *p = v; }
__device__ inline void store(double* p, double v) { *p = v; }
__device__ inline void store(bf16* p, float v) { *p = bf16{uint16_t(pack_bf16(flushed(v), 0.f))}; }

// v rounded to T and back.
template <class T>
__device__ sum_of<T> rounded(sum_of<T> v) {
  if constexpr (std::is_same_v<T, bf16>) return low_bf16(pack_bf16(flushed(v), 0.f));
  else return v;
}

// n elements that one or two instructions load or store.
template <class T, int n>
struct __align__(n * sizeof(T) < 16 ? n * sizeof(T) : 16) Pack {
  T v[n];
};
template <int n>
requires(n % 2 == 0) struct __align__(n * 2 < 16 ? n * 2 : 16) Pack<bf16, n> {
  unsigned pairs[n / 2];
};
template <class T, int n>
__device__ void unpack(sum_of<T> (&v)[n], const Pack<T, n>& from) {
  if constexpr (std::is_same_v<T, bf16> && n % 2 == 0)
    for (int j = 0; j < n / 2; ++j) {
      v[2 * j] = low_bf16(from.pairs[j]);
      v[2 * j + 1] = high_bf16(from.pairs[j]);
    }
  else
    for (int j = 0; j < n; ++j) v[j] = widen(from.v[j]);
}
template <class T, int n>
__device__ void pack(Pack<T, n>& to, const sum_of<T> (&v)[n]) {
  if constexpr (std::is_same_v<T, bf16> && n % 2 == 0)
    for (int j = 0; j < n / 2; ++j)
      to.pairs[j] = pack_bf16(flushed(v[2 * j]), flushed(v[2 * j + 1]));
  else
    for (int j = 0; j < n; ++j) store(&to.v[j], v[j]);
}

// Elements i .. i + w of the n at p. `whole`: n is a multiple of w and the memory is aligned (see
// whole() below); otherwise elements past the end are zero.
template <int w, class T>
__device__ void take(sum_of<T> (&v)[w], const T* p, int64_t i, int64_t n, bool whole) {
  if (whole) {
    unpack(v, *reinterpret_cast<const Pack<T, w>*>(p + i));
  } else {
    for (int j = 0; j < w; ++j) v[j] = i + j < n ? load(p + i + j) : sum_of<T>(0);
  }
}
template <int w, class T>
__device__ void put(T* p, const sum_of<T> (&v)[w], int64_t i, int64_t n, bool whole) {
  if (whole) {
    Pack<T, w> packed;
    pack(packed, v);
    *reinterpret_cast<Pack<T, w>*>(p + i) = packed;
  } else {
    for (int j = 0; j < w; ++j)
      if (i + j < n) store(p + i + j, v[j]);
  }
}

// Number of elements of the wider of two types in 16 bytes.
template <class T, class U = T>
inline constexpr int width_of = 16 / int(sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U));

// Whether n elements at these addresses can be moved w at a time.
template <class... T>
bool whole(int64_t n, int w, const T*... p) {
  return n % w == 0 &&
         ((reinterpret_cast<uintptr_t>(p) % (w * sizeof(T) < 16 ? w * sizeof(T) : 16) == 0) && ...);
}

// What P points to. P may be a reference: in a lambda within with_type's body, GCC takes
// decltype(t) for one.
template <class P>
using pointed = std::remove_pointer_t<std::remove_reference_t<P>>;

// Calls body with a null pointer of the element type: with_type(x.dtype(), [&](auto* t) { using T =
// pointed<decltype(t)>; ... }).
template <class Body>
void with_type(Dtype dtype, Body body, const char* kernel = __builtin_FUNCTION()) {
  switch (dtype) {
    case Dtype::f32: return body((float*)nullptr);
    case Dtype::bf16: return body((bf16*)nullptr);
    case Dtype::f64: return body((double*)nullptr);
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype(kernel, dtype);
}
// The same for a sum and its summand: f64 goes with f64, f32 and bf16 with each other.
template <class Body>
void with_types(Dtype a, Dtype b, Body body, const char* kernel = __builtin_FUNCTION()) {
  auto are = [=](Dtype sum, Dtype addend) { return a == sum && b == addend; };
  if (are(Dtype::f64, Dtype::f64)) return body((double*)nullptr, (double*)nullptr);
  if (are(Dtype::f32, Dtype::f32)) return body((float*)nullptr, (float*)nullptr);
  if (are(Dtype::f32, Dtype::bf16)) return body((float*)nullptr, (bf16*)nullptr);
  if (are(Dtype::bf16, Dtype::f32)) return body((bf16*)nullptr, (float*)nullptr);
  if (are(Dtype::bf16, Dtype::bf16)) return body((bf16*)nullptr, (bf16*)nullptr);
  unsupported_dtypes(kernel, a, b);
}

// A grid for n elements, w per thread.
inline constexpr int element_threads = 256;
inline dim3 grid_of(int64_t n, int w) {
  return dim3(unsigned(ceil_div(n, int64_t(element_threads) * w)));
}
// This thread's first element in that grid.
template <int w>
__device__ int64_t my_elements() {
  return (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) * w;
}

// Blocks that work row by row (block.cuh): one warp per row, or eight for long rows.
inline dim3 row_block(int64_t columns) { return columns <= 1024 ? dim3(32, 4) : dim3(256, 1); }
inline dim3 row_grid(int64_t rows, int64_t columns) {
  return dim3(unsigned(ceil_div(rows, row_block(columns).y)));
}
__device__ inline int64_t my_row() { return int64_t(blockIdx.x) * blockDim.y + threadIdx.y; }

}  // namespace afina::AFINA_GPU
