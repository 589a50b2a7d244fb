// Qwen2 (Yang et al., 2024): Llama with biases of queries, keys and values, and a window in the
// last layers where the config turns it on; and Qwen3 (Yang et al., 2025): with norms of each
// head's queries and keys instead.
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

void windows(ConfigReader& config, DecoderForm& form, const ModelConfig& c) {
  const bool used = config.flag("use_sliding_window", false);
  int64_t window = read_window(config, 4096);
  if (!used) window = 0;
  // 0 is a value here: then all layers slide.
  const int64_t full = int64_t(config.number("max_window_layers", 28., 0., 1e6));
  auto slides = [&](int64_t layer) { return window > 0 && layer >= full; };
  slide(config, form, c, sliding_layers(config, c, slides), window);
}

DecoderForm read_qwen2(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 32});
  form.bias.qkv = true;
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  windows(config, form, c);
  config.only("use_mrope", false);
  config.only("attention_bias", true);
  return form;
}

DecoderForm read_qwen3(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 32, .head_dim = 128});
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.qk_norm = QkNorm::head;
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  windows(config, form, c);
  return form;
}

// llama.cpp has no window here.
void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  if (config.architecture == "qwen3") gguf_without_bias(config, {"attention_bias"});
  gguf_plain_keys(config, out);
  if (get_or<bool>(config.json, "use_sliding_window", "config.json", false))
    gguf_end_at_window(config, out);
}

}  // namespace

REGISTER_DECODER(qwen2, read_qwen2, "Qwen2ForCausalLM",
                 GgufForm{"qwen2", gguf_decoder_names(), gguf_plain_config, gguf_keys_of});
REGISTER_DECODER(qwen3, read_qwen3, "Qwen3ForCausalLM",
                 GgufForm{"qwen3", gguf_decoder_names(), gguf_plain_config, gguf_keys_of});

}  // namespace afina
