// One block of a decoder: norms, attention and MLP, built from a DecoderForm.
#pragma once
#include <deque>
#include <optional>

#include "model/architectures/decoder.h"

namespace afina {

struct DecoderNorm {
  NormKind kind;
  Parameter& weight;
  Parameter* bias;
  double eps;

  DecoderNorm(const Scope& scope, int64_t size, NormKind kind, double eps);
  // Of the whole stream, which is summed by it.
  Tensor operator()(Stream& s) const;
  // Of x (..., size).
  Tensor alone(const Tensor& x) const;

 private:
  double plus() const { return kind == NormKind::rms_plus_one ? 1. : 0.; }
};

// What the routers of a forward pass found, for their loss: for each layer with experts the
// probabilities of all, and 1 for the chosen ones and 0 for the others, (B, T, experts) each.
struct RouterChoices {
  std::vector<Tensor> probabilities, chosen;
};

// What a forward pass needs beside the stream.
struct DecoderPass {
  Inputs in;
  std::vector<RopeTable::Turned> ropes;  // one for each of the form's
  const KvCache* cache;
  bool recompute_mlp;
  RouterChoices* choices = nullptr;  // null: nobody asks
};

struct DecoderAttention {
  const DecoderForm& form;
  int64_t heads, kv_heads, head_dim, layer;
  std::deque<Linear> qkv;  // query, key, value; or one that holds all
  std::optional<Linear> output;
  std::optional<DecoderNorm> query_norm, key_norm;
  std::vector<Parameter*> query_weights, key_weights;  // of QkNorm::own_of_head, head by head
  double eps;
  std::optional<Point> keys_values;

  DecoderAttention(const Scope& scope, const DecoderForm& form, const ModelConfig& c,
                   int64_t layer);
  // x (B, T, dim) -> (B, T, dim).
  Tensor operator()(const Tensor& x, const DecoderPass& pass) const;

 private:
  std::vector<Tensor> projected(const Tensor& x, const Inputs& in) const;
  // LayerNorm of each head of x (..., heads · head_dim) with its own weights.
  Tensor normed_heads(const Tensor& x, const std::vector<Parameter*>& weights) const;
};

struct DecoderMlp {
  MlpForm form;
  Activation activation;
  std::deque<Linear> up;  // gate and up; or one that holds both, or up alone
  std::optional<Linear> down;

  DecoderMlp(const Scope& scope, const DecoderForm& form, const MlpNames& names, int64_t dim,
             int64_t width);
  // x (B, T, dim) -> (B, T, dim). recompute: recompute what opens the MLP in the backward pass
  // instead of saving it.
  Tensor operator()(const Tensor& x, const Inputs& in, bool recompute) const;
};

struct DecoderExperts {
  const ExpertForm& form;
  Parameter& router;
  std::deque<DecoderMlp> experts;

  DecoderExperts(const Scope& scope, const DecoderForm& form, int64_t dim);
  // x (B, T, dim) -> (B, T, dim). Every expert computes every token, and those that were not chosen
  // count 0 times.
  Tensor operator()(const Tensor& x, const DecoderPass& pass) const;
};

struct DecoderBlock {
  const DecoderForm& form;
  std::optional<DecoderNorm> before_attention, after_attention, before_mlp, after_mlp;
  std::optional<DecoderAttention> attention;
  std::optional<DecoderMlp> mlp;  // or experts
  std::optional<DecoderExperts> experts;
  std::optional<Point> attention_point, mlp_point;

  DecoderBlock(const Scope& scope, const DecoderForm& form, const ModelConfig& c, int64_t layer);
  void operator()(Stream& s, const DecoderPass& pass) const;

 private:
  Tensor attend(const Tensor& x, const DecoderPass& pass) const;
  Tensor compute(const Tensor& x, const DecoderPass& pass) const;
};

// The routers' loss (Fedus et al., 2021), which is least when all experts are used alike:
// loss_factor · experts · Σ over experts of the share of choices that fell on it · its mean
// probability, over all layers and tokens of a row; rows count by their targets. scale: 1 / number
// of targets of the whole step. With one row it is transformers' number.
Tensor router_loss(const ExpertForm& form, const RouterChoices& choices, const Inputs& in,
                   double scale);

}  // namespace afina
