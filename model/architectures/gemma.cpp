// Gemma 1, 2 (Gemma Team, 2024) and 3 (2025), text alone: embeddings times sqrt(hidden_size), norms
// whose weights are stored less 1, GELU with tanh in the gate. Gemma 2 adds norms after each
// branch, caps on scores and logits, and windows in every other layer; Gemma 3 drops the caps,
// normalises queries and keys, and gives the layers that slide a rotary embedding of their own.
#include <cmath>

#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

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

// Norms after each branch, as llama.cpp calls them.
GgufNames gguf_names() {
  return gguf_decoder_names({{"post_attention_layernorm", "post_attention_norm"},
                             {"pre_feedforward_layernorm", "ffn_norm"},
                             {"post_feedforward_layernorm", "post_ffw_norm"}});
}

Json gguf_config1(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  out["hidden_act"] = "gelu_pytorch_tanh";
  return out;
}
// Gemma 2 and 3: llama.cpp knows by the number of layers which models (those of 27 billion weights)
// scale scores by another size than the head's.
Json gguf_config_normed(const Gguf& gguf, int64_t largest_layers) {
  Json out = gguf_decoder_config(gguf);
  out.erase("hidden_act");
  out["query_pre_attn_scalar"] =
      out["num_hidden_layers"].get<int64_t>() == largest_layers
          ? out["hidden_size"].get<int64_t>() / out["num_attention_heads"].get<int64_t>()
          : out["head_dim"].get<int64_t>();
  out["sliding_window"] = config_size(
      gguf.metadata(), gguf_prefix(gguf) + "attention.sliding_window", gguf.path(), 1 << 30);
  return out;
}
Json gguf_config2(const Gguf& gguf) {
  Json out = gguf_config_normed(gguf, 46);
  gguf_copy_number(out, "attn_logit_softcapping", gguf, "attn_logit_softcapping");
  gguf_copy_number(out, "final_logit_softcapping", gguf, "final_logit_softcapping");
  return out;
}
Json gguf_config3(const Gguf& gguf) {
  Json out = gguf_config_normed(gguf, 62);
  gguf_copy_number(out, "final_logit_softcapping", gguf, "final_logit_softcapping");
  return out;
}

// What llama.cpp takes for granted of a Gemma has no key: the activation, what scales the scores,
// which layers slide and their rotary embedding. Where a config says otherwise, the certificate of
// the file does not hold.
void gguf_keys1(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias"});
  gguf_plain_keys(config, out);
}
void gguf_keys2(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias"});
  gguf_plain_keys(config, out);
  gguf_put_number(config, "attn_logit_softcapping", out, "attn_logit_softcapping");
  gguf_put_number(config, "final_logit_softcapping", out, "final_logit_softcapping");
  out.size("attention.sliding_window",
           get_or<int64_t>(config.json, "sliding_window", "config.json", 4096));
}
void gguf_keys3(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias"});
  gguf_decoder_keys(config, out);
  ConfigReader reader(config.json, "config.json");
  gguf_rope_keys(
      config,
      read_layer_ropes(reader, config.head_dim, config.context, 1e6, 1e4, "rope_local_base_freq")
          .full,
      out);
  gguf_put_number(config, "final_logit_softcapping", out, "final_logit_softcapping");
  out.size("attention.sliding_window",
           get_or<int64_t>(config.json, "sliding_window", "config.json", 4096));
}

}  // namespace

REGISTER_DECODER(gemma, read_gemma, "GemmaForCausalLM",
                 GgufForm{"gemma", gguf_decoder_names(), gguf_config1, gguf_keys1, false, 1.f});
REGISTER_DECODER(gemma2, read_gemma2, "Gemma2ForCausalLM",
                 GgufForm{"gemma2", gguf_names(), gguf_config2, gguf_keys2, false, 1.f});
REGISTER_DECODER(gemma3_text, read_gemma3, "Gemma3ForCausalLM",
                 GgufForm{"gemma3", gguf_names(), gguf_config3, gguf_keys3, false, 1.f});

}  // namespace afina
