// Models of strangers: config.json, PEFT adapters, and whole GGUF files, down to building the model
// where it is small.
#include <cstring>

#include "engine/random.h"
#include "model/files/file_weights.h"
#include "model/files/save.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/mutate_json.h"
#include "test/model/tiny_gguf.h"

namespace afina {

namespace {

const char* const llama =
    R"({"model_type": "llama", "vocab_size": 6, "hidden_size": 8, "intermediate_size": 4, )"
    R"("num_hidden_layers": 1, "num_attention_heads": 2,
"num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 16, "rms_norm_eps": )"
    R"(1e-05, "rope_theta": 10000.0, "hidden_act": "silu",
"tie_word_embeddings": true, "attention_bias": false, "rope_scaling": {"rope_type": )"
    R"("llama3", "factor": 8.0, "low_freq_factor": 1.0,
"high_freq_factor": 4.0, "original_max_position_embeddings": 8}})";
const char* const gpt2 =
    R"({"model_type": "gpt2", "vocab_size": 6, "n_embd": 8, "n_layer": 1, "n_head": 2, )"
    R"("n_positions": 16, "n_inner": null,
"activation_function": "gelu_new", "layer_norm_epsilon": 1e-05})";
// Together they have most of what a DecoderForm can say.
const char* const gemma3 =
    R"({"model_type": "gemma3_text", "vocab_size": 6, "hidden_size": 8, "intermediate_size": 4, )"
    R"("num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4,
"max_position_embeddings": 16, "sliding_window": 2, "layer_types": ["sliding_attention", )"
    R"("full_attention"], "query_pre_attn_scalar": 4, "final_logit_softcapping": 30.0,
"rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 4.0, )"
    R"("original_max_position_embeddings": 8}, "sliding_attention": {"rope_theta": 10000.0}}})";
const char* const phi3 =
    R"({"model_type": "phi3", "vocab_size": 6, "hidden_size": 8, "intermediate_size": 4, )"
    R"("num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
"max_position_embeddings": 16, "original_max_position_embeddings": 2, "rope_scaling": )"
    R"({"type": "longrope", "short_factor": [1.0, 2.0], "long_factor": [2.0, 4.0]}})";
const char* const qwen3_moe =
    R"({"model_type": "qwen3_moe", "vocab_size": 6, "hidden_size": 8, "intermediate_size": 4, )"
    R"("num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4,
"max_position_embeddings": 16, "num_experts": 3, "num_experts_per_tok": 2, )"
    R"("moe_intermediate_size": 4, "mlp_only_layers": [1], "norm_topk_prob": true})";
const char* const adapter =
    R"({"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4, )"
    R"("lora_dropout": 0.0, "use_rslora": true, "bias": "none",
"target_modules": ["q_proj", "mlp.up_proj"], "rank_pattern": {"q_proj": 1}, )"
    R"("alpha_pattern": {".*up_proj": 8}, "init_lora_weights": true})";

// Building costs memory: only what a seed's size could have become by honest means.
bool small(const ModelConfig& c) {
  for (const char* key : {"num_experts", "num_local_experts", "moe_intermediate_size"})
    if (get_or<double>(c.json, key, "config", 0.) > 64.) return false;
  if (c.architecture == "mixtral" || c.architecture == "qwen3_moe")
    if (!c.json.contains("num_experts") && !c.json.contains("num_local_experts")) return false;
  return (c.architecture != "gpt2" || c.context < 4096) && c.vocabulary < 4096 && c.dim < 256 &&
         c.ffn_dim < 512 && c.layers < 8 && c.heads * c.head_dim < 512;
}

// Zeros at once: random numbers would take longer than all that is tested here.
struct Zeros : WeightSource {
  void read(Parameter& into) override {
    std::memset(into.value.data<void>(), 0, into.value.bytes());
    if (into.master) std::memset(into.master.data<void>(), 0, into.master.bytes());
    into.settle();
  }
  bool has(const std::string&) const override { return true; }
};

std::unique_ptr<Model> build(const ModelConfig& config, const MethodSpec& method) {
  Zeros weights;
  return build_model(config, weights, make_method(method), {});
}
// Now and then: one in eight of the inputs, whatever they are.
void run_some(Model& model, std::string_view input) {
  if (model.config.context >= 3 && hash_of(input) % 8 == 0)
    model.logits(make_inputs({0, model.config.vocabulary > 1 ? 1 : 0, 0}));
}
const ModelConfig& llama_config() {
  static const ModelConfig config = parse_config(parse_json(llama, "config.json"), "config.json");
  return config;
}
// The rank is honest: what it asks for is taken.
bool small(const MethodSpec& method) {
  auto rank = method.options.find("rank");
  return (rank == method.options.end() || rank->second.size() < 3) &&
         method.options.count("ranks") == 0;
}

void run_config(std::string_view input) {
  ModelConfig config = parse_config(parse_json(input, "config.json"), "config.json");
  if (small(config)) run_some(*build(config, parse_method("full")), input);
}
void run_adapter_config(std::string_view input) {
  MethodSpec method = adapter_method(std::string(input), "adapter_config.json");
  if (!small(method)) return;
  if (build(llama_config(), method)->method->peft_config().is_null()) fail("no config to write");
}

// A whole adapter: adapter_config.json, this line, adapter_model.safetensors.
constexpr std::string_view parting = "\n---\n";
void run_adapter(std::string_view input) {
  size_t at = input.find(parting);
  require(at != input.npos, "no values behind the config");
  AdapterFiles files;
  files.method = adapter_method(std::string(input.substr(0, at)), "adapter_config.json");
  files.values = std::make_shared<const Safetensors>(
      std::as_bytes(std::span(input.substr(at + parting.size()))), "adapter_model.safetensors");
  if (!small(files.method)) return;
  auto model = build(llama_config(), files.method);
  files.apply(*model);
  run_some(*model, input);
}
void run_gguf(std::string_view input) {
  auto gguf = std::make_shared<const Gguf>(std::as_bytes(std::span(input)), "model.gguf");
  ModelConfig config = parse_config(config_of_gguf(*gguf), "model.gguf");
  auto source = gguf_weights(config, gguf);
  run_some(*build_model(config, *source, make_method(parse_method("full")), {}), input);
}

// The length in front of the header of adapter_model.safetensors is that of the JSON behind it.
void mend_adapter(std::string& input) {
  size_t at = input.find(parting);
  if (at == input.npos || at + parting.size() + 9 > input.size()) return;
  at += parting.size();
  uint64_t length = end_of_value(input, at + 8) - at - 8;
  std::memcpy(input.data() + at, &length, 8);
}

std::vector<std::string> configs() { return {llama, gpt2, gemma3, phi3, qwen3_moe}; }
std::vector<std::string> adapter_configs() { return {adapter}; }
std::vector<std::string> adapters() {
  std::vector<std::string> all;
  for (const char* text :
       {adapter,
        R"({"peft_type": "LORA", "r": 1, "lora_alpha": 1, "target_modules": "all-linear"})"}) {
    auto model = build(llama_config(), adapter_method(text, "adapter_config.json"));
    Json header = Json::object();
    std::string values;
    for (const Parameter* p : model->parameters->trained()) {
      size_t begin = values.size();
      values.append(p->value.bytes(), '\x3e');
      header[p->stored_name] = {{"dtype", "F32"},
                                {"shape", {p->shape[0], p->shape[1]}},
                                {"data_offsets", {begin, values.size()}}};
    }
    std::string json = header.dump(), length(8, '\0');
    uint64_t bytes = json.size();
    std::memcpy(length.data(), &bytes, 8);
    all.push_back(text + std::string(parting) + length + json + values);
  }
  return all;
}
std::vector<std::string> ggufs() {
  std::vector<std::string> all;
  for (const char* text : {llama, gpt2}) {
    Json json = parse_json(text, "config.json");
    json.erase("rope_scaling");
    all.push_back(as_gguf(*build(parse_config(json, "config.json"), parse_method("full"))).build());
  }
  return all;
}

constexpr int64_t models_memory =
    256 << 20;  // a config of a few bytes may honestly ask for a model of some megabytes
const FuzzTarget registered_config("model_config", run_config, configs,
                                   {"rope_scaling", "linear", "hidden_act", "null", "1e308", "-1",
                                    "qwen2", "mistral", "olmo3", "gpt_neox", "smollm3", "mixtral"},
                                   models_memory);
const FuzzTarget registered_adapter_config("adapter_config", run_adapter_config, adapter_configs,
                                           {"all-linear", "(.*)*", "re:", "null", "1e308", "*",
                                            "lm_head", "true"});
const FuzzTarget registered_adapter("adapter", run_adapter, adapters,
                                    {"lora_A.weight", "lora_B.weight", "q_proj", "all-linear",
                                     "\"shape\":[", "\"data_offsets\":[0,", "\n---\n"},
                                    4 << 20, mend_adapter);
const FuzzTarget registered_gguf("gguf_model", run_gguf, ggufs,
                                 {"llama.block_count", "blk.0.attn_q.weight", "rope_freqs.weight",
                                  "output.weight", "qwen2"},
                                 models_memory);

}  // namespace

}  // namespace afina
