// OLMo 2 (OLMo Team, 2024): no norm before a branch but one after, and norms of all queries and all
// keys; OLMo 3 (2025): the same with windows in three layers of four, and a rotary embedding of
// their own.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

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

// The files of both have one form; those of OLMo 3 name a window.
bool has_window(const Gguf& gguf) {
  return find_member(gguf.metadata(), gguf_prefix(gguf) + "attention.sliding_window",
                     gguf.path()) != nullptr;
}
bool has_none(const Gguf& gguf) { return !has_window(gguf); }

// YaRN is for the layers that see everything; the others have the plain embedding of the same base.
Json gguf_olmo3(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  const std::string prefix = gguf_prefix(gguf) + "attention.sliding_window";
  out["sliding_window"] = config_size(gguf.metadata(), prefix, gguf.path(), int64_t(1) << 30);
  const int64_t layers = out["num_hidden_layers"].get<int64_t>();
  const Json pattern = gguf.metadata().value(prefix + "_pattern", Json());
  Json types = Json::array();
  for (int64_t i = 0; i < layers; ++i) {
    bool slides = (i + 1) % 4 != 0;
    if (!pattern.is_null()) {
      require(pattern.is_array() && int64_t(pattern.size()) == layers &&
                  pattern[size_t(i)].is_boolean(),
              gguf.path(), ": ", prefix, "_pattern should have a truth value for each of the ",
              layers, " layers, found ", describe(pattern));
      slides = pattern[size_t(i)].get<bool>();
    }
    types.push_back(slides ? "sliding_attention" : "full_attention");
  }
  out["layer_types"] = types;
  const double theta = out.value("rope_theta", 10000.);
  Json full = out.value("rope_scaling", Json{{"rope_type", "default"}});
  full["rope_theta"] = theta;
  out.erase("rope_scaling");
  out.erase("rope_theta");
  out["rope_parameters"] = {
      {"full_attention", full},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", theta}}}};
  return out;
}

Json gguf_olmo2(const Gguf& gguf) { return gguf_decoder_config(gguf); }

void gguf_olmo2_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias"});
  gguf_plain_keys(config, out);
}
void gguf_olmo3_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias"});
  gguf_decoder_keys(config, out);
  ConfigReader reader(config.json, "config.json");
  gguf_rope_keys(config,
                 read_layer_ropes(reader, config.head_dim, config.context, 5e5, 5e5, nullptr).full,
                 out);
  out.size("attention.sliding_window",
           get_or<int64_t>(config.json, "sliding_window", "config.json", 4096));
  std::vector<bool> slides =
      sliding_layers(reader, config, [](int64_t i) { return (i + 1) % 4 != 0; });
  out.set("attention.sliding_window_pattern", slides);
}

const GgufNames names = gguf_decoder_names({{"post_attention_layernorm", "post_attention_norm"},
                                            {"post_feedforward_layernorm", "post_ffw_norm"}});

}  // namespace

REGISTER_DECODER(olmo2, read_olmo2, "Olmo2ForCausalLM",
                 GgufForm{.name = "olmo2",
                          .names = names,
                          .config = gguf_olmo2,
                          .keys = gguf_olmo2_keys,
                          .fits = has_none});
REGISTER_DECODER(olmo3, read_olmo3, "Olmo3ForCausalLM",
                 GgufForm{.name = "olmo2",
                          .names = names,
                          .config = gguf_olmo3,
                          .keys = gguf_olmo3_keys,
                          .fits = has_window});

}  // namespace afina
