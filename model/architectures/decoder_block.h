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

// What a forward pass needs beside the stream.
struct DecoderPass {
  Inputs in;
  std::vector<RopeTable::Turned> ropes;  // one for each of the form's
  const KvCache* cache;
  bool recompute_mlp;
};

struct DecoderAttention {
  const DecoderForm& form;
  int64_t heads, kv_heads, head_dim, layer;
  std::deque<Linear> qkv;  // query, key, value; or one that holds all
  std::optional<Linear> output;
  std::optional<DecoderNorm> query_norm, key_norm;
  std::optional<Point> keys_values;

  DecoderAttention(const Scope& scope, const DecoderForm& form, const ModelConfig& c,
                   int64_t layer);
  // x (B, T, dim) -> (B, T, dim).
  Tensor operator()(const Tensor& x, const DecoderPass& pass) const;

 private:
  std::vector<Tensor> projected(const Tensor& x, const Inputs& in) const;
};

struct DecoderMlp {
  MlpForm form;
  Activation activation;
  std::deque<Linear> up;  // gate and up; or one that holds both, or up alone
  std::optional<Linear> down;

  DecoderMlp(const Scope& scope, const DecoderForm& form, const ModelConfig& c);
  // x (B, T, dim) -> (B, T, dim). recompute: recompute what opens the MLP in the backward pass
  // instead of saving it.
  Tensor operator()(const Tensor& x, const Inputs& in, bool recompute) const;
};

struct DecoderBlock {
  const DecoderForm& form;
  std::optional<DecoderNorm> before_attention, after_attention, before_mlp, after_mlp;
  std::optional<DecoderAttention> attention;
  std::optional<DecoderMlp> mlp;
  std::optional<Point> attention_point, mlp_point;

  DecoderBlock(const Scope& scope, const DecoderForm& form, const ModelConfig& c, int64_t layer);
  void operator()(Stream& s, const DecoderPass& pass) const;

 private:
  Tensor attend(const Tensor& x, const DecoderPass& pass) const;
  Tensor compute(const Tensor& x, const DecoderPass& pass) const;
};

}  // namespace afina
