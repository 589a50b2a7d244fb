// rmsnorm and layernorm: each row brought to unit size, then scaled by a weight per column.
#pragma once
#include "engine/kept.h"
#include "engine/ops.h"

namespace afina {

namespace kernel {
// x, y: (rows, n); weight (n) and bias (n): f32 (f64 with f64); rstd, mean (rows): f32 (f64). Statistics by 16 lanes and a tree.
inline constinit Kernel<void(Tensor& y, Tensor& rstd, const Tensor& x, const Tensor& weight, double eps)> rmsnorm{"rmsnorm"};
// dx is overwritten; dweight, unless empty, is added to: the chain over rows in order, fma(dy, x rstd, sum).
inline constinit Kernel<void(Tensor& dx, Tensor& dweight, const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& rstd)>
    rmsnorm_backward{"rmsnorm_backward"};
inline constinit Kernel<void(Tensor& y, Tensor& mean, Tensor& rstd, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps)>
    layernorm{"layernorm"};
inline constinit Kernel<void(Tensor& dx, Tensor& dweight, Tensor& dbias, const Tensor& dy, const Tensor& x, const Tensor& weight,
                             const Tensor& mean, const Tensor& rstd)>
    layernorm_backward{"layernorm_backward"};
}  // namespace kernel

inline Tensor rmsnorm_definition(const Tensor& x, const Tensor& weight, double eps) {
  return x * rsqrt(sum_columns(square(x)) * (1. / double(x.columns())) + eps) * weight;
}
inline Tensor layernorm_definition(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  Tensor centred = x - sum_columns(x) * (1. / double(x.columns()));
  return centred * rsqrt(sum_columns(square(centred)) * (1. / double(x.columns())) + eps) * weight + bias;
}

// RMSNorm (Zhang and Sennrich, 2019): y = x / sqrt(mean(x²) + eps) · weight. x (..., n), weight (n).
inline Tensor rmsnorm(const Tensor& x, const Tensor& weight, double eps) {
  require(weight.size() == x.columns(), "rmsnorm: a weight of ", weight.size(), " for ", x.columns(), " columns");
  if (!kernel::rmsnorm.runs_on(x.device())) return rmsnorm_definition(x, weight, eps);
  Tensor y = like(x), rstd({x.rows()}, weight.dtype(), x.device());
  kernel::rmsnorm(y, rstd, x, weight, eps);
  y = remade_by(y, [x = Kept(x), weight = weight.detached(), rstd, eps]() mutable {
    Tensor of_x = x.get(), again = like(of_x);
    kernel::rmsnorm(again, rstd, of_x, weight, eps);
    return again;
  });
  return Tape::record("rmsnorm", y, {x, weight},
                      [dx = x.grad(), dweight = weight.grad(), x = Kept(x), weight = weight.detached(), rstd](const Tensor& dy) {
                        Tensor of_x = x.get(), part = like(of_x), sum = dweight ? dweight.sum() : Tensor();
                        kernel::rmsnorm_backward(part, sum, dy, of_x, weight, rstd);
                        if (dx) dx += part;
                      });
}

// LayerNorm (Ba et al., 2016): y = (x - mean) / sqrt(var + eps) · weight + bias.
inline Tensor layernorm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  require(weight.size() == x.columns() && bias.size() == x.columns(), "layernorm: weight and bias of ", weight.size(), " and ", bias.size(),
          " for ", x.columns(), " columns");
  if (!kernel::layernorm.runs_on(x.device())) return layernorm_definition(x, weight, bias, eps);
  Tensor y = like(x), mean({x.rows()}, weight.dtype(), x.device()), rstd = like(mean);
  kernel::layernorm(y, mean, rstd, x, weight, bias, eps);
  y = remade_by(y, [x = Kept(x), weight = weight.detached(), bias = bias.detached(), mean, rstd, eps]() mutable {
    Tensor of_x = x.get(), again = like(of_x);
    kernel::layernorm(again, mean, rstd, of_x, weight, bias, eps);
    return again;
  });
  return Tape::record(
      "layernorm", y, {x, weight, bias},
      [dx = x.grad(), dweight = weight.grad(), dbias = bias.grad(), x = Kept(x), weight = weight.detached(), mean, rstd](const Tensor& dy) {
        Tensor of_x = x.get(), part = like(of_x), weight_sum = dweight ? dweight.sum() : Tensor(),
               bias_sum = dbias ? dbias.sum() : Tensor();
        kernel::layernorm_backward(part, weight_sum, bias_sum, dy, of_x, weight, mean, rstd);
        if (dx) dx += part;
      });
}

}  // namespace afina
