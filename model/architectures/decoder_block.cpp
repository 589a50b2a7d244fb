// Blocks of decoders.
#include "model/architectures/decoder_block.h"

#include <cmath>

#include "engine/ops/attention.h"
#include "engine/ops/rope.h"
#include "engine/ops/swiglu.h"

namespace afina {

namespace {

Tensor activated(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::silu: return silu(x);
    case Activation::gelu: return gelu(x);
    case Activation::gelu_tanh: return gelu_tanh(x);
    case Activation::relu: return relu(x);
  }
  fail("an activation of number ", int(activation));
}

// act(gate) · up.
Tensor gated(const Tensor& gate, const Tensor& up, Activation activation) {
  return activation == Activation::silu ? swiglu(gate, up) : activated(gate, activation) * up;
}

// Each token's heads (B, T, heads, head_dim) times the token's factor.
Tensor scaled_queries(const Tensor& q, const std::vector<double>& factors) {
  std::vector<double> of_rows;
  for (double factor : factors) of_rows.insert(of_rows.end(), size_t(q.shape()[2]), factor);
  return q * Tensor::from(of_rows, {q.rows(), 1}, q.dtype(), q.device());
}

void make_norm(std::optional<DecoderNorm>& norm, const Scope& scope, const char* name, int64_t size,
               const DecoderForm& form, const ModelConfig& c) {
  if (*name) norm.emplace(scope / name, size, form.norm, c.norm_eps);
}

// What a branch reads: the stream through its norm, or as it is.
Tensor input_of(const std::optional<DecoderNorm>& norm, Stream& s) {
  if (norm) return (*norm)(s);
  s = {s.whole(), {}};
  return s.x;
}

}  // namespace

DecoderNorm::DecoderNorm(const Scope& scope, int64_t size, NormKind kind, double eps)
    : kind(kind),
      weight(scope.base("weight", {size},
                        {kind == NormKind::rms_plus_one ? Init::zeros : Init::ones})),
      bias(kind == NormKind::layer ? &scope.base("bias", {size}, {Init::zeros}) : nullptr),
      eps(eps) {}

Tensor DecoderNorm::operator()(Stream& s) const {
  if (!s.more) return alone(s.x);
  const Here here(weight.name);
  auto [sum, y] = bias ? added_layernorm(s.x, s.more, weight.value, bias->value, eps)
                       : added_rmsnorm(s.x, s.more, weight.value, eps, plus());
  s = {sum, {}};
  return y;
}
Tensor DecoderNorm::alone(const Tensor& x) const {
  const Here here(weight.name);
  return bias ? layernorm(x, weight.value, bias->value, eps)
              : rmsnorm(x, weight.value, eps, plus());
}

DecoderAttention::DecoderAttention(const Scope& scope, const DecoderForm& form,
                                   const ModelConfig& c, int64_t layer)
    : form(form),
      heads(c.heads),
      kv_heads(c.kv_heads),
      head_dim(c.head_dim),
      layer(layer),
      eps(c.norm_eps) {
  const auto& n = form.names;
  const int64_t queries = heads * head_dim, keys = kv_heads * head_dim;
  if (form.qkv == QkvForm::apart) {
    qkv.emplace_back(scope / n.query, c.dim, queries, form.bias.qkv);
    qkv.emplace_back(scope / n.key, c.dim, keys, form.bias.qkv);
    qkv.emplace_back(scope / n.value, c.dim, keys, form.bias.qkv);
  } else {
    qkv.emplace_back(scope / n.joined, c.dim, queries + 2 * keys, form.bias.qkv);
  }
  output.emplace(scope / n.output, queries, c.dim, form.bias.output);
  keys_values.emplace(scope, Place::keys_values, keys, layer);
  if (form.qk_norm == QkNorm::none) return;
  if (form.qk_norm == QkNorm::own_of_head) {
    auto make = [&](const char* name, int64_t count, std::vector<Parameter*>& weights) {
      for (int64_t h = 0; h < count; ++h)
        weights.push_back(&(scope / name / "norms" / h).base("weight", {head_dim}, {Init::ones}));
    };
    make(n.query_norm, heads, query_weights);
    make(n.key_norm, kv_heads, key_weights);
    return;
  }
  const bool head = form.qk_norm == QkNorm::head;
  make_norm(query_norm, scope, n.query_norm, head ? head_dim : queries, form, c);
  make_norm(key_norm, scope, n.key_norm, head ? head_dim : keys, form, c);
}

// Queries (B, T, heads, head_dim), keys and values (B, T, kv_heads, head_dim).
std::vector<Tensor> DecoderAttention::projected(const Tensor& x, const Inputs& in) const {
  const int64_t B = x.shape()[0], T = x.shape()[1], queries = heads * head_dim,
                keys = kv_heads * head_dim;
  const Shape q{B, T, heads, head_dim}, kv{B, T, kv_heads, head_dim};
  if (form.qkv == QkvForm::joined) {
    Tensor all = qkv[0](x, in);
    return {reshape(columns(all, 0, queries), q), reshape(columns(all, queries, keys), kv),
            reshape(columns(all, queries + keys, keys), kv)};
  }
  if (form.qkv == QkvForm::by_head) {
    Tensor all = reshape(qkv[0](x, in), {B, T, heads, 3 * head_dim});
    return {columns(all, 0, head_dim), columns(all, head_dim, head_dim),
            columns(all, 2 * head_dim, head_dim)};
  }
  auto all = together({&qkv[0], &qkv[1], &qkv[2]}, x, in);
  if (form.qk_norm == QkNorm::whole) {
    all[0] = query_norm->alone(all[0]);
    all[1] = key_norm->alone(all[1]);
  }
  if (form.qk_norm == QkNorm::own_of_head) {
    all[0] = normed_heads(all[0], query_weights);
    all[1] = normed_heads(all[1], key_weights);
  }
  return {reshape(all[0], q), reshape(all[1], kv), reshape(all[2], kv)};
}

Tensor DecoderAttention::normed_heads(const Tensor& x,
                                      const std::vector<Parameter*>& weights) const {
  std::vector<Tensor> parts;
  for (size_t h = 0; h < weights.size(); ++h) {
    const Tensor& weight = weights[h]->value;
    const Tensor zero = Tensor::zeros(weight.shape(), weight.dtype(), weight.device());
    parts.push_back(layernorm(columns(x, int64_t(h) * head_dim, head_dim), weight, zero, eps));
  }
  return side_by_side(parts);
}

Tensor DecoderAttention::operator()(const Tensor& x, const DecoderPass& pass) const {
  const Here here(keys_values->path);
  const int64_t B = x.shape()[0], T = x.shape()[1];
  auto all = projected(x, pass.in);
  Tensor q = all[0], k = all[1], v = all[2];
  all.clear();
  if (form.qk_norm == QkNorm::head) {
    q = query_norm->alone(q);
    k = key_norm->alone(k);
  }
  if (int own = form.rope[size_t(layer)]; own >= 0) {
    const RopeTable::Turned& turned = pass.ropes[size_t(own)];
    q = rope(q, turned.table, turned.rows);
    k = rope(k, turned.table, turned.rows);
    if (!turned.query_factors.empty()) q = scaled_queries(q, turned.query_factors);
  }
  k = keys_values->before(k, pass.in);
  v = keys_values->before(v, pass.in, 1);
  if (pass.cache) {
    auto so_far = pass.cache->extended(size_t(layer), k, v);
    k = so_far.k;
    v = so_far.v;
  }
  const double scale =
      form.attention_scale > 0. ? form.attention_scale : 1. / std::sqrt(double(head_dim));
  Tensor o =
      attention(q, k, v, pass.in.starts, {scale, form.window[size_t(layer)], form.attention_cap});
  return (*output)(reshape(o, {B, T, heads * head_dim}), pass.in);
}

DecoderMlp::DecoderMlp(const Scope& scope, const DecoderForm& form, const MlpNames& n, int64_t dim,
                       int64_t width)
    : form(form.mlp), activation(form.activation) {
  if (form.mlp == MlpForm::gated) up.emplace_back(scope / n.gate, dim, width, form.bias.up);
  if (form.mlp == MlpForm::gated_joined)
    up.emplace_back(scope / n.gate_up, dim, 2 * width, form.bias.up);
  else up.emplace_back(scope / n.up, dim, width, form.bias.up);
  down.emplace(scope / n.down, width, dim, form.bias.down);
}

Tensor DecoderMlp::operator()(const Tensor& x, const Inputs& in, bool recompute) const {
  if (form == MlpForm::plain) return (*down)(activated(up[0](x, in, recompute), activation), in);
  if (form == MlpForm::gated_joined) {
    Tensor both = up[0](x, in, recompute);
    const int64_t width = both.columns() / 2;
    return (*down)(gated(columns(both, 0, width), columns(both, width, width), activation), in);
  }
  // The order up, gate fixes the order in which gradients of x are accumulated, and so the bits.
  auto both = together({&up[1], &up[0]}, x, in, recompute);
  Tensor h = gated(both[1], both[0], activation);
  both.clear();
  return (*down)(h, in);
}

DecoderBlock::DecoderBlock(const Scope& scope, const DecoderForm& form, const ModelConfig& c,
                           int64_t layer)
    : form(form) {
  const auto& n = form.names;
  make_norm(before_attention, scope, n.before_attention, c.dim, form, c);
  attention.emplace(scope / n.attention, form, c, layer);
  attention_point.emplace(scope / n.attention, Place::after_attention, c.dim, layer);
  make_norm(after_attention, scope, n.after_attention, c.dim, form, c);
  make_norm(before_mlp, scope, n.before_mlp, c.dim, form, c);
  if (form.experts.count && form.experts.layers[size_t(layer)])
    experts.emplace(scope / n.mlp, form, c.dim);
  else mlp.emplace(scope / n.mlp, form, n.of_mlp, c.dim, c.ffn_dim);
  mlp_point.emplace(scope / n.mlp, Place::after_mlp, c.dim, layer);
  make_norm(after_mlp, scope, n.after_mlp, c.dim, form, c);
}

Tensor DecoderBlock::attend(const Tensor& x, const DecoderPass& pass) const {
  Tensor y = (*attention)(x, pass);
  if (after_attention) y = after_attention->alone(y);
  y = (*attention_point)(y, pass.in);
  return form.residual_factor == 1. ? y : y * form.residual_factor;
}
Tensor DecoderBlock::compute(const Tensor& x, const DecoderPass& pass) const {
  const Here here(mlp_point->path);
  Tensor y = experts ? (*experts)(x, pass) : (*mlp)(x, pass.in, pass.recompute_mlp);
  if (after_mlp) y = after_mlp->alone(y);
  y = (*mlp_point)(y, pass.in);
  return form.residual_factor == 1. ? y : y * form.residual_factor;
}

void DecoderBlock::operator()(Stream& s, const DecoderPass& pass) const {
  if (form.parallel) {
    Tensor x = input_of(before_attention, s), other = before_mlp ? before_mlp->alone(s.x) : x;
    s.more = attend(x, pass) + compute(other, pass);
    return;
  }
  s.more = attend(input_of(before_attention, s), pass);
  s.more = compute(input_of(before_mlp, s), pass);
}

}  // namespace afina
