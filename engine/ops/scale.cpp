// scale_columns by the primitives of a device: no kernel of its own.
#include "engine/ops/scale.h"

namespace afina {

namespace {

Tensor zipped(const Tensor& a, const Tensor& b, Binary f) {
  Tensor c = like(a);
  kernel::zip(c, a, b, f);
  return c;
}

// x (rows, n) in any dtype, factor and bias (n) -> x's dtype.
Tensor scaled(const Tensor& x, const Tensor& factor, const Tensor& bias) {
  Tensor y = zipped(x.as(factor.dtype()), factor, Binary::mul);
  if (bias) y = zipped(y, bias, Binary::add);
  return y.as(x.dtype());
}

}  // namespace

Tensor scale_columns(const Tensor& x, const Tensor& v, const Tensor& over, const Tensor& bias) {
  const int64_t n = x.columns();
  require(v.size() == n && (!over || over.size() == n) && (!bias || bias.size() == n),
          "scale_columns: x ", x.shape().text(), " has ", n, " columns, v has ", v.size(),
          " numbers, over ", over ? over.size() : n, " and bias ", bias ? bias.size() : n);
  Tensor divisor = over ? over.viewed({n}) : Tensor(),
         constant = bias ? bias.viewed({n}) : Tensor(),
         factor = over ? zipped(v.viewed({n}), divisor, Binary::div) : v.viewed({n});
  Tensor y = scaled(flat(x), factor, constant).viewed(x.shape());
  y = with_recipe(y, [x = Saved(x), factor, constant] {
    Tensor values = x.get();
    return scaled(flat(values), factor, constant).viewed(values.shape());
  });
  Gradient dx = x.grad(), dv = v.grad(), dbias = bias ? bias.grad() : Gradient();
  return Tape::record(
      "scale_columns", y, dx || dv || dbias,
      [dx, dv, dbias, x = dv ? Saved(x) : Saved(), factor, divisor](const Tensor& dy) {
        add_bias_gradient(dbias, flat(dy));
        Tensor exact = flat(dy).as(factor.dtype());
        if (dv) {
          Tensor part = zipped(exact, flat(x.get()).as(factor.dtype()), Binary::mul);
          if (divisor) part = zipped(part, divisor, Binary::div);
          Tensor sum = dv.sum().viewed({factor.size()});
          kernel::sum_rows(sum, part);
        }
        if (dx) dx += scaled(flat(dy), factor, Tensor()).viewed(dy.shape());
      });
}

}  // namespace afina
