// Cases of the inverse of I + S: a small S and one whose norm is far above 1.
#include "engine/ops/inverse.h"

#include "engine/dtype.h"
#include "engine/ops/arrange.h"

#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

// x - xᵀ, which is skew-symmetric whatever x is.
Tensor skew(const Tensor& x) { return x - matmul(x, identity_like(x, x.rows()), true); }
// The product with what it is the inverse of gives I, so that the other factor is tested.
Tensor turned(const Tensor& x, double by) {
  Tensor s = skew(x) * by;
  return matmul(identity_like(s, s.rows()) - s, inverse_of_identity_plus(s));
}

[[maybe_unused]] const bool added = add_op_cases({
    {.name = "inverse of I + S",
     .inputs = {{6, 6}},
     .run = [](In x) { return turned(in_dtype(x[0], statistic_dtype(x[0].dtype())), 1.); }},
    {.name = "inverse of I + S, large S",
     .inputs = {{5, 5}},
     .run = [](In x) { return turned(in_dtype(x[0], statistic_dtype(x[0].dtype())), 20.); },
     .slope_tolerance = 1e-6,
     .tolerance = 1e-4},
});

}  // namespace
}  // namespace afina
