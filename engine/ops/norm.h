// rmsnorm and layernorm: each row normalised, then scaled by a weight per column; and both fused
// with the residual addition before them: norm(x + residual).
#pragma once
#include "engine/ops.h"
#include "engine/saved.h"

namespace afina {

namespace kernel {
// x, y: (rows, n); weight, bias: (n); mean, rstd (1 / standard deviation): (rows). All but x and y
// have statistic dtype. The sums over a row are 16 lanes and a tree.
inline constinit Kernel<void(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight,
                             double eps)>
    rmsnorm{"rmsnorm"};
inline constinit Kernel<void(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x,
                             const Tensor& weight, const Tensor& bias, double eps)>
    layernorm{"layernorm"};
// The same for sum = x + residual, which is also written, rounded to its dtype as by an addition
// alone.
inline constinit Kernel<void(Tensor& sum, Tensor& y, Tensor& rstd, const Tensor& x,
                             const Tensor& residual, const Tensor& weight, double eps)>
    added_rmsnorm{"added_rmsnorm"};
inline constinit Kernel<void(Tensor& sum, Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x,
                             const Tensor& residual, const Tensor& weight, const Tensor& bias,
                             double eps)>
    added_layernorm{"added_layernorm"};
// dx is overwritten or, with `add`, added to: it then holds the gradient that reached x through its
// residual connection, and each of the two parts is rounded to dx's dtype. dweight and dbias are
// added to unless empty, as a chain over rows in order: fma(dy, x rstd, dweight).
inline constinit Kernel<void(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x,
                             const Tensor& weight, const Tensor& rstd, bool add)>
    rmsnorm_backward{"rmsnorm_backward"};
inline constinit Kernel<void(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy,
                             const Tensor& x, const Tensor& weight, const Tensor& mean,
                             const Tensor& rstd, bool add)>
    layernorm_backward{"layernorm_backward"};
}  // namespace kernel

// What the kernels compute, in primitives. plus: the weight is stored less this number (Gemma: 1).
inline Tensor rmsnorm_definition(const Tensor& x, const Tensor& weight, double eps,
                                 double plus = 0.) {
  return x * rsqrt(sum_columns(square(x)) * (1. / double(x.columns())) + eps) *
         (plus != 0. ? weight + plus : weight);
}
inline Tensor layernorm_definition(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                   double eps) {
  Tensor centred = x - sum_columns(x) * (1. / double(x.columns()));
  return centred * rsqrt(sum_columns(square(centred)) * (1. / double(x.columns())) + eps) * weight +
         bias;
}

namespace norm_detail {

// The gradient itself, for a kernel to add to; an empty tensor where none is needed.
inline Tensor sum_of(const Gradient& gradient) { return gradient ? gradient.sum() : Tensor(); }

// Accumulates x's gradient into x_grad: run(dx, add) writes dx, or adds to it. If the gradient has
// another dtype than x (a leaf's is f32), it goes through a temporary.
template <class Run>
void accumulate(const Gradient& x_grad, const Tensor& x, Run run) {
  bool fresh = false;
  Tensor sum = x_grad ? x_grad.sum(&fresh) : Tensor();
  if (sum && sum.dtype() == x.dtype()) return run(sum, !fresh);
  if (fresh) sum.zero();
  Tensor dx = like(x);
  run(dx, false);
  if (sum) kernel::add_into(sum, dx.viewed(sum.shape()));
}

// The factor of each column. It is made anew each time, so that gradients reach the weight's own
// sum without a sum of their own between.
inline Tensor gain(const Tensor& weight, double plus) {
  if (plus == 0.) return weight.detached();
  Tensor all = like(weight.detached());
  kernel::affine(all, weight.detached(), 1., plus);
  return all;
}

// Records y, which a kernel has just computed as rmsnorm of x, with the statistics that it left.
inline Tensor recorded(Tensor y, const Tensor& x, const Tensor& weight, const Tensor& gain,
                       Tensor rstd, double eps) {
  y = with_recipe(y, [saved_x = Saved(x), gain, rstd, eps]() mutable {
    Tensor x = saved_x.get(), y = like(x);
    kernel::rmsnorm(y, rstd, x, gain, eps);
    return y;
  });
  return Tape::record("rmsnorm", y, {x, weight},
                      [x_grad = x.grad(), weight_grad = weight.grad(), saved_x = Saved(x), gain,
                       rstd](const Tensor& dy) {
                        Tensor x = saved_x.get(), dweight = sum_of(weight_grad);
                        accumulate(x_grad, x, [&](Tensor& dx, bool add) {
                          kernel::rmsnorm_backward(dx, dweight, dy, x, gain, rstd, add);
                        });
                      });
}
// The same for layernorm.
inline Tensor recorded(Tensor y, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       Tensor mean, Tensor rstd, double eps) {
  y = with_recipe(y, [saved_x = Saved(x), weight = weight.detached(), bias = bias.detached(), mean,
                      rstd, eps]() mutable {
    Tensor x = saved_x.get(), y = like(x);
    kernel::layernorm(y, mean, rstd, x, weight, bias, eps);
    return y;
  });
  return Tape::record(
      "layernorm", y, {x, weight, bias},
      [x_grad = x.grad(), weight_grad = weight.grad(), bias_grad = bias.grad(), saved_x = Saved(x),
       weight = weight.detached(), mean, rstd](const Tensor& dy) {
        Tensor x = saved_x.get(), dweight = sum_of(weight_grad), dbias = sum_of(bias_grad);
        accumulate(x_grad, x, [&](Tensor& dx, bool add) {
          kernel::layernorm_backward(dx, dweight, dbias, dy, x, weight, mean, rstd, add);
        });
      });
}

}  // namespace norm_detail

// RMSNorm (Zhang and Sennrich, 2019): y = x / sqrt(mean(x²) + eps) · (plus + weight), row by row. x
// (..., n), weight (n) of statistic dtype.
inline Tensor rmsnorm(const Tensor& x, const Tensor& weight, double eps, double plus = 0.) {
  require(weight.size() == x.columns(), "rmsnorm: a weight of ", weight.size(), " for ",
          x.columns(), " columns");
  if (!kernel::rmsnorm.runs_on(x.device())) return rmsnorm_definition(x, weight, eps, plus);
  Tensor y = like(x), rstd({x.rows()}, weight.dtype(), x.device()),
         gain = norm_detail::gain(weight, plus);
  kernel::rmsnorm(y, rstd, x, gain, eps);
  return norm_detail::recorded(y, x, weight, gain, rstd, eps);
}

// LayerNorm (Ba et al., 2016): y = (x - mean) / sqrt(var + eps) · weight + bias, row by row. x
// (..., n), weight and bias (n) of statistic dtype.
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
  Tensor sum, y;  // x + residual, and its norm
};

// x + residual and its rmsnorm: the bits of the two operations, with one pass over memory less. In
// the backward pass the norm adds its part to the gradient that arrives through the connection.
// x and residual: of one shape.
inline Normed added_rmsnorm(const Tensor& x, const Tensor& residual, const Tensor& weight,
                            double eps, double plus = 0.) {
  require(weight.size() == x.columns(), "added_rmsnorm: a weight of ", weight.size(), " for ",
          x.columns(), " columns");
  if (!kernel::added_rmsnorm.runs_on(x.device()) || !(x.shape() == residual.shape())) {
    Tensor sum = x + residual;
    return {sum, rmsnorm(sum, weight, eps, plus)};
  }
  Tensor sum = like(x), y = like(x), rstd({x.rows()}, weight.dtype(), x.device()),
         gain = norm_detail::gain(weight, plus);
  kernel::added_rmsnorm(sum, y, rstd, x, residual, gain, eps);
  sum = added(sum, x, residual);
  return {sum, norm_detail::recorded(y, sum, weight, gain, rstd, eps)};
}
// The same with layernorm.
inline Normed added_layernorm(const Tensor& x, const Tensor& residual, const Tensor& weight,
                              const Tensor& bias, double eps) {
  require(weight.size() == x.columns() && bias.size() == x.columns(),
          "added_layernorm: weight and bias of ", weight.size(), " and ", bias.size(), " for ",
          x.columns(), " columns");
  if (!kernel::added_layernorm.runs_on(x.device()) || !(x.shape() == residual.shape())) {
    Tensor sum = x + residual;
    return {sum, layernorm(sum, weight, bias, eps)};
  }
  Tensor sum = like(x), y = like(x), mean({x.rows()}, weight.dtype(), x.device()),
         rstd = like(mean);
  kernel::added_layernorm(sum, y, mean, rstd, x, residual, weight, bias, eps);
  sum = added(sum, x, residual);
  return {sum, norm_detail::recorded(y, sum, weight, bias, mean, rstd, eps)};
}

}  // namespace afina
