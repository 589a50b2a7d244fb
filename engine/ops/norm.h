// rmsnorm and layernorm: each row brought to unit size, then scaled by a weight per column; and
// both after a residual addition, in the same pass: norm(x + more).
#pragma once
#include "engine/kept.h"
#include "engine/ops.h"

namespace afina {

namespace kernel {
// x, y: (rows, n); weight (n) and bias (n): f32 (f64 with f64); rstd, mean (rows): f32 (f64).
// Statistics by 16 lanes and a tree.
inline constinit Kernel<void(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight,
                             double eps)>
    rmsnorm{"rmsnorm"};
inline constinit Kernel<void(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x,
                             const Tensor& weight, const Tensor& bias, double eps)>
    layernorm{"layernorm"};
// The same of sum = x + more, rounded to its dtype as the addition alone would.
inline constinit Kernel<void(Tensor& sum, Tensor& y, Tensor& rstd, const Tensor& x,
                             const Tensor& more, const Tensor& weight, double eps)>
    added_rmsnorm{"added_rmsnorm"};
inline constinit Kernel<void(Tensor& sum, Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x,
                             const Tensor& more, const Tensor& weight, const Tensor& bias,
                             double eps)>
    added_layernorm{"added_layernorm"};
// dx is overwritten, or with `add` added to: the gradient that came to x by its residual
// connection, then this part, each rounded to the dtype. dweight and dbias, unless empty, are added
// to: the chain over rows in order, fma(dy, x rstd, sum).
inline constinit Kernel<void(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x,
                             const Tensor& weight, const Tensor& rstd, bool add)>
    rmsnorm_backward{"rmsnorm_backward"};
inline constinit Kernel<void(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy,
                             const Tensor& x, const Tensor& weight, const Tensor& mean,
                             const Tensor& rstd, bool add)>
    layernorm_backward{"layernorm_backward"};
}  // namespace kernel

inline Tensor rmsnorm_definition(const Tensor& x, const Tensor& weight, double eps) {
  return x * rsqrt(sum_columns(square(x)) * (1. / double(x.columns())) + eps) * weight;
}
inline Tensor layernorm_definition(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                   double eps) {
  Tensor centred = x - sum_columns(x) * (1. / double(x.columns()));
  return centred * rsqrt(sum_columns(square(centred)) * (1. / double(x.columns())) + eps) * weight +
         bias;
}

namespace norm_detail {

// What is added to in a backward pass: an empty tensor where no gradient is needed.
inline Tensor sum_of(const Gradient& gradient) { return gradient ? gradient.sum() : Tensor(); }

// run(part, add): adds the gradient of x to what dx holds, in its place; by way of a tensor where
// dx is of another dtype, as a leaf's may be.
template <class Run>
void add_slope(const Gradient& dx, const Tensor& x, Run run) {
  bool fresh = false;
  Tensor sum = dx ? dx.sum(&fresh) : Tensor();
  if (sum && sum.dtype() == x.dtype()) return run(sum, !fresh);
  if (fresh) sum.zero();
  Tensor part = like(x);
  run(part, false);
  if (sum) kernel::add_into(sum, part.viewed(sum.shape()));
}

// y, just made from x by rmsnorm, joins the graph.
inline Tensor recorded(Tensor y, const Tensor& x, const Tensor& weight, Tensor rstd, double eps) {
  y = remade_by(y, [x = Kept(x), weight = weight.detached(), rstd, eps]() mutable {
    Tensor of_x = x.get(), again = like(of_x);
    kernel::rmsnorm(again, rstd, of_x, weight, eps);
    return again;
  });
  return Tape::record("rmsnorm", y, {x, weight},
                      [dx = x.grad(), dweight = weight.grad(), x = Kept(x),
                       weight = weight.detached(), rstd](const Tensor& dy) {
                        Tensor of_x = x.get(), of_weight = sum_of(dweight);
                        add_slope(dx, of_x, [&](Tensor& part, bool add) {
                          kernel::rmsnorm_backward(part, of_weight, dy, of_x, weight, rstd, add);
                        });
                      });
}
inline Tensor recorded(Tensor y, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       Tensor mean, Tensor rstd, double eps) {
  y = remade_by(y, [x = Kept(x), weight = weight.detached(), bias = bias.detached(), mean, rstd,
                    eps]() mutable {
    Tensor of_x = x.get(), again = like(of_x);
    kernel::layernorm(again, mean, rstd, of_x, weight, bias, eps);
    return again;
  });
  return Tape::record("layernorm", y, {x, weight, bias},
                      [dx = x.grad(), dweight = weight.grad(), dbias = bias.grad(), x = Kept(x),
                       weight = weight.detached(), mean, rstd](const Tensor& dy) {
                        Tensor of_x = x.get(), of_weight = sum_of(dweight), of_bias = sum_of(dbias);
                        add_slope(dx, of_x, [&](Tensor& part, bool add) {
                          kernel::layernorm_backward(part, of_weight, of_bias, dy, of_x, weight,
                                                     mean, rstd, add);
                        });
                      });
}

}  // namespace norm_detail

// RMSNorm (Zhang and Sennrich, 2019): y = x / sqrt(mean(x²) + eps) · weight. x (..., n), weight
// (n).
inline Tensor rmsnorm(const Tensor& x, const Tensor& weight, double eps) {
  require(weight.size() == x.columns(), "rmsnorm: a weight of ", weight.size(), " for ",
          x.columns(), " columns");
  if (!kernel::rmsnorm.runs_on(x.device())) return rmsnorm_definition(x, weight, eps);
  Tensor y = like(x), rstd({x.rows()}, weight.dtype(), x.device());
  kernel::rmsnorm(y, rstd, x, weight, eps);
  return norm_detail::recorded(y, x, weight, rstd, eps);
}

// LayerNorm (Ba et al., 2016): y = (x - mean) / sqrt(var + eps) · weight + bias.
inline Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  require(weight.size() == x.columns() && bias.size() == x.columns(),
          "layernorm: weight and bias of ", weight.size(), " and ", bias.size(), " for ",
          x.columns(), " columns");
  if (!kernel::layernorm.runs_on(x.device())) return layernorm_definition(x, weight, bias, eps);
  Tensor y = like(x), mean({x.rows()}, weight.dtype(), x.device()), rstd = like(mean);
  kernel::layernorm(y, mean, rstd, x, weight, bias, eps);
  return norm_detail::recorded(y, x, weight, bias, mean, rstd, eps);
}

// A residual connection and the norm that follows it.
struct Normed {
  Tensor sum, y;  // x + more, and its norm
};

// x + more and rmsnorm of it, bit for bit what the two operations give, with one pass over memory
// less; in the backward pass the norm adds straight to the gradient that the connection brings. x
// and more: of one shape.
inline Normed added_rmsnorm(const Tensor& x, const Tensor& more, const Tensor& weight, double eps) {
  require(weight.size() == x.columns(), "added_rmsnorm: a weight of ", weight.size(), " for ",
          x.columns(), " columns");
  if (!kernel::added_rmsnorm.runs_on(x.device()) || !(x.shape() == more.shape())) {
    Tensor sum = x + more;
    return {sum, rmsnorm(sum, weight, eps)};
  }
  Tensor sum = like(x), y = like(x), rstd({x.rows()}, weight.dtype(), x.device());
  kernel::added_rmsnorm(sum, y, rstd, x, more, weight, eps);
  sum = added(sum, x, more);
  return {sum, norm_detail::recorded(y, sum, weight, rstd, eps)};
}
// The same with layernorm.
inline Normed added_layernorm(const Tensor& x, const Tensor& more, const Tensor& weight,
                              const Tensor& bias, double eps) {
  require(weight.size() == x.columns() && bias.size() == x.columns(),
          "added_layernorm: weight and bias of ", weight.size(), " and ", bias.size(), " for ",
          x.columns(), " columns");
  if (!kernel::added_layernorm.runs_on(x.device()) || !(x.shape() == more.shape())) {
    Tensor sum = x + more;
    return {sum, layernorm(sum, weight, bias, eps)};
  }
  Tensor sum = like(x), y = like(x), mean({x.rows()}, weight.dtype(), x.device()),
         rstd = like(mean);
  kernel::added_layernorm(sum, y, mean, rstd, x, more, weight, bias, eps);
  sum = added(sum, x, more);
  return {sum, norm_detail::recorded(y, sum, weight, bias, mean, rstd, eps)};
}

}  // namespace afina
