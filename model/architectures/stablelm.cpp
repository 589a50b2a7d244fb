// StableLM (Stability AI, 2023): Llama with LayerNorm and a quarter of each head's columns rotated.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(
      config, c, {.kv_heads = 32, .own_head_dim = false, .eps_key = "layer_norm_eps", .eps = 1e-5});
  form.norm = NormKind::layer;
  form.bias.qkv = config.flag("use_qkv_bias", false);
  form.parallel = config.flag("use_parallel_residual", false);
  if (form.parallel) form.names.before_mlp = "";
  if (config.flag("qk_layernorm", false)) {  // StableLM 2 12B
    form.qk_norm = QkNorm::own_of_head;
    form.names.query_norm = "q_layernorm";
    form.names.key_norm = "k_layernorm";
  }
  config.dropout("hidden_dropout");
  rope_everywhere(
      form, c,
      read_rope(config, c.head_dim, c.context, {.partial = 0.25, .partial_supported = true}));
  return form;
}

// Whether attention and MLP stand side by side shows in the norm before the MLP, as in llama.cpp.
Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf, GgufNorm::layer);
  gguf_partial_rope(out, "partial_rotary_factor");
  out["use_qkv_bias"] = gguf.find("blk.0.attn_q.bias") != nullptr;
  out["use_parallel_residual"] = gguf.find("blk.0.ffn_norm.weight") == nullptr;
  out["qk_layernorm"] = gguf.find("blk.0.attn_q_norm.weight") != nullptr;
  return out;
}

void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out, GgufNorm::layer);
  const RopeForm rope = gguf_rope_of(config, {.partial = 0.25, .partial_supported = true});
  gguf_rope_keys(config, rope, out);
  out.size("rope.dimension_count", rope.turned);
  out.set("use_parallel_residual",
          get_or<bool>(config.json, "use_parallel_residual", "config.json", false));
}

}  // namespace

REGISTER_DECODER(stablelm, read, "StableLmForCausalLM",
                 GgufForm{"stablelm",
                          gguf_decoder_names({{"self_attn.q_layernorm.norms.*", "attn_q_norm"},
                                              {"self_attn.k_layernorm.norms.*", "attn_k_norm"}}),
                          gguf_config, gguf_keys_of});

}  // namespace afina
