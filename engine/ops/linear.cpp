// Linear layers.
#include "engine/ops/linear.h"

#include "engine/on_gpu.h"
#include "engine/saved.h"

namespace afina {

Tensor flat(const Tensor& x) { return x.viewed({x.rows(), x.columns()}); }

Shape with_columns(const Shape& shape, int64_t columns) {
  std::vector<int64_t> extents;
  for (int i = 0; i < shape.rank(); ++i)
    extents.push_back(i + 1 < shape.rank() ? shape[i] : columns);
  return Shape(extents);
}
void check_linear(const Tensor& x, const Tensor& weight) {
  require(x.columns() == weight.columns(), "linear: x ", x.shape().text(), " has ", x.columns(),
          " columns, the weight ", weight.shape().text(), " takes ", weight.columns());
  require(x.dtype() == weight.computed(), "linear: x is ", name(x.dtype()), " and the weight ",
          name(weight.computed()));
}
void add_bias_gradient(const Gradient& dbias, const Tensor& dy) {
  if (!dbias) return;
  Tensor sum = dbias.sum();
  kernel::sum_rows(sum, dy);
}
Tensor product_of(const Tensor& a, const Tensor& b, bool tb) {
  Tensor c({a.rows(), tb ? b.rows() : b.columns()}, a.dtype(), a.device());
  product_into(c, a, b, false, tb, false, Tensor());
  return c;
}

void add_product(const Gradient& dx, const Tensor& a, const Tensor& b, const Shape& shape) {
  if (!on_gpu(a.device()) || !dx.touched() || dx.value().dtype() != a.dtype())
    return dx += product_of(a, b, false).viewed(shape);
  Tensor sum = flat(dx.sum());
  product_into(sum, a, b, false, false, true, Tensor());
}

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
  Saved kept = dweight ? Saved(flat(x)) : Saved();
  const Tensor* const seen[] = {&x, &weight, &bias};
  return Tape::record(
      "linear", y, dx || dweight || dbias,
      [dx, dweight, dbias, kept, weight = weight.detached(), shape = x.shape()](const Tensor& dy) {
        Tensor of_y = flat(dy);
        if (dweight) add_outer(dweight, of_y, kept.get());
        add_bias_gradient(dbias, of_y);
        if (dx) add_product(dx, of_y, weight, shape);
      },
      seen);
}

}  // namespace afina
