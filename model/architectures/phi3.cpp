// Phi-3 (Abdin et al., 2024) and Phi-4: Llama with queries, keys and values in one layer, gate and
// up in another, a partial rotary embedding and longrope.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.eps = 1e-5});
  form.qkv = QkvForm::joined;
  form.mlp = MlpForm::gated_joined;
  config.dropout("resid_pdrop");
  config.dropout("embd_pdrop");
  config.only("attention_bias", false);
  config.only("mlp_bias", false);
  config.only("lm_head_bias", false);
  // Of Phi-4-mini's own code; neither is read by transformers.
  config.ignore({"full_attn_mod", "interpolate_factor", "embd_layer"});
  RopeForm rope = read_rope(config, c.head_dim, c.context, {.partial_supported = true});
  require(rope.kind == "default" || rope.kind == "longrope", config.where(), ": rope_type '",
          rope.kind, "' is not known for a phi3; known: default, longrope");
  rope_everywhere(form, c, rope);
  int64_t window = read_window(config, 0);
  slide(config, form, c, std::vector<bool>(size_t(c.layers), window > 0), window);
  return form;
}

Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  const std::string key = gguf_prefix(gguf) + "attention.sliding_window";
  if (int64_t window = get_or<int64_t>(gguf.metadata(), key, gguf.path(), 0))
    out["sliding_window"] = window;
  return out;
}

void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out);
  const RopeForm rope = gguf_rope_of(config, {.partial_supported = true});
  gguf_rope_keys(config, rope, out);
  out.size("rope.dimension_count", rope.turned);
  if (auto window = get_or<int64_t>(config.json, "sliding_window", "config.json", 0))
    out.size("attention.sliding_window", window);
}

}  // namespace

REGISTER_DECODER(phi3, read, "Phi3ForCausalLM",
                 GgufForm{"phi3",
                          gguf_decoder_names({{"self_attn.qkv_proj", "attn_qkv"},
                                              {"mlp.gate_up_proj", "ffn_up"}}),
                          gguf_config, gguf_keys_of});

}  // namespace afina
