// Models of strangers: config.json, adapter_config.json, and whole GGUF files, down to building the model where it is small.
#include "model/file_weights.h"
#include "model/save.h"
#include "test/fuzz/fuzz.h"
#include "test/tiny_gguf.h"

namespace afina {

namespace {

const char* const llama =
    R"({"model_type": "llama", "vocab_size": 6, "hidden_size": 8, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
"num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 16, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "hidden_act": "silu",
"tie_word_embeddings": true, "attention_bias": false, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
"high_freq_factor": 4.0, "original_max_position_embeddings": 8}})";
const char* const gpt2 =
    R"({"model_type": "gpt2", "vocab_size": 6, "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 16, "n_inner": null,
"activation_function": "gelu_new", "layer_norm_epsilon": 1e-05})";
const char* const adapter =
    R"({"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4, "lora_dropout": 0.0, "use_rslora": true, "bias": "none",
"target_modules": ["q_proj", "mlp.up_proj"], "rank_pattern": {"q_proj": 1}, "alpha_pattern": {".*up_proj": 8}, "init_lora_weights": true})";

// Building costs memory: only what a seed's size could have become by honest means.
bool small(const ModelConfig& c) {
  return c.vocabulary < 4096 && c.dim < 256 && c.ffn_dim < 512 && c.layers < 8 && c.heads * c.head_dim < 512;
}

std::unique_ptr<Model> build(const ModelConfig& config, const MethodSpec& method) {
  RandomWeights weights(1);
  return build_model(config, weights, make_method(method), {});
}
void run_some(Model& model) {
  if (model.config.context >= 3) model.logits(make_inputs({0, model.config.vocabulary > 1 ? 1 : 0, 0}));
}

void run_config(std::string_view input) {
  ModelConfig config = parse_config(parse_json(input, "config.json"), "config.json");
  if (!small(config)) return;
  auto model = build(config, parse_method("full"));
  run_some(*model);
}
void run_adapter(std::string_view input) {
  MethodSpec method = adapter_method(parse_json(input, "adapter_config.json"), "adapter_config.json");
  if (method.options.count("rank") && method.options["rank"].size() > 3) return;
  auto model = build(parse_config(parse_json(llama, "config.json"), "config.json"), method);
  if (model->method->peft_config().is_null()) fail("no config to write");
}
void run_gguf(std::string_view input) {
  auto gguf = std::make_shared<const Gguf>(std::as_bytes(std::span(input)), "model.gguf");
  ModelConfig config = parse_config(config_of_gguf(*gguf), "model.gguf");
  auto source = gguf_weights(config, gguf);
  auto model = build_model(config, *source, make_method(parse_method("lora:rank=1")), {});
  run_some(*model);
}

std::vector<std::string> configs() { return {llama, gpt2}; }
std::vector<std::string> adapters() { return {adapter}; }
std::vector<std::string> ggufs() {
  std::vector<std::string> all;
  for (const char* text : {llama, gpt2}) {
    Json json = parse_json(text, "config.json");
    json.erase("rope_scaling");
    all.push_back(as_gguf(*build(parse_config(json, "config.json"), parse_method("full"))).build());
  }
  return all;
}

const FuzzTarget registered_config("model_config", run_config, configs,
                                   {"rope_scaling", "linear", "hidden_act", "null", "1e308", "-1", "qwen2", "mistral"});
const FuzzTarget registered_adapter("adapter_config", run_adapter, adapters,
                                    {"all-linear", "(.*)*", "re:", "null", "1e308", "*", "lm_head", "true"});
const FuzzTarget registered_gguf("gguf_model", run_gguf, ggufs,
                                 {"llama.block_count", "blk.0.attn_q.weight", "rope_freqs.weight", "output.weight", "qwen2"});

}  // namespace

}  // namespace afina
