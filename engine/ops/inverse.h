// inverse_of_identity_plus: of small matrices, by products alone, so that it runs on every device.
#pragma once
#include "engine/ops.h"

namespace afina {

// The inverse of I + S for a skew-symmetric S (n, n) in f32 or f64. It always exists, as the
// eigenvalues of I + S are 1 + i t. Newton's iteration X <- X (2 I - (I + S) X) (Ben-Israel and
// Cohen, 1966) from X = (I - S) / (1 + c), where c is the sum of the squares of S: the error
// E = I - (I + S) X begins with eigenvalues (c - t²) / (1 + c), all of them in [0, c / (1 + c)],
// and squares in every step. Twenty steps bring it below rounding for c up to 40,000, which is far
// beyond what training reaches; the number is fixed so that the work follows from shapes alone.
// The gradient is that of an inverse: dS = -Xᵀ dX Xᵀ.
Tensor inverse_of_identity_plus(const Tensor& skew);
// I (n, n) of x's dtype and device.
Tensor identity_like(const Tensor& x, int64_t n);

}  // namespace afina
