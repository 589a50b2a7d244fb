// Linear layers, plain and with LoRA's low-rank path.
#include "engine/ops/linear.h"

#include <functional>

#include "engine/on_gpu.h"
#include "engine/saved.h"

namespace afina {

namespace {

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
  require(x.dtype() == weight.dtype(), "linear: x is ", name(x.dtype()), " and the weight ",
          name(weight.dtype()));
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

void add_product(const Gradient& dx, const Tensor& a, const Tensor& b, const Shape& shape) {
  if (!on_gpu(a.device()) || !dx.touched() || dx.value().dtype() != a.dtype())
    return dx += times(a, b, false).viewed(shape);
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
  return Tape::record(
      "linear", y, dx || dweight || dbias,
      [dx, dweight, dbias, kept, weight = weight.detached(), shape = x.shape()](const Tensor& dy) {
        Tensor of_y = flat(dy);
        if (dweight) add_outer(dweight, of_y, kept.get());
        add_bias_gradient(dbias, of_y);
        if (dx) add_product(dx, of_y, weight, shape);
      });
}

namespace {

// A layer whose low-rank path s (rows, r), scaled already, came from x itself or from x after
// dropout (xa). take: what becomes of ds, the gradient of s before it was scaled.
struct LowRank {
  const Tensor &x, &xa, &s, &weight, &bias, &a, &b;
  double scale;
  bool wanted;  // is ds wanted by `take`?
  bool apart;   // does `take` see to the part of dx that goes through a?
  std::function<void(const Tensor& ds)> take;
};

Tensor with_low_rank(const LowRank& l) {
  require(l.b.rows() == l.weight.rows() && l.b.columns() == l.a.rows(), "linear_lora: B ",
          l.b.shape().text(), " does not join A ", l.a.shape().text(), " to W ",
          l.weight.shape().text());
  Tensor y(with_columns(l.x.shape(), l.weight.rows()), l.x.dtype(), l.x.device()), out = flat(y);
  product2_into(out, flat(l.x), l.weight, l.s, l.b, true, l.bias);
  bool same =
      l.x.data<void>() == l.xa.data<void>();  // no dropout: one product gives both parts of dx
  Gradient dx = l.x.grad(), dxa = same ? Gradient() : l.xa.grad(), db = l.b.grad(),
           dweight = l.weight.grad(), dbias = l.bias ? l.bias.grad() : Gradient();
  auto backward = [=, kept = dweight ? Saved(flat(l.x)) : Saved(), s = db ? l.s : Tensor(),
                   weight = l.weight.detached(), a = l.a.detached(), b = l.b.detached(),
                   shape = l.x.shape(), scale = l.scale, wanted = l.wanted, apart = l.apart,
                   take = l.take](const Tensor& dy) {
    Tensor of_y = flat(dy);
    if (db) add_outer(db, of_y, s);
    if (dweight) add_outer(dweight, of_y, kept.get());
    add_bias_gradient(dbias, of_y);
    if (!wanted && !dx && !dxa) return;
    Tensor ds = scaled(times(of_y, b, false), scale);  // (rows, r)
    if (wanted) take(ds);
    if (dxa) add_product(dxa, ds, a, shape);
    if (!dx) return;
    // On a GPU products add to dx, but for one that is new and better made of both parts at once.
    const bool at_once = same && !apart &&
                         (!on_gpu(dy.device()) ||
                          (!dx.touched() && better_joined(weight.columns(), of_y.columns())));
    if (!at_once) {
      add_product(dx, of_y, weight, shape);
      if (same && !apart) add_product(dx, ds, a, shape);
      return;
    }
    Tensor part({of_y.rows(), weight.columns()}, dy.dtype(), dy.device());
    product2_into(part, of_y, weight, ds, a, false, Tensor());
    dx += part.viewed(shape);
  };
  return Tape::record("linear_lora", y, dx || dxa || l.wanted || db || dweight || dbias, backward);
}

}  // namespace

Tensor linear_lora(const Tensor& x, const Tensor& xa, const Tensor& weight, const Tensor& bias,
                   const Tensor& a, const Tensor& b, double scale) {
  check_linear(x, weight);
  check_linear(xa, a);
  Tensor s = scaled(times(flat(xa), a, true), scale);
  Gradient da = a.grad();
  return with_low_rank({x, xa, s, weight, bias, a, b, scale, bool(da), false,
                        [da, kept = da ? Saved(flat(xa)) : Saved()](const Tensor& ds) {
                          add_outer(da, ds, kept.get());
                        }});
}

Tensor linear_lora_of(const Tensor& x, const Tensor& low, int64_t from, const Tensor& weight,
                      const Tensor& bias, const Tensor& a, const Tensor& b, double scale) {
  check_linear(x, weight);
  check_linear(x, a);
  Tensor part({low.rows(), a.rows()}, low.dtype(), low.device());
  kernel::columns(part, low, from);
  Tensor s = scaled(part, scale);
  Gradient dlow = low.grad();
  return with_low_rank({x, x, s, weight, bias, a, b, scale, bool(dlow), on_gpu(x.device()),
                        [dlow, from](const Tensor& ds) {
                          Tensor sum = dlow.sum();
                          kernel::add_columns(sum, ds, from);
                        }});
}

}  // namespace afina
