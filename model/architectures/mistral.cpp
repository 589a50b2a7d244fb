// Mistral (Jiang et al., 2023): Llama with a sliding window; and Ministral, whose layer types
// alternate. transformers opens a mistral with layer_types as a ministral.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

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

void gguf_ministral3_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out);
  gguf_rope_keys(config, gguf_rope_of(config, {.query_beta = true}), out);
  out.size("vocab_size", config.vocabulary);
  out.size("rope.dimension_count", config.head_dim);
  const Json& rope = config.json.at("rope_parameters");
  if (rope.contains("mscale_all_dim"))
    out.number("rope.scaling.yarn_log_multiplier", rope.at("mscale_all_dim").get<double>());
  out.number("attention.temperature_scale",
             get<double>(rope, "llama_4_scaling_beta", "config.json: rope_parameters"));
}

// Mistral's files are a llama's, without the window.
void gguf_mistral_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_llama_keys(config, out);
  gguf_end_at_window(config, out);
}

}  // namespace

REGISTER_DECODER(ministral3, read_ministral3, "Ministral3ForCausalLM",
                 GgufForm{.name = "mistral3",
                          .names = gguf_decoder_names(),
                          .config = gguf_ministral3,
                          .keys = gguf_ministral3_keys,
                          .reorders = true});
REGISTER_DECODER(mistral, read, "MistralForCausalLM",
                 GgufForm{.name = "llama",
                          .names = gguf_decoder_names(),
                          .keys = gguf_mistral_keys,
                          .reorders = true,
                          .fits = gguf_only_written});
REGISTER_DECODER(ministral, read, "MinistralForCausalLM");

}  // namespace afina
