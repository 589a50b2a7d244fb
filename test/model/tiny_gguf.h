// A model as the GGUF file that llama.cpp's converter would write of it, in F32.
#pragma once
#include <map>

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

// All queries, all keys, all values of what has query, key and value of each head in turn.
inline std::vector<float> joined_by_kind(const std::vector<float>& values, size_t heads,
                                         size_t rows) {
  size_t width = values.size() / rows, dim = rows / heads / 3;
  std::vector<float> out(values.size());
  for (size_t r = 0; r < rows; ++r) {
    size_t h = r / (3 * dim), kind = r / dim % 3, to = (kind * heads + h) * dim + r % dim;
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
    {"mlp.gate_up_proj", "ffn_up"},
    {"attention.query_key_value", "attn_qkv"},
    {"attention.dense", "attn_output"},
    {"mlp.dense_h_to_4h", "ffn_up"},
    {"mlp.dense_4h_to_h", "ffn_down"},
    {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},
    {"block_sparse_moe.gate", "ffn_gate_inp"},
    {"mlp.gate", "ffn_gate_inp"},
    {"block_sparse_moe.experts.*.w1", "ffn_gate_exps"},
    {"block_sparse_moe.experts.*.w2", "ffn_down_exps"},
    {"block_sparse_moe.experts.*.w3", "ffn_up_exps"},
    {"mlp.experts.*.gate_proj", "ffn_gate_exps"},
    {"mlp.experts.*.down_proj", "ffn_down_exps"},
    {"mlp.experts.*.up_proj", "ffn_up_exps"},
    {"self_attn.q_layernorm.norms.*", "attn_q_norm"},
    {"self_attn.k_layernorm.norms.*", "attn_k_norm"}};
// Where norms stand after branches too.
inline const std::pair<const char*, const char*> normed_parts[] = {
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"}};
inline const std::pair<const char*, const char*> gpt2_parts[] = {
    {"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"}, {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},  {"ln_1", "attn_norm"},          {"ln_2", "ffn_norm"}};

// Tensors by their names, with how many parameters were joined into each.
struct GgufTensor {
  std::vector<float> values;
  std::vector<uint64_t> dimensions;
  uint64_t parts = 0;  // 0: it is one parameter
};
using GgufTensors = std::map<std::string, GgufTensor>;

inline void add(GgufTensors& out, const Model& model, const Parameter& p) {
  std::string name = p.name;
  bool part = false;
  for (std::string inside : {".experts.", ".norms."})
    if (size_t at = name.find(inside); at != name.npos) {
      at += inside.size();
      name.replace(at, name.find('.', at) - at, "*");
      part = true;
    }
  auto replace = [&](const std::string& from, const std::string& to) {
    if (size_t at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
  };
  for (auto [from, to] :
       {std::pair("model.layers.", "blk."), std::pair("transformer.h.", "blk."),
        std::pair("model.embed_tokens", "token_embd"), std::pair("model.norm", "output_norm"),
        std::pair("lm_head", "output"), std::pair("transformer.wte", "token_embd"),
        std::pair("transformer.wpe", "position_embd"), std::pair("gpt_neox.layers.", "blk."),
        std::pair("gpt_neox.embed_in", "token_embd"),
        std::pair("gpt_neox.final_layer_norm", "output_norm"), std::pair("embed_out", "output"),
        std::pair("transformer.ln_f", "output_norm")})
    replace(from, to);
  const std::string& architecture = model.config.architecture;
  const bool gemma = architecture.starts_with("gemma");
  if ((gemma && architecture != "gemma") || architecture.starts_with("olmo"))
    for (auto [from, to] : normed_parts)
      replace(std::string(".") + from + ".", std::string(".") + to + ".");
  for (auto [from, to] : llama_parts)
    replace(std::string(".") + from + ".", std::string(".") + to + ".");
  for (auto [from, to] : gpt2_parts)
    replace(std::string(".") + from + ".", std::string(".") + to + ".");
  std::vector<float> values = p.exact().values();
  if (gemma && name.ends_with("norm.weight"))
    for (float& value : values) value += 1.f;
  bool llama = false;
  for (const char* reordered : {"llama", "granite", "smollm3", "mixtral", "ministral3"})
    llama = llama || architecture == reordered;
  if (llama && name.find("attn_q.") != name.npos)
    values = interleaved(values, size_t(model.config.heads), size_t(p.shape[0]));
  if (llama && name.find("attn_k.") != name.npos)
    values = interleaved(values, size_t(model.config.kv_heads), size_t(p.shape[0]));
  if (p.name.find("query_key_value") != p.name.npos)
    values = joined_by_kind(values, size_t(model.config.heads), size_t(p.shape[0]));
  GgufTensor& tensor = out[name];
  tensor.dimensions.clear();
  for (int i = p.shape.rank(); i-- > 0;) tensor.dimensions.push_back(uint64_t(p.shape[i]));
  tensor.values.insert(tensor.values.end(), values.begin(), values.end());
  if (part) tensor.dimensions.push_back(++tensor.parts);
}

// How llama.cpp calls an architecture.
inline std::string gguf_architecture(const std::string& ours) {
  for (auto [name, theirs] :
       {std::pair("gemma3_text", "gemma3"), std::pair("gpt_neox", "gptneox"),
        std::pair("olmo3", "olmo2"), std::pair("mixtral", "llama"),
        std::pair("qwen3_moe", "qwen3moe"), std::pair("ministral3", "mistral3")})
    if (ours == name) return theirs;
  return ours;
}

// A tiny model as a GGUF file, as llama.cpp's converter writes it.
inline GgufBuilder as_gguf(const Model& model) {
  const ModelConfig& c = model.config;
  GgufBuilder out;
  const std::string name = gguf_architecture(c.architecture);
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
    const bool layer_norm = c.json.contains("layer_norm_eps") || c.json.contains("norm_epsilon");
    put(layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
        float(c.norm_eps));
    const Json rope = c.json.value("rope_parameters", Json::object());
    if (rope.contains("partial_rotary_factor"))
      put("rope.dimension_count",
          uint32_t(double(c.head_dim) * rope.at("partial_rotary_factor").get<double>()));
    if (name == "gptneox")
      put("use_parallel_residual", c.json.value("use_parallel_residual", true));
    if (c.architecture == "mixtral" || c.architecture == "qwen3_moe") {
      const bool mixtral = c.architecture == "mixtral";
      const char* count =
          c.json.contains("num_local_experts") ? "num_local_experts" : "num_experts";
      put("expert_count", uint32_t(c.json.at(count).get<int64_t>()));
      put("expert_used_count", uint32_t(c.json.at("num_experts_per_tok").get<int64_t>()));
      if (!mixtral)
        put("expert_feed_forward_length",
            uint32_t(c.json.at("moe_intermediate_size").get<int64_t>()));
    }
    const Json yarn = c.architecture == "olmo3" ? rope.at("full_attention") : rope;
    if (yarn.value("rope_type", std::string()) == "yarn") {
      put("rope.scaling.type", "yarn");
      put("rope.scaling.factor", float(yarn.at("factor").get<double>()));
      put("rope.scaling.original_context_length",
          uint32_t(yarn.at("original_max_position_embeddings").get<int64_t>()));
      if (yarn.contains("mscale_all_dim")) {
        put("rope.scaling.yarn_log_multiplier", float(yarn.at("mscale_all_dim").get<double>()));
        put("attention.temperature_scale", float(yarn.at("llama_4_scaling_beta").get<double>()));
      }
    }
    if (c.architecture == "olmo3") {
      std::string bytes = GgufBuilder::raw(uint32_t(7)) + GgufBuilder::raw(uint64_t(c.layers));
      for (const Json& type : c.json.at("layer_types").elements())
        bytes += type == "sliding_attention" ? '\1' : '\0';
      out.pair(name + ".attention.sliding_window_pattern", 9, bytes);
    }
    for (auto [key, to] : {std::pair("embedding_multiplier", "embedding_scale"),
                           std::pair("residual_multiplier", "residual_scale"),
                           std::pair("attention_multiplier", "attention.scale"),
                           std::pair("logits_scaling", "logit_scale"),
                           std::pair("attn_logit_softcapping", "attn_logit_softcapping"),
                           std::pair("final_logit_softcapping", "final_logit_softcapping")})
      if (c.json.contains(key) && !c.json[key].is_null()) put(to, float(c.json[key].get<double>()));
    if (c.json.contains("sliding_window") && !c.json["sliding_window"].is_null() &&
        (name.starts_with("gemma") || name == "phi3" || c.architecture == "olmo3"))
      put("attention.sliding_window", uint32_t(c.json["sliding_window"].get<int64_t>()));
  }
  if (c.json.contains("rope_parameters") && c.json["rope_parameters"].contains("rope_type") &&
      c.json["rope_parameters"]["rope_type"] == "linear") {
    put("rope.scaling.type", "linear");
    put("rope.scaling.factor", 4.f);
  }
  out.set("tokenizer.ggml.eos_token_id", uint32_t(2));
  GgufTensors tensors;
  for (const Parameter& p : model.parameters->all) add(tensors, model, p);
  for (auto& [name_of, t] : tensors)
    out.tensor(name_of, 0, t.dimensions,
               std::string(reinterpret_cast<const char*>(t.values.data()), t.values.size() * 4));
  return out;
}

}  // namespace afina
