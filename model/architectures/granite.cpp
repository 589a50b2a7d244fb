// Granite 3 (IBM, 2024): Llama with factors of the embeddings, the branches, the scores and the
// logits.
#include "model/architectures/decoder.h"

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

}  // namespace

REGISTER_DECODER(granite, read, "GraniteForCausalLM");

}  // namespace afina
