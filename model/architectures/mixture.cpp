// Mixtures of experts: Mixtral (Jiang et al., 2024), a Mistral, and Qwen3-MoE (Yang et al., 2025),
// a Qwen3, whose MLPs are experts of which each token uses a few.
#include <algorithm>

#include "model/architectures/decoder.h"

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

}  // namespace

REGISTER_DECODER(mixtral, read_mixtral, "MixtralForCausalLM");
REGISTER_DECODER(qwen3_moe, read_qwen3_moe, "Qwen3MoeForCausalLM");

}  // namespace afina
