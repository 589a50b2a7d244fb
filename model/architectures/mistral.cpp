// Mistral (Jiang et al., 2023): Llama with a sliding window; and Ministral, whose layer types
// alternate. transformers opens a mistral with layer_types as a ministral.
#include "model/architectures/decoder.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 8});
  config.only("attention_bias", false);
  config.only("mlp_bias", false);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  int64_t window = read_window(config, 4096);
  slide(config, form, c, sliding_layers(config, c, [&](int64_t) { return window > 0; }), window);
  // transformers' Mistral knows neither: without layer_types the window holds in every layer.
  config.ignore({"use_sliding_window", "max_window_layers"});
  return form;
}

}  // namespace

REGISTER_DECODER(mistral, read, "MistralForCausalLM");
REGISTER_DECODER(ministral, read, "MinistralForCausalLM");

}  // namespace afina
