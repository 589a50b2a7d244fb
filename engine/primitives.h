// The contract of a device: with these few kernels every operation runs on it.
//
// Conventions of all kernel slots. Shapes are in parentheses; results come first and are allocated
// by the caller. Unless a comment says otherwise, a slot takes tensors of one dtype, f32, bf16 or
// f64, and throws an Error for others; bf16 is computed in f32 and rounded once, at the end.
// "Statistic dtype" is f32, or f64 when the operation runs in f64 (statistic_dtype in
// engine/dtype.h): that of statistics, sums, losses, tables and master weights. "Lanes", "tree" and
// "chain" are the fixed orders of summation in docs/numerics.md.
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
// c (rows, n) = a (rows, n) f b, where b has a's shape or is broadcast: one row (n), one column
// (rows, 1) or one number (1).
inline constinit Kernel<void(Tensor& c, const Tensor& a, const Tensor& b, Binary f)> zip{"zip"};
// y = scale x + offset, element by element.
inline constinit Kernel<void(Tensor& y, const Tensor& x, double scale, double offset)> affine{
    "affine"};
// sum += x, element by element; the dtypes may be f32 and bf16.
inline constinit Kernel<void(Tensor& sum, const Tensor& x)> add_into{"add_into"};
// to (count, columns) = rows first .. first + count of x in blocks (rows, columns), unpacked
// (engine/blocks.h): f32, or bf16, to which the f32 values are rounded.
inline constinit Kernel<void(Tensor& to, const Tensor& x, int64_t first)> unpack{"unpack"};
// to = x, from any of f32, bf16 and f64 to any other.
inline constinit Kernel<void(Tensor& to, const Tensor& x)> cast{"cast"};
// y (rows, 1) = the sum of each row of x (rows, n), by 16 interleaved lanes and a tree.
inline constinit Kernel<void(Tensor& y, const Tensor& x)> sum_columns{"sum_columns"};
// y (n) += the sum over the rows of x (rows, n), as a chain in the order of rows; y may be f32
// where x is bf16.
inline constinit Kernel<void(Tensor& y, const Tensor& x)> sum_rows{"sum_rows"};
// c (m, n) = [c +] op(a) op(b) [+ bias (n)]. op(a) is (m, k): a, or its transpose with ta; op(b) is
// (k, n): b, or its transpose with tb. c may be f32 where a and b are bf16; on the CPU, accumulate
// needs a c of statistic dtype. bias has statistic dtype; an empty one is none. Order of sums:
// engine/cpu/gemm.h.
inline constinit Kernel<void(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb,
                             bool accumulate, const Tensor& bias)>
    matmul{"matmul"};
// c = a bᵀ + a2 b2ᵀ + bias with tb, else a b + a2 b2 [+ bias]: one chain over k, then over k2, for
// LoRA's low-rank path. Dtypes as in matmul.
inline constinit Kernel<void(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2,
                             const Tensor& b2, bool tb, const Tensor& bias)>
    matmul2{"matmul2"};
// y (rows, count) = columns from .. from + count of x (rows, n); and, as its gradient,
// y[:, from .. from + count] += part (rows, count), where the dtypes may be f32 and bf16.
inline constinit Kernel<void(Tensor& y, const Tensor& x, int64_t from)> columns{"columns"};
inline constinit Kernel<void(Tensor& y, const Tensor& part, int64_t from)> add_columns{
    "add_columns"};
}  // namespace kernel

}  // namespace afina
