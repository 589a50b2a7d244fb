// GPT-NeoX (Black et al., 2022; Pythia: Biderman et al., 2023): LayerNorm, attention and MLP side
// by side, one layer for query, key and value of each head, a quarter of each head's columns
// rotated.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(
      config, c,
      {.own_head_dim = false, .eps_key = "layer_norm_eps", .eps = 1e-5, .activation = "gelu"});
  require(c.kv_heads == c.heads, config.where(), ": num_key_value_heads ", c.kv_heads,
          " other than num_attention_heads ", c.heads, " is not known for a gpt_neox");
  form.norm = NormKind::layer;
  form.qkv = QkvForm::by_head;
  form.mlp = MlpForm::plain;
  form.parallel = config.flag("use_parallel_residual", true);
  form.bias.qkv = form.bias.output = config.flag("attention_bias", true);
  form.bias.up = form.bias.down = true;
  auto& n = form.names;
  n.root = "gpt_neox";
  n.tokens = "embed_in";
  n.norm = "final_layer_norm";
  n.head = "embed_out";
  n.attention = "attention";
  n.joined = "query_key_value";
  n.output = "dense";
  n.of_mlp.up = "dense_h_to_4h";
  n.of_mlp.down = "dense_4h_to_h";
  config.dropout("hidden_dropout");
  rope_everywhere(form, c,
                  read_rope(config, c.head_dim, c.context,
                            {.partial = 0.25,
                             .partial_supported = true,
                             .theta_key = "rotary_emb_base",
                             .partial_key = "rotary_pct"}));
  return form;
}

Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf, GgufNorm::layer);
  gguf_partial_rope(out, "rotary_pct");
  out.erase("num_key_value_heads");
  if (out.contains("rope_theta")) out["rotary_emb_base"] = out["rope_theta"];
  out.erase("rope_theta");
  out["hidden_act"] = "gelu";
  out["use_parallel_residual"] =
      get_or<bool>(gguf.metadata(), gguf_prefix(gguf) + "use_parallel_residual", gguf.path(), true);
  out["attention_bias"] = gguf.find("blk.0.attn_qkv.bias") != nullptr;
  return out;
}

void gguf_keys_of(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out, GgufNorm::layer);
  const RopeForm rope = gguf_rope_of(config, {.partial = 0.25,
                                              .partial_supported = true,
                                              .theta_key = "rotary_emb_base",
                                              .partial_key = "rotary_pct"});
  gguf_rope_keys(config, rope, out);
  out.size("rope.dimension_count", rope.turned);
  out.set("use_parallel_residual",
          get_or<bool>(config.json, "use_parallel_residual", "config.json", true));
}

}  // namespace

REGISTER_DECODER(gpt_neox, read, "GPTNeoXForCausalLM",
                 GgufForm{.name = "gptneox",
                          .names = {{"gpt_neox.embed_in", "token_embd"},
                                    {"gpt_neox.final_layer_norm", "output_norm"},
                                    {"embed_out", "output"},
                                    {"attention.query_key_value", "attn_qkv"},
                                    {"attention.dense", "attn_output"},
                                    {"mlp.dense_h_to_4h", "ffn_up"},
                                    {"mlp.dense_4h_to_h", "ffn_down"},
                                    {"input_layernorm", "attn_norm"},
                                    {"post_attention_layernorm", "ffn_norm"}},
                          .config = gguf_config,
                          .keys = gguf_keys_of,
                          .joins = "query_key_value"});

}  // namespace afina
