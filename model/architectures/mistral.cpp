// Mistral (Jiang et al., 2023): Llama with a sliding window; and Ministral, whose layer types
// alternate. transformers opens a mistral with layer_types as a ministral.
#include "engine/files/gguf.h"
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

// Ministral 3 (Mistral AI, 2025): YaRN, and queries that grow with the logarithm of the position.
DecoderForm read_ministral3(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 8, .head_dim = 128, .eps = 1e-5});
  require(config.find("rope_parameters") || config.find("rope_scaling"), config.where(),
          ": 'rope_parameters' is missing; a ministral3 needs it");
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context, {.query_beta = true}));
  int64_t window = read_window(config, 0);
  slide(config, form, c, std::vector<bool>(size_t(c.layers), window > 0), window);
  config.only("layer_types", nullptr);
  return form;
}

// Of YaRN's two factors of attention llama.cpp keeps one and takes 1 for the other, as all
// published models have it; beta is its temperature.
Json gguf_ministral3(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  require(out.contains("rope_scaling") && out["rope_scaling"]["rope_type"] == "yarn", gguf.path(),
          ": a mistral3 without YaRN is not supported; use the model's Hugging Face folder");
  Json rope = out["rope_scaling"];
  rope["rope_theta"] = out.value("rope_theta", 10000.);
  gguf_copy_number(rope, "mscale_all_dim", gguf, "rope.scaling.yarn_log_multiplier");
  if (rope.contains("mscale_all_dim")) rope["mscale"] = 1.;
  gguf_copy_number(rope, "llama_4_scaling_beta", gguf, "attention.temperature_scale");
  require(rope.contains("llama_4_scaling_beta"), gguf.path(),
          ": mistral3.attention.temperature_scale is missing; a ministral3 needs it");
  out.erase("rope_scaling");
  out.erase("rope_theta");
  out["rope_parameters"] = rope;
  return out;
}

}  // namespace

REGISTER_DECODER(ministral3, read_ministral3, "Ministral3ForCausalLM",
                 GgufForm{.name = "mistral3",
                          .names = gguf_decoder_names(),
                          .config = gguf_ministral3,
                          .reorders = true});
REGISTER_DECODER(mistral, read, "MistralForCausalLM");
REGISTER_DECODER(ministral, read, "MinistralForCausalLM");

}  // namespace afina
