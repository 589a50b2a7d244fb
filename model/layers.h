// The layers models are made of. A linear layer is where methods attach.
#pragma once
#include "engine/ops/embedding.h"
#include "engine/ops/low_rank.h"
#include "engine/ops/norm.h"
#include "engine/ops/scale.h"
#include "engine/saved.h"
#include "engine/watch.h"
#include "model/scope.h"

namespace afina {

// A low-rank path beside a layer, scale B A, by an adapter's parameters a (rank, in), b (out,
// rank).
struct LowRank {
  const Parameter &a, &b;
  double scale;
};

struct Linear {
  std::string path;        // "model.layers.0.self_attn.q_proj"
  Parameter& weight;       // (out, in)
  Parameter* bias;         // (out), or none
  bool stored_transposed;  // files hold (in, out)
  std::unique_ptr<Adapter> adapter;

  // Registers itself with the scope's Parameters. init: of the weight; biases begin at zero.
  Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Init init = {},
         bool stored_transposed = false);
  Linear(const Linear&) = delete;
  int64_t in() const { return weight.shape[1]; }
  int64_t out() const { return weight.shape[0]; }
  Tensor bias_value() const { return bias ? bias->value : Tensor(); }
  // x (B, T, in) -> (B, T, out), without the adapter.
  Tensor plain(const Tensor& x) const { return linear(x, weight.value, bias_value()); }
  // x Wᵀ, without adapter and bias.
  Tensor product(const Tensor& x) const { return linear(x, weight.value, Tensor()); }
  // plain(x) + scale (xa Aᵀ) Bᵀ in one product; xa is x, or x after dropout. Without the bias if
  // with_bias is false.
  Tensor plus_low_rank(const Tensor& x, const Tensor& xa, const LowRank& part,
                       bool with_bias = true) const {
    return linear_lora(x, xa, weight.value, with_bias ? bias_value() : Tensor(), part.a.value,
                       part.b.value, part.scale);
  }
  // ‖row‖² of the weight, and ‖row‖ of the weight with a low-rank path merged into it: (out), f32
  // (f64), constants of the graph.
  Tensor row_squares() const {
    PurposeScope purpose(Purpose::weights);  // an adapter holds them as long as the weight
    return afina::row_squares(weight.value);
  }
  Tensor row_norms(const Tensor& squares, const LowRank& part) const {
    return low_rank_row_norms(weight.value, squares, part.a.value, part.b.value, part.scale);
  }
  Tensor operator()(const Tensor& x, const Inputs& inputs) const {
    const Here here(path);
    return adapter ? adapter->forward(x, *this, inputs) : plain(x);
  }
  // The same; with `again`, the backward pass saves x instead of the result and runs the layer once
  // more.
  Tensor operator()(const Tensor& x, const Inputs& inputs, bool again) const {
    Tensor y = (*this)(x, inputs);
    return again
               ? recomputed(x, y, [this, inputs](const Tensor& of) { return (*this)(of, inputs); })
               : y;
  }
  // Weight and bias (empty: none) in f32, on the weight's device, with the adapter merged into
  // them; the layer keeps its own.
  struct Merged {
    Tensor weight, bias;
  };
  Merged merged() const;
  // Merges the adapter into weight and bias, and removes it: returns it.
  std::unique_ptr<Adapter> merge();
};

// Applies several layers to the same x: bit for bit layer(x, inputs, again) for each, in their
// order, but low-rank paths (Adapter::low_rank) share their first product while a tape records.
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
    const Here here(weight.name);
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
    const Here here(weight.name);
    if (!s.more) return layernorm(s.x, weight.value, bias.value, eps);
    auto [sum, y] = added_layernorm(s.x, s.more, weight.value, bias.value, eps);
    s = {sum, {}};
    return y;
  }
};

}  // namespace afina
