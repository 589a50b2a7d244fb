// The inverse of I + S by Newton's iteration.
#include "engine/ops/inverse.h"

namespace afina {

Tensor identity_like(const Tensor& x, int64_t n) {
  std::vector<float> one(size_t(n * n), 0.f);
  for (int64_t i = 0; i < n; ++i) one[size_t(i * n + i)] = 1.f;
  return Tensor::from(one, {n, n}, x.dtype(), x.device());
}

Tensor inverse_of_identity_plus(const Tensor& skew) {
  const int64_t n = skew.rows();
  require(skew.shape().rank() == 2 && skew.columns() == n,
          "the inverse of I + S needs a square S, ", "found ", skew.shape().text());
  constexpr int steps = 20;
  Tensor x;
  {
    Unrecorded plain;
    const Tensor one = identity_like(skew, n), a = one + skew;
    x = (one - skew) / (sum(skew * skew) + 1.);
    for (int i = 0; i < steps; ++i) x = matmul(x, one * 2. - matmul(a, x));
  }
  return Tape::record("inverse_of_identity_plus", x, {skew},
                      [x = x.detached(), skew_grad = skew.grad()](const Tensor& dx) {
                        skew_grad += matmul(matmul(x, dx, true, false), x, false, true) * -1.;
                      });
}

}  // namespace afina
