// Low-rank paths beside linear layers (LoRA); those of layers that share x have one first product.
#include "engine/ops/low_rank.h"

#include <algorithm>
#include <functional>

#include "engine/blocks.h"
#include "engine/on_gpu.h"
#include "engine/saved.h"

namespace afina {

namespace {

Tensor scaled(const Tensor& x, double scale) {
  if (scale == 1.) return x;
  Tensor y = like(x);
  kernel::affine(y, x, scale, 0.);
  return y;
}

// A layer whose low-rank path s (rows, r), scaled already, came from x itself or from x after
// dropout (xa). take: what becomes of ds, the gradient of s before it was scaled.
struct LowRank {
  const Tensor &x, &xa, &s, &weight, &bias, &a, &b;
  double scale;
  bool wanted;  // is ds wanted by `take`?
  bool apart;   // does `take` see to the part of dx that goes through a?
  std::function<void(const Tensor& ds)> take;
  std::span<const Tensor* const> inputs;
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
    Tensor ds = scaled(product_of(of_y, b, false), scale);  // (rows, r)
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
  return Tape::record("linear_lora", y, dx || dxa || l.wanted || db || dweight || dbias, backward,
                      l.inputs);
}

}  // namespace

Tensor linear_lora(const Tensor& x, const Tensor& xa, const Tensor& weight, const Tensor& bias,
                   const Tensor& a, const Tensor& b, double scale) {
  check_linear(x, weight);
  check_linear(xa, a);
  Tensor s = scaled(product_of(flat(xa), a, true), scale);
  Gradient da = a.grad();
  const Tensor* const inputs[] = {&x, &xa, &weight, &bias, &a, &b};
  return with_low_rank({x, xa, s, weight, bias, a, b, scale, bool(da), false,
                        [da, kept = da ? Saved(flat(xa)) : Saved()](const Tensor& ds) {
                          add_outer(da, ds, kept.get());
                        },
                        inputs});
}

Tensor linear_lora_of(const Tensor& x, const Tensor& low, int64_t from, const Tensor& weight,
                      const Tensor& bias, const Tensor& a, const Tensor& b, double scale) {
  check_linear(x, weight);
  check_linear(x, a);
  Tensor part({low.rows(), a.rows()}, low.dtype(), low.device());
  kernel::columns(part, low, from);
  Tensor s = scaled(part, scale);
  Gradient dlow = low.grad();
  const Tensor* const inputs[] = {&x, &low, &weight, &bias, &b};
  return with_low_rank({x, x, s, weight, bias, a, b, scale, bool(dlow), on_gpu(x.device()),
                        [dlow, from](const Tensor& ds) {
                          Tensor sum = dlow.sum();
                          kernel::add_columns(sum, ds, from);
                        },
                        inputs});
}

namespace {

// The rows of all of them, one after the other.
Tensor stacked(const std::vector<Tensor>& parts) {
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += part.rows();
  Tensor all({rows, parts[0].columns()}, parts[0].dtype(), parts[0].device());
  rows = 0;
  for (const Tensor& part : parts) {
    require(part.columns() == all.columns() && part.dtype() == all.dtype(),
            "lora_low: ", part.shape().text(), " ", name(part.dtype()), " cannot be stacked on ",
            all.shape().text(), " ", name(all.dtype()));
    all.slice_rows(rows, part.rows()).copy_from(part);
    rows += part.rows();
  }
  return all;
}

// add_outer for each gradient (r, in) with its columns of ds (rows, r1 + r2 + ...): the sums so far
// are stacked, go on together and are taken apart again.
void add_outers(const std::vector<Gradient>& gradients, const Tensor& ds, const Tensor& x) {
  std::vector<Tensor> sums;
  bool all_fresh = true;
  for (const Gradient& gradient : gradients) {
    bool fresh = false;
    sums.push_back(gradient.sum(&fresh));
    if (fresh) sums.back().zero();  // a chain that begins here begins at zero
    all_fresh = all_fresh && fresh;
  }
  Tensor all = stacked(sums);
  product_into(all, ds, x, true, false, !all_fresh, Tensor());
  int64_t rows = 0;
  for (const Tensor& sum : sums) {
    sum.copy_from(all.slice_rows(rows, sum.rows()));
    rows += sum.rows();
  }
}

}  // namespace

Tensor lora_low(const Tensor& x, const std::vector<Tensor>& as) {
  Tensor a = stacked(as);
  require(x.columns() == a.columns(), "lora_low: x ", x.shape().text(), " where A takes ",
          a.columns(), " columns");
  Tensor low({x.rows(), a.rows()}, x.dtype(), x.device());
  product_into(low, flat(x), a, false, true, false, Tensor());
  std::vector<Gradient> gradients;
  for (const Tensor& part : as)
    if (part.needs_grad()) gradients.push_back(part.grad());
  require(gradients.empty() || gradients.size() == as.size(),
          "lora_low: some As are trained and some are not");
  Saved kept = gradients.empty() ? Saved() : Saved(flat(x));
  Gradient dx = on_gpu(x.device()) ? x.grad() : Gradient();
  std::vector<const Tensor*> inputs{&x};
  for (const Tensor& part : as) inputs.push_back(&part);
  return Tape::record(
      "lora_low", low, !gradients.empty() || dx,
      [gradients, kept, dx, a = dx ? a : Tensor(), shape = x.shape()](const Tensor& ds) {
        if (!gradients.empty()) add_outers(gradients, ds, kept.get());
        if (dx) add_product(dx, ds, a, shape);
      },
      inputs);
}

namespace {

Dtype exact_of(const Tensor& t) { return t.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32; }
// <row of a, row of b>, (rows, 1).
Tensor row_products(const Tensor& a, const Tensor& b) {
  Tensor both = like(a), sums({a.rows(), 1}, a.dtype(), a.device());
  kernel::zip(both, a, b, Binary::mul);
  kernel::sum_columns(sums, both);
  return sums;
}
// a bᵀ, exact where a and b are bf16. Of a in blocks some rows at a time are unpacked.
Tensor exact_product(const Tensor& a, const Tensor& b) {
  Tensor c({a.rows(), b.rows()}, exact_of(a), a.device());
  if (!a.blocks()) {
    product_into(c, a, b, false, true, false, Tensor());
    return c;
  }
  for (int64_t row = 0, most = rows_at_a_time(a); row < a.rows(); row += most) {
    const int64_t count = std::min(most, a.rows() - row);
    Tensor part = c.slice_rows(row, count);
    product_into(part, rows_of(a, row, count), b, false, true, false, Tensor());
  }
  return c;
}

}  // namespace

Tensor row_squares(const Tensor& weight) {
  const Tensor w = weight.detached();
  Tensor squares({w.rows(), 1}, exact_of(w), w.device());
  PurposeScope purpose(Purpose::workspace);
  const int64_t most = std::max<int64_t>(1, (1 << 20) / std::max<int64_t>(1, w.columns()));
  for (int64_t row = 0; row < w.rows(); row += most) {
    int64_t count = std::min(most, w.rows() - row);
    Tensor part = rows_of(w, row, count).as(squares.dtype());
    squares.slice_rows(row, count).copy_from(row_products(part, part));
  }
  return squares.viewed({w.rows()});
}

Tensor low_rank_row_norms(const Tensor& weight, const Tensor& squares, const Tensor& a,
                          const Tensor& b, double scale) {
  PurposeScope purpose(Purpose::workspace);
  const Tensor w = weight.detached(), first = a.detached(),
               exact = b.detached().as(squares.dtype());
  Tensor both = row_products(exact_product(w, first), exact),
         low = row_products(product_of(exact, exact_product(first, first), false), exact);
  Tensor sum = squares.copy().viewed({w.rows(), 1}), part = like(sum), norms = like(squares);
  kernel::affine(part, both, 2. * scale, 0.);
  kernel::add_into(sum, part);
  kernel::affine(part, low, scale * scale, 0.);
  kernel::add_into(sum, part);
  kernel::map(norms, sum.viewed({w.rows()}), Scalar::sqrt);
  return norms;
}

}  // namespace afina
