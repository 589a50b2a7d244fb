// Llama (Touvron et al., 2023), the decoder that most others are described by; and models that are
// computed alike but for defaults and names of keys: InternLM3, IQuest-Coder, Seed-OSS.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

DecoderForm read(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c);
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.bias.up = form.bias.down = config.flag("mlp_bias", false);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  // transformers' Llama has neither; a config that says otherwise means another model.
  config.only("sliding_window", nullptr);
  config.only("rope_interleaved", false);
  return form;
}

// transformers opens these two as a Llama.
DecoderForm read_alias(ConfigReader& config, ModelConfig& c, int64_t kv_heads, bool attention_bias,
                       bool mlp_bias) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = kv_heads, .head_dim = 128, .eps = 1e-5});
  form.bias.qkv = form.bias.output = attention_bias;
  form.bias.up = form.bias.down = mlp_bias;
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  return form;
}
DecoderForm read_internlm3(ConfigReader& config, ModelConfig& c) {
  bool qkv = config.flag("qkv_bias", config.flag("attention_bias", false)),
       rest = config.flag("bias", config.flag("mlp_bias", false));
  require(qkv == rest, config.where(), ": qkv_bias and bias differ, which transformers' InternLM3 ",
          "refuses too");
  return read_alias(config, c, 2, qkv, rest);
}
DecoderForm read_iquestcoder(ConfigReader& config, ModelConfig& c) {
  config.only("clip_qkv", nullptr);
  config.only("use_sliding_window", false);
  config.ignore({"sliding_window", "max_window_layers"});
  bool attention = config.flag("attention_bias", false);
  return read_alias(config, c, 8, attention, config.flag("mlp_bias", false));
}

DecoderForm read_seed_oss(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 8, .head_dim = 128});
  form.bias.qkv = config.flag("attention_bias", true);
  form.bias.output = config.flag("attention_out_bias", false);
  form.bias.up = form.bias.down = config.flag("mlp_bias", false);
  config.dropout("residual_dropout");
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  return form;
}

// Mistral's files have this form too, and Mixtral's, with experts.
bool has_no_experts(const Gguf& gguf) { return gguf_expert_count(gguf) == 0; }
Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  out["attention_bias"] = gguf.find("blk.0.attn_q.bias") != nullptr;
  out["mlp_bias"] = gguf.find("blk.0.ffn_gate.bias") != nullptr;
  return out;
}

}  // namespace

REGISTER_DECODER(internlm3, read_internlm3, "LlamaForCausalLM");
REGISTER_DECODER(iquestcoder, read_iquestcoder, "LlamaForCausalLM");
REGISTER_DECODER(seed_oss, read_seed_oss, "SeedOssForCausalLM");
REGISTER_DECODER(llama, read, "LlamaForCausalLM",
                 GgufForm{.name = "llama",
                          .names = gguf_decoder_names(),
                          .config = gguf_config,
                          .keys = gguf_llama_keys,
                          .reorders = true,
                          .fits = has_no_experts});

}  // namespace afina
