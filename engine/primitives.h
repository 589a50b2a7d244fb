// The contract of a device: these few kernels make every operation run on it. Each takes f32, bf16
// or f64 tensors of one dtype unless it says otherwise; bf16 is computed in f32 and rounded once at
// the end.
#pragma once
#include "engine/kernel.h"
#include "engine/scalar.h"

namespace afina {

enum class Binary : uint8_t { add, sub, mul, div };

namespace kernel {
// y = f(x), element by element.
inline constinit Kernel<void(Tensor& y, const Tensor& x, Scalar f)> map{"map"};
// dx = f'(x) dy, given y = f(x).
inline constinit Kernel<void(Tensor& dx, const Tensor& dy, const Tensor& x, const Tensor& y,
                             Scalar f)>
    map_backward{"map_backward"};
// c = a f b; b is shaped as a (rows, n), or is one row (n), one column (rows, 1) or one number.
inline constinit Kernel<void(Tensor& c, const Tensor& a, const Tensor& b, Binary f)> zip{"zip"};
// y = scale x + offset.
inline constinit Kernel<void(Tensor& y, const Tensor& x, double scale, double offset)> affine{
    "affine"};
// sum += x; sum may be f32 where x is bf16.
inline constinit Kernel<void(Tensor& sum, const Tensor& x)> add_into{"add_into"};
// to = x, any floating dtype to any other.
inline constinit Kernel<void(Tensor& to, const Tensor& x)> cast{"cast"};
// (rows, n) -> (rows, 1), by 16 interleaved lanes and a tree.
inline constinit Kernel<void(Tensor& y, const Tensor& x)> sum_columns{"sum_columns"};
// y (n) += the sum of the rows of x (rows, n), the chain over rows in order; y may be f32 where x
// is bf16.
inline constinit Kernel<void(Tensor& y, const Tensor& x)> sum_rows{"sum_rows"};
// c = [c +] op(a) op(b) [+ bias]: see engine/cpu/gemm.h for the bits. c may be f32 where a and b
// are bf16. An empty bias is none.
inline constinit Kernel<void(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb,
                             bool accumulate, const Tensor& bias)>
    matmul{"matmul"};
// c = a bᵀ + a2 b2ᵀ + bias when tb, else a b + a2 b2: one chain over k, then over k2 (the
// K-augmentation of LoRA).
inline constinit Kernel<void(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2,
                             const Tensor& b2, bool tb, const Tensor& bias)>
    matmul2{"matmul2"};
// y (rows, count) = columns from .. from + count of x (rows, n); and its reverse, y[:, from ..] +=
// part.
inline constinit Kernel<void(Tensor& y, const Tensor& x, int64_t from)> columns{"columns"};
inline constinit Kernel<void(Tensor& y, const Tensor& part, int64_t from)> add_columns{
    "add_columns"};
}  // namespace kernel

}  // namespace afina
