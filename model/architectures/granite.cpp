// Granite 3 (IBM, 2024): Llama with factors of the embeddings, the branches, the scores and the
// logits.
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c);
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.bias.up = form.bias.down = config.flag("mlp_bias", false);
  form.embedding_factor = config.number("embedding_multiplier", 1., 1e-9, 1e9);
  form.residual_factor = config.number("residual_multiplier", 1., 1e-9, 1e9);
  form.attention_scale = config.number("attention_multiplier", 1., 1e-9, 1e9);
  form.logit_factor = 1. / config.number("logits_scaling", 1., 1e-9, 1e9);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  return form;
}

Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  gguf_copy_number(out, "embedding_multiplier", gguf, "embedding_scale");
  gguf_copy_number(out, "residual_multiplier", gguf, "residual_scale");
  gguf_copy_number(out, "attention_multiplier", gguf, "attention.scale");
  gguf_copy_number(out, "logits_scaling", gguf, "logit_scale");
  return out;
}

void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  gguf_llama_keys(config, out);
  gguf_put_number(config, "embedding_multiplier", out, "embedding_scale");
  gguf_put_number(config, "residual_multiplier", out, "residual_scale");
  gguf_put_number(config, "attention_multiplier", out, "attention.scale");
  gguf_put_number(config, "logits_scaling", out, "logit_scale");
}

}  // namespace

REGISTER_DECODER(granite, read, "GraniteForCausalLM",
                 GgufForm{"granite", gguf_decoder_names(), gguf_config, gguf_keys_of, true});

}  // namespace afina
