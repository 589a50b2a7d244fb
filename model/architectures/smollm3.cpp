// SmolLM3 (Hugging Face, 2025): Llama in which every fourth layer has no rotary embedding (NoPE:
// Yang et al., 2025).
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 4, .tied = true});
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.bias.up = form.bias.down = config.flag("mlp_bias", false);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context, {.theta = 2e6}));
  const int64_t every = config.size_or("no_rope_layer_interval", 4, 4096);
  std::vector<int64_t> rope = config.integers("no_rope_layers");  // 1: with rotary embedding
  if (rope.empty())
    for (int64_t i = 0; i < c.layers; ++i) rope.push_back((i + 1) % every != 0);
  require(int64_t(rope.size()) == c.layers, config.where(), ": no_rope_layers has ", rope.size(),
          " entries for ", c.layers, " layers");
  for (size_t i = 0; i < rope.size(); ++i)
    if (!rope[i]) form.rope[i] = -1;
  int64_t window = read_window(config, 0);
  if (!config.flag("use_sliding_window", false)) window = 0;
  auto slides = [&](int64_t i) { return window > 0 && !rope[size_t(i)]; };
  slide(config, form, c, sliding_layers(config, c, slides), window);
  config.ignore({"max_window_layers"});
  return form;
}

// Which layers have no rotary embedding has no key: llama.cpp takes every fourth.
void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias", "mlp_bias"});
  gguf_decoder_keys(config, out);
  gguf_rope_keys(config, gguf_rope_of(config, {.theta = 2e6}), out);
  out.size("vocab_size", config.vocabulary);
  out.size("rope.dimension_count", config.head_dim);
  if (get_or<bool>(config.json, "use_sliding_window", "config.json", false))
    gguf_end_at_window(config, out);
}

}  // namespace

REGISTER_DECODER(smollm3, read, "SmolLM3ForCausalLM",
                 GgufForm{"smollm3", gguf_decoder_names(), gguf_plain_config, gguf_keys_of, true});

}  // namespace afina
