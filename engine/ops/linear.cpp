// Linear layers, plain and with LoRA's low-rank path.
#include "engine/ops/linear.h"

#include "engine/kept.h"

namespace afina {

namespace {

Tensor flat(const Tensor& x) { return x.viewed({x.rows(), x.columns()}); }

Shape with_columns(const Shape& shape, int64_t columns) {
  std::vector<int64_t> extents;
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(i + 1 < shape.rank() ? shape[i] : columns);
  return Shape(extents);
}
void check_linear(const Tensor& x, const Tensor& weight) {
  require(x.columns() == weight.columns(), "linear: x ", x.shape().text(), " has ", x.columns(), " columns, the weight ",
          weight.shape().text(), " takes ", weight.columns());
  require(x.dtype() == weight.dtype(), "linear: x is ", name(x.dtype()), " and the weight ", name(weight.dtype()));
}
void add_bias_gradient(const Gradient& dbias, const Tensor& dy) {
  if (!dbias) return;
  Tensor sum = dbias.sum();
  kernel::sum_rows(sum, dy);
}
Tensor times(const Tensor& a, const Tensor& b, bool tb) {
  Tensor c({a.rows(), tb ? b.rows() : b.columns()}, a.dtype(), a.device());
  product_into(c, a, b, false, tb, false, Tensor());
  return c;
}
Tensor scaled(const Tensor& x, double scale) {
  if (scale == 1.) return x;
  Tensor y = like(x);
  kernel::affine(y, x, scale, 0.);
  return y;
}

}  // namespace

void add_outer(const Gradient& gradient, const Tensor& dy, const Tensor& x) {
  bool fresh = false;
  Tensor sum = gradient.sum(&fresh);
  product_into(sum, dy, x, true, false, !fresh, Tensor());
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_linear(x, weight);
  Tensor y(with_columns(x.shape(), weight.rows()), x.dtype(), x.device()), out = flat(y);
  product_into(out, flat(x), weight, false, true, false, bias);
  Gradient dx = x.grad(), dweight = weight.grad(), dbias = bias ? bias.grad() : Gradient();
  Kept kept = dweight ? Kept(flat(x)) : Kept();
  return Tape::record("linear", y, dx || dweight || dbias,
                      [dx, dweight, dbias, kept, weight = weight.detached(), shape = x.shape()](const Tensor& dy) {
                        Tensor of_y = flat(dy);
                        if (dweight) add_outer(dweight, of_y, kept.get());
                        add_bias_gradient(dbias, of_y);
                        if (dx) dx += times(of_y, weight, false).viewed(shape);
                      });
}

Tensor linear_lora(const Tensor& x, const Tensor& xa, const Tensor& weight, const Tensor& bias, const Tensor& a, const Tensor& b,
                   double scale) {
  check_linear(x, weight);
  check_linear(xa, a);
  require(b.rows() == weight.rows() && b.columns() == a.rows(), "linear_lora: B ", b.shape().text(), " does not join A ", a.shape().text(),
          " to W ", weight.shape().text());
  Tensor s = scaled(times(flat(xa), a, true), scale);  // (rows, r)
  Tensor y(with_columns(x.shape(), weight.rows()), x.dtype(), x.device()), out = flat(y);
  product2_into(out, flat(x), weight, s, b, true, bias);
  bool same = x.data<void>() == xa.data<void>();  // no dropout: one product gives both parts of dx
  Gradient dx = x.grad(), dxa = same ? Gradient() : xa.grad(), da = a.grad(), db = b.grad(), dweight = weight.grad(),
           dbias = bias ? bias.grad() : Gradient();
  auto backward = [=, xa = da ? Kept(flat(xa)) : Kept(), kept = dweight ? Kept(flat(x)) : Kept(), s = db ? s : Tensor(),
                   weight = weight.detached(), a = a.detached(), b = b.detached(), shape = x.shape()](const Tensor& dy) {
    Tensor of_y = flat(dy);
    if (db) add_outer(db, of_y, s);
    if (dweight) add_outer(dweight, of_y, kept.get());
    add_bias_gradient(dbias, of_y);
    if (!da && !dx && !dxa) return;
    Tensor ds = scaled(times(of_y, b, false), scale);  // (rows, r)
    if (da) add_outer(da, ds, xa.get());
    if (dxa) dxa += times(ds, a, false).viewed(shape);
    if (!dx) return;
    if (!same) return dx += times(of_y, weight, false).viewed(shape);
    Tensor part({of_y.rows(), weight.columns()}, dy.dtype(), dy.device());
    product2_into(part, of_y, weight, ds, a, false, Tensor());
    dx += part.viewed(shape);
  };
  return Tape::record("linear_lora", y, dx || dxa || da || db || dweight || dbias, backward);
}

}  // namespace afina
