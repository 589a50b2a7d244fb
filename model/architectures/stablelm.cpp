// StableLM (Stability AI, 2023): Llama with LayerNorm and a quarter of each head's columns rotated.
#include "model/architectures/decoder.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(
      config, c, {.kv_heads = 32, .own_head_dim = false, .eps_key = "layer_norm_eps", .eps = 1e-5});
  form.norm = NormKind::layer;
  form.bias.qkv = config.flag("use_qkv_bias", false);
  form.parallel = config.flag("use_parallel_residual", false);
  if (form.parallel) form.names.before_mlp = "";
  config.only("qk_layernorm", false);  // StableLM 2 12B: a norm of its own for each head
  config.dropout("hidden_dropout");
  rope_everywhere(
      form, c,
      read_rope(config, c.head_dim, c.context, {.partial = 0.25, .partial_supported = true}));
  return form;
}

}  // namespace

REGISTER_DECODER(stablelm, read, "StableLmForCausalLM");

}  // namespace afina
