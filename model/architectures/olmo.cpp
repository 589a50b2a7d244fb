// OLMo 2 (OLMo Team, 2024): no norm before a branch but one after, and norms of all queries and all
// keys; OLMo 3 (2025): the same with windows in three layers of four, and a rotary embedding of
// their own.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"

namespace afina {

namespace {

DecoderForm begin(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.eps = 1e-5});
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.qk_norm = QkNorm::whole;
  form.names.before_attention = "";
  form.names.after_attention = "post_attention_layernorm";
  form.names.before_mlp = "";
  form.names.after_mlp = "post_feedforward_layernorm";
  config.only("clip_qkv", nullptr);
  return form;
}

DecoderForm read_olmo2(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin(config, c);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  return form;
}

DecoderForm read_olmo3(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin(config, c);
  std::vector<bool> slides = sliding_layers(config, c, [](int64_t i) { return (i + 1) % 4 != 0; });
  slide(config, form, c, slides, read_window(config, 4096));
  LayerRopes ropes = read_layer_ropes(config, c.head_dim, c.context, 5e5, 5e5, nullptr);
  form.ropes = {ropes.full, ropes.sliding};
  for (size_t i = 0; i < slides.size(); ++i) form.rope[i] = slides[i] ? 1 : 0;
  return form;
}

// OLMo 3's files have this form too, with a window.
Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  require(
      !find_member(gguf.metadata(), gguf_prefix(gguf) + "attention.sliding_window", gguf.path()),
      gguf.path(), ": an OLMo 3 is not read from GGUF; use the model's Hugging Face folder");
  return out;
}

}  // namespace

REGISTER_DECODER(olmo2, read_olmo2, "Olmo2ForCausalLM",
                 GgufForm{"olmo2",
                          gguf_decoder_names({{"post_attention_layernorm", "post_attention_norm"},
                                              {"post_feedforward_layernorm", "post_ffw_norm"}}),
                          gguf_config});
REGISTER_DECODER(olmo3, read_olmo3, "Olmo3ForCausalLM");

}  // namespace afina
