// Llama (Touvron et al., 2023), the decoder that most others are described by.
#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"

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

// Mistral's files have this form too.
Json gguf_config(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf);
  out["attention_bias"] = gguf.find("blk.0.attn_q.bias") != nullptr;
  out["mlp_bias"] = gguf.find("blk.0.ffn_gate.bias") != nullptr;
  return out;
}

}  // namespace

REGISTER_DECODER(llama, read, "LlamaForCausalLM",
                 GgufForm{"llama", gguf_decoder_names(), gguf_config, true});

}  // namespace afina
