// A model as the GGUF file that llama.cpp's converter would write of it, in F32.
#pragma once
#include "model/model.h"
#include "test/engine/files/gguf_builder.h"

namespace afina {

// The rows of each head as llama.cpp orders them: the two halves interleaved.
inline std::vector<float> interleaved(const std::vector<float>& values, size_t heads, size_t rows) {
  size_t width = values.size() / rows, dim = rows / heads;
  std::vector<float> out(values.size());
  for (size_t r = 0; r < rows; ++r) {
    size_t h = r / dim, in = r % dim, to = h * dim + 2 * (in % (dim / 2)) + in / (dim / 2);
    std::copy_n(values.begin() + long(r * width), width, out.begin() + long(to * width));
  }
  return out;
}

inline const std::pair<const char*, const char*> llama_parts[] = {
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"mlp.gate_up_proj", "ffn_up"}};
// Where norms stand after branches too.
inline const std::pair<const char*, const char*> normed_parts[] = {
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"}};
inline const std::pair<const char*, const char*> gpt2_parts[] = {
    {"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"}, {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},  {"ln_1", "attn_norm"},          {"ln_2", "ffn_norm"}};

inline void add(GgufBuilder& out, const Model& model, const Parameter& p) {
  std::string name = p.name;
  auto replace = [&](const std::string& from, const std::string& to) {
    if (size_t at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
  };
  for (auto [from, to] :
       {std::pair("model.layers.", "blk."), std::pair("transformer.h.", "blk."),
        std::pair("model.embed_tokens", "token_embd"), std::pair("model.norm", "output_norm"),
        std::pair("lm_head", "output"), std::pair("transformer.wte", "token_embd"),
        std::pair("transformer.wpe", "position_embd"),
        std::pair("transformer.ln_f", "output_norm")})
    replace(from, to);
  const std::string& architecture = model.config.architecture;
  const bool gemma = architecture.starts_with("gemma");
  if ((gemma && architecture != "gemma") || architecture == "olmo2")
    for (auto [from, to] : normed_parts)
      replace(std::string(".") + from + ".", std::string(".") + to + ".");
  for (auto [from, to] : llama_parts)
    replace(std::string(".") + from + ".", std::string(".") + to + ".");
  for (auto [from, to] : gpt2_parts)
    replace(std::string(".") + from + ".", std::string(".") + to + ".");
  std::vector<float> values = p.exact().values();
  if (gemma && name.ends_with("norm.weight"))
    for (float& value : values) value += 1.f;
  bool llama = architecture == "llama" || architecture == "granite" || architecture == "smollm3";
  if (llama && name.find("attn_q.") != name.npos)
    values = interleaved(values, size_t(model.config.heads), size_t(p.shape[0]));
  if (llama && name.find("attn_k.") != name.npos)
    values = interleaved(values, size_t(model.config.kv_heads), size_t(p.shape[0]));
  std::vector<uint64_t> dimensions;
  for (int i = p.shape.rank(); i-- > 0;) dimensions.push_back(uint64_t(p.shape[i]));
  out.tensor(name, 0, dimensions,
             std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4));
}

// A tiny model as a GGUF file, as llama.cpp's converter writes it.
inline GgufBuilder as_gguf(const Model& model) {
  const ModelConfig& c = model.config;
  GgufBuilder out;
  const std::string name = c.architecture == "gemma3_text" ? "gemma3" : c.architecture;
  auto put = [&](const char* key, auto value) { out.set(name + "." + key, value); };
  out.set("general.architecture", name.c_str());
  put("block_count", uint32_t(c.layers));
  put("embedding_length", uint32_t(c.dim));
  put("feed_forward_length", uint32_t(c.ffn_dim));
  put("context_length", uint32_t(c.context));
  put("attention.head_count", uint32_t(c.heads));
  if (c.architecture == "gpt2") {
    put("attention.layer_norm_epsilon", float(c.norm_eps));
  } else {
    put("attention.head_count_kv", uint32_t(c.kv_heads));
    put("attention.key_length", uint32_t(c.head_dim));
    put("rope.freq_base", float(c.rope_theta));
    put("attention.layer_norm_rms_epsilon", float(c.norm_eps));
    for (auto [key, to] : {std::pair("embedding_multiplier", "embedding_scale"),
                           std::pair("residual_multiplier", "residual_scale"),
                           std::pair("attention_multiplier", "attention.scale"),
                           std::pair("logits_scaling", "logit_scale"),
                           std::pair("attn_logit_softcapping", "attn_logit_softcapping"),
                           std::pair("final_logit_softcapping", "final_logit_softcapping")})
      if (c.json.contains(key) && !c.json[key].is_null()) put(to, float(c.json[key].get<double>()));
    if (c.json.contains("sliding_window") && !c.json["sliding_window"].is_null() &&
        (name.starts_with("gemma") || name == "phi3"))
      put("attention.sliding_window", uint32_t(c.json["sliding_window"].get<int64_t>()));
  }
  if (c.json.contains("rope_parameters") && c.json["rope_parameters"].contains("rope_type") &&
      c.json["rope_parameters"]["rope_type"] == "linear") {
    put("rope.scaling.type", "linear");
    put("rope.scaling.factor", 4.f);
  }
  out.set("tokenizer.ggml.eos_token_id", uint32_t(2));
  for (const Parameter& p : model.parameters->all) add(out, model, p);
  return out;
}

}  // namespace afina
