// Householder reflections of a matrix in f64, shared by the decompositions of engine/svd.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace afina::householder {

// Numbers are handled in blocks of this many; rows of a matrix are padded to whole blocks.
constexpr int64_t block = 8;
inline int64_t padded(int64_t n) { return (n + block - 1) / block * block; }

// A matrix (m, n) with rows that begin at multiples of `block`; what pads them is zero.
struct Matrix {
  int64_t m, n, stride;
  std::vector<double> all;
  Matrix(int64_t m, int64_t n)
      : m(m), n(n), stride(padded(n)), all(static_cast<std::size_t>(m * stride), 0.) {}
  double* row(int64_t i) { return all.data() + i * stride; }
};

// H = I - tau v vᵀ; v stands at the elements from `from` on.
struct Reflection {
  int64_t from = 0;
  std::vector<double> v;
  double tau = 0.;
};

// The H that maps x to (beta, 0, 0, ...): v begins with 1, beta has the sign opposite to x[0]'s. An
// x of one element, or with zeros behind the first, stays (tau = 0), as LAPACK has it.
Reflection reflection_of(std::vector<double> x, int64_t from, double& beta);

// Column `k` of `a` from row `from` on.
std::vector<double> column_of(Matrix& a, int64_t k, int64_t from);
// tau Aᵀ v over the rows from h.from on and the columns from `first` on: (stride), zeros before the
// block of `first`. Each element is a chain over rows in order.
std::vector<double> projected(Matrix& a, const Reflection& h, int64_t first);

// x becomes hs[0] hs[1] ... x for `block` columns at once, x (rows, block).
void apply(const std::vector<Reflection>& hs, double* x);
// Q (m, count) as rows: hs[0] hs[1] ... of the first `count` columns of the identity, or of `x` in
// their place, which holds whole blocks of columns, (blocks, m, block).
std::vector<double> columns(const std::vector<Reflection>& hs, int64_t m, int64_t count,
                            std::vector<double> x = {});

}  // namespace afina::householder
