// StarCoder2 (Lozhkov et al., 2024): LayerNorm, biases, a plain MLP with GELU, and a window.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c,
                                   {.kv_heads = 2,
                                    .eps_key = "norm_epsilon",
                                    .eps = 1e-5,
                                    .tied = true,
                                    .activation = "gelu_pytorch_tanh"});
  form.norm = NormKind::layer;
  form.mlp = MlpForm::plain;
  form.names.of_mlp.up = "c_fc";
  form.names.of_mlp.down = "c_proj";
  const bool bias = config.flag("use_bias", true);
  form.bias = {bias, bias, bias, bias};
  config.dropout("residual_dropout");
  config.dropout("embedding_dropout");
  config.only("norm_type", "layer_norm");
  config.only("mlp_type", "default");
  // Of the first code; transformers reads none of them.
  config.ignore({"activation_function", "layer_norm_epsilon", "scale_attn_weights"});
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  int64_t window = read_window(config, 0);
  slide(config, form, c, std::vector<bool>(size_t(c.layers), window > 0), window);
  return form;
}

// The files say nothing of a window, and llama.cpp has none here.
Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf, GgufNorm::layer);
  out["norm_epsilon"] = out["layer_norm_eps"];
  out.erase("layer_norm_eps");
  out["hidden_act"] = "gelu_pytorch_tanh";
  out["use_bias"] = gguf.find("blk.0.attn_q.bias") != nullptr;
  return out;
}

void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out, GgufNorm::layer);
  gguf_rope_keys(config, gguf_rope_of(config), out);
  gguf_end_at_window(config, out);
}

}  // namespace

REGISTER_DECODER(starcoder2, read, "Starcoder2ForCausalLM",
                 GgufForm{"starcoder2",
                          gguf_decoder_names({{"mlp.c_fc", "ffn_up"}, {"mlp.c_proj", "ffn_down"}}),
                          gguf_config, gguf_keys_of});

}  // namespace afina
