// The singular value decomposition and the QR decomposition of a matrix, in f64 on the host: the
// same bits on every machine and for any number of threads.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

// A = U diag(s) Vᵀ for A (m, n), k = min(m, n). Rows are the outer extent of all matrices.
struct Svd {
  std::vector<double> s;   // (k): all singular values, falling, none negative
  std::vector<double> u;   // (m, count): left singular vectors as columns
  std::vector<double> vt;  // (count, n): right singular vectors as rows
};
// Which singular vectors are wanted: `count` of them from number `first`, in falling order of the
// singular values. A negative count: all that follow. The values alone: {0, 0}.
struct SingularPart {
  int64_t first = 0, count = -1;
};

// Householder bidiagonalisation, then implicitly shifted QR steps (Golub and Kahan, 1965; Golub and
// Reinsch, 1970). The rotations are recorded and applied to the wanted vectors only, so that a few
// of them cost little. Errors of the values and of A - U diag(s) Vᵀ are a few roundings of the
// largest singular value.
//
// Signs: the element of each u with the largest magnitude (the first of several) is positive.
// Vectors of equal singular values are some orthonormal basis of their space; those of zeros are
// orthonormal too.
//
// a: (m, n), at least one element. name: of the matrix, for messages. An Error for a value that is
// not finite or numbers that do not fit.
Svd svd(const std::vector<double>& a, int64_t m, int64_t n, const std::string& name,
        SingularPart part = {});

// A = Q R with Q (m, count), the first `count` columns of the orthonormal ones, and R (count, n)
// the first rows of the upper triangle; count is at most min(m, n), negative: all. By Householder
// reflections with LAPACK's signs: an element of R's diagonal has the sign opposite to the one that
// it replaces, and the last of a square A stays as it is. Errors as for svd().
struct Qr {
  std::vector<double> q, r;
};
Qr qr(const std::vector<double>& a, int64_t m, int64_t n, const std::string& name,
      int64_t count = -1);

}  // namespace afina
