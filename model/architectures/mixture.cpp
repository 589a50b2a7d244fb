// Mixtures of experts: Mixtral (Jiang et al., 2024), a Mistral, and Qwen3-MoE (Yang et al., 2025),
// a Qwen3, whose MLPs are experts of which each token uses a few.
#include <algorithm>

#include "engine/files/gguf.h"
#include "model/architectures/decoder.h"
#include "model/gguf_keys.h"

namespace afina {

namespace {

// The numbers of experts, and the loss of the routers, which transformers adds where the config
// asks for their logits.
void read_experts(ConfigReader& config, DecoderForm& form, const ModelConfig& c, int64_t chosen) {
  ExpertForm& e = form.experts;
  if (e.count == 0) return;
  e.chosen = config.size_or("num_experts_per_tok", chosen, 4096);
  require(e.chosen <= e.count, config.where(), ": num_experts_per_tok ", e.chosen,
          " is more than the ", e.count, " experts there are");
  const double factor = config.number("router_aux_loss_coef", 0.001, 0., 1e6);
  if (config.flag("output_router_logits", false)) e.loss_factor = factor;
  if (e.layers.empty()) e.layers.assign(size_t(c.layers), true);
}

DecoderForm read_mixtral(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 8, .eps = 1e-5});
  form.names.mlp = "block_sparse_moe";
  form.experts.names = {"w1", "w3", "", "w2"};
  form.experts.count = config.size_or("num_local_experts", 8, 4096);
  form.experts.width = c.ffn_dim;
  read_experts(config, form, c, 2);
  config.only("router_jitter_noise", 0.);
  config.only("attention_bias", false);
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context, {.theta = 1e6}));
  int64_t window = read_window(config, 0);
  slide(config, form, c, std::vector<bool>(size_t(c.layers), window > 0), window);
  return form;
}

DecoderForm read_qwen3_moe(ConfigReader& config, ModelConfig& c) {
  DecoderForm form = begin_decoder(config, c, {.kv_heads = 4});
  form.bias.qkv = form.bias.output = config.flag("attention_bias", false);
  form.qk_norm = QkNorm::head;
  rope_everywhere(form, c, read_rope(config, c.head_dim, c.context));
  const bool used = config.flag("use_sliding_window", false);
  int64_t window = read_window(config, 4096);
  if (!used) window = 0;
  slide(config, form, c, std::vector<bool>(size_t(c.layers), window > 0), window);
  config.ignore({"max_window_layers"});
  // Two names of one number.
  form.experts.count = int64_t(config.number(
      config.has("num_experts") ? "num_experts" : "num_local_experts", 128., 0., 4096.));
  config.ignore({"num_experts", "num_local_experts"});
  form.experts.width = config.size_or("moe_intermediate_size", 768);
  form.experts.normalise = config.flag("norm_topk_prob", false);
  const int64_t every = config.size_or("decoder_sparse_step", 1, 4096);
  std::vector<int64_t> dense = config.integers("mlp_only_layers");
  for (int64_t i = 0; i < c.layers; ++i)
    form.experts.layers.push_back(std::find(dense.begin(), dense.end(), i) == dense.end() &&
                                  (i + 1) % every == 0);
  read_experts(config, form, c, 8);
  if (std::find(form.experts.layers.begin(), form.experts.layers.end(), true) ==
      form.experts.layers.end())
    form.experts.loss_factor = 0.;
  return form;
}

// llama.cpp keeps the experts of a layer in one tensor each. Mixtral's files are a llama's with
// them.
Json gguf_experts(const Gguf& gguf) {
  Json out = gguf_decoder_config(gguf, GgufNorm::rms, true);
  const std::string prefix = gguf_prefix(gguf);
  auto size = [&](const char* key, int64_t most) {
    return config_size(gguf.metadata(), prefix + key, gguf.path(), most);
  };
  out["num_experts_per_tok"] = size("expert_used_count", 4096);
  return out;
}
Json gguf_mixtral(const Gguf& gguf) {
  Json out = gguf_experts(gguf);
  out["num_local_experts"] = gguf_expert_count(gguf);
  return out;
}
// llama.cpp has every layer's MLP made of experts here, and their weights sum to 1.
Json gguf_qwen3_moe(const Gguf& gguf) {
  Json out = gguf_experts(gguf);
  out["num_experts"] = gguf_expert_count(gguf);
  out["moe_intermediate_size"] =
      config_size(gguf.metadata(), gguf_prefix(gguf) + "expert_feed_forward_length", gguf.path(),
                  int64_t(1) << 20);
  out["norm_topk_prob"] = true;
  return out;
}
bool has_experts(const Gguf& gguf) { return gguf_expert_count(gguf) > 0; }

void gguf_mixtral_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out);
  gguf_rope_keys(config, gguf_rope_of(config, {.theta = 1e6}), out);
  out.size("vocab_size", config.vocabulary);
  out.size("rope.dimension_count", config.head_dim);
  out.size("expert_count", get_or<int64_t>(config.json, "num_local_experts", "config.json", 8));
  out.size("expert_used_count",
           get_or<int64_t>(config.json, "num_experts_per_tok", "config.json", 2));
  gguf_end_at_window(config, out);
}
void gguf_qwen3_moe_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_without_bias(config, {"attention_bias"});
  gguf_plain_keys(config, out);
  auto number = [&](const char* key, int64_t otherwise) {
    return get_or<int64_t>(config.json, key, "config.json", otherwise);
  };
  out.size("expert_count", number("num_experts", number("num_local_experts", 128)));
  out.size("expert_used_count", number("num_experts_per_tok", 8));
  out.size("expert_feed_forward_length", number("moe_intermediate_size", 768));
  require(
      get_or<bool>(config.json, "norm_topk_prob", "config.json", false) &&
          number("decoder_sparse_step", 1) == 1 &&
          config.json.value("mlp_only_layers", Json::array()).empty(),
      "config.json: llama.cpp has every layer of a qwen3moe made of experts, whose weights sum ",
      "to 1 (norm_topk_prob); this model is another. Write a Hugging Face folder (--to hf)");
  if (get_or<bool>(config.json, "use_sliding_window", "config.json", false))
    gguf_end_at_window(config, out);
}

}  // namespace

REGISTER_DECODER(
    mixtral, read_mixtral, "MixtralForCausalLM",
    GgufForm{.name = "llama",
             .names = gguf_decoder_names({{"block_sparse_moe.gate", "ffn_gate_inp"},
                                          {"block_sparse_moe.experts.*.w1", "ffn_gate_exps"},
                                          {"block_sparse_moe.experts.*.w3", "ffn_up_exps"},
                                          {"block_sparse_moe.experts.*.w2", "ffn_down_exps"}}),
             .config = gguf_mixtral,
             .keys = gguf_mixtral_keys,
             .reorders = true,
             .fits = has_experts});
REGISTER_DECODER(qwen3_moe, read_qwen3_moe, "Qwen3MoeForCausalLM",
                 GgufForm{
                     .name = "qwen3moe",
                     .names = gguf_decoder_names({{"mlp.gate", "ffn_gate_inp"},
                                                  {"mlp.experts.*.gate_proj", "ffn_gate_exps"},
                                                  {"mlp.experts.*.up_proj", "ffn_up_exps"},
                                                  {"mlp.experts.*.down_proj", "ffn_down_exps"}}),
                     .config = gguf_qwen3_moe,
                     .keys = gguf_qwen3_moe_keys});

}  // namespace afina
