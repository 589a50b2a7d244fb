// The layers models are made of. A linear layer is where methods attach.
#pragma once
#include "engine/saved.h"
#include "engine/ops/embedding.h"
#include "engine/ops/linear.h"
#include "engine/ops/norm.h"
#include "model/scope.h"

namespace afina {

struct Linear {
  std::string path;        // "model.layers.0.self_attn.q_proj"
  Parameter& weight;       // (out, in)
  Parameter* bias;         // (out), or none
  bool stored_transposed;  // files hold (in, out)
  std::unique_ptr<Adapter> adapter;

  // init: of the weight; biases begin at zero.
  Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Init init = {},
         bool stored_transposed = false);
  Tensor bias_value() const { return bias ? bias->value : Tensor(); }
  // x (B, T, in) -> (B, T, out), without the adapter.
  Tensor plain(const Tensor& x) const { return linear(x, weight.value, bias_value()); }
  Tensor operator()(const Tensor& x, const Inputs& inputs) const {
    return adapter ? adapter->forward(x, *this, inputs) : plain(x);
  }
  // The same; when `again`, the backward pass keeps x instead of the result and runs the layer once
  // more.
  Tensor operator()(const Tensor& x, const Inputs& inputs, bool again) const {
    Tensor y = (*this)(x, inputs);
    return again ? recomputed(x, y, [this, inputs](const Tensor& of) { return (*this)(of, inputs); })
                 : y;
  }
  // Takes the adapter's part into the weight and lets the adapter go.
  void merge();
};

// The results of layers that take the same x, in their order: bit for bit layer(x, inputs, again),
// but what their adapters can share is done once.
std::vector<Tensor> together(const std::vector<const Linear*>& layers, const Tensor& x,
                             const Inputs& inputs, bool again = false);

// The residual stream between two norms: x, and what the last branch gave, not added yet: the next
// norm adds it in its own pass.
struct Stream {
  Tensor x, more;
  // x + more.
  Tensor whole() const { return more ? x + more : x; }
};

struct RmsNorm {
  Parameter& weight;
  double eps;
  RmsNorm(const Scope& scope, int64_t size, double eps)
      : weight(scope.base("weight", {size}, {Init::ones})), eps(eps) {}
  // Of the whole stream, which is summed by it.
  Tensor operator()(Stream& s) const {
    if (!s.more) return rmsnorm(s.x, weight.value, eps);
    auto [sum, y] = added_rmsnorm(s.x, s.more, weight.value, eps);
    s = {sum, {}};
    return y;
  }
};

struct LayerNorm {
  Parameter &weight, &bias;
  double eps;
  LayerNorm(const Scope& scope, int64_t size, double eps)
      : weight(scope.base("weight", {size}, {Init::ones})),
        bias(scope.base("bias", {size}, {Init::zeros})),
        eps(eps) {}
  Tensor operator()(Stream& s) const {
    if (!s.more) return layernorm(s.x, weight.value, bias.value, eps);
    auto [sum, y] = added_layernorm(s.x, s.more, weight.value, bias.value, eps);
    s = {sum, {}};
    return y;
  }
};

}  // namespace afina
