// Gemma 1, 2 (Gemma Team, 2024) and 3 (2025), text alone: embeddings times sqrt(hidden_size), norms
// whose weights are stored less 1, GELU with tanh in the gate. Gemma 2 adds norms after each
// branch, caps on scores and logits, and windows in every other layer; Gemma 3 drops the caps,
// normalises queries and keys, and gives the layers that slide a rotary embedding of their own.
#include <cmath>

#include "model/architectures/decoder.h"

namespace afina {

namespace {

DecoderForm begin(ConfigReader& config, ModelConfig& c, int64_t kv_heads, const char* activation) {
  DecoderForm form = begin_decoder(config, c,
                                   {.kv_heads = kv_heads,
                                    .head_dim = 256,
                                    .tied = true,
                                    .activation_key = activation,
                                    .activation = "gelu_pytorch_tanh"});
  form.norm = NormKind::rms_plus_one;
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.embedding_factor = double(std::sqrt(float(c.dim)));
  config.only("use_bidirectional_attention", false);
  return form;
}

// What Gemma 2 and 3 share.
DecoderForm begin_normed(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin(config, c, 4, "hidden_activation");
  // hidden_act is what older converters wrote beside it; transformers does not read it.
  config.ignore({"hidden_act"});
  form.names.after_attention = "post_attention_layernorm";
  form.names.before_mlp = "pre_feedforward_layernorm";
  form.names.after_mlp = "post_feedforward_layernorm";
  form.attention_scale = 1. / std::sqrt(config.number("query_pre_attn_scalar", 256., 1e-3, 1e9));
  return form;
}

DecoderForm read_gemma(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin(config, c, 16, "hidden_act");
  // What the first releases called gelu is the one with tanh; transformers reads it so, and reads
  // hidden_activation not at all.
  if (form.activation == Activation::gelu) form.activation = Activation::gelu_tanh;
  if (config.find("hidden_activation")) config.only("hidden_activation", "gelu_pytorch_tanh");
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  return form;
}

// A cap: `otherwise` where the key is absent, none (0) where it is null.
double read_cap(ConfigReader& config, const char* key, double otherwise) {
  return config.number(key, config.has(key) ? 0. : otherwise, 1e-3, 1e9);
}

DecoderForm read_gemma2(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_normed(config, c);
  form.attention_cap = read_cap(config, "attn_logit_softcapping", 50.);
  c.logit_cap = read_cap(config, "final_logit_softcapping", 30.);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  slide(config, form, c, sliding_layers(config, c, [](int64_t i) { return (i + 1) % 2 != 0; }),
        read_window(config, 4096));
  config.ignore({"sliding_window_size"});  // an older name of sliding_window, never read
  return form;
}

DecoderForm read_gemma3(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_normed(config, c);
  form.qk_norm = QkNorm::head;
  form.attention_cap = read_cap(config, "attn_logit_softcapping", 0.);
  c.logit_cap = read_cap(config, "final_logit_softcapping", 0.);
  const int64_t pattern = config.size_or("sliding_window_pattern", 6, 4096);
  std::vector<bool> slides =
      sliding_layers(config, c, [&](int64_t i) { return (i + 1) % pattern != 0; });
  slide(config, form, c, slides, read_window(config, 4096));
  LayerRopes ropes =
      read_layer_ropes(config, c.head_dim, c.context, 1e6, 1e4, "rope_local_base_freq");
  form.ropes = {ropes.full, ropes.sliding};
  for (size_t i = 0; i < slides.size(); ++i) form.rope[i] = slides[i] ? 1 : 0;
  return form;
}

}  // namespace

REGISTER_DECODER(gemma, read_gemma, "GemmaForCausalLM");
REGISTER_DECODER(gemma2, read_gemma2, "Gemma2ForCausalLM");
REGISTER_DECODER(gemma3_text, read_gemma3, "Gemma3ForCausalLM");

}  // namespace afina
