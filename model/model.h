// A causal language model: what architectures share, and the registry by which they are found.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/ops/cross_entropy.h"
#include "model/layers.h"

namespace afina {

// What a config.json (or GGUF metadata, brought to the same form) says, checked.
struct ModelConfig {
  std::string architecture;  // "llama", "gpt2", "qwen2", "mistral": the model_type of config.json
  int64_t vocabulary = 0, dim = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn_dim = 0,
          context = 0;
  double norm_eps = 1e-5, rope_theta = 10000.;
  bool tied = true;
  Json json;  // the whole config as read, written back when a model is saved
};

// Keys and values of the tokens so far, per layer (B = 1): grown to `capacity` once, then filled.
struct KvCache {
  struct Layer {
    Tensor k, v;
  };  // (1, capacity, kv_heads, head_dim)
  std::vector<Layer> layers;
  int64_t length = 0, capacity = 0;

  // Layer i, with the keys and values (1, T, kv_heads, head_dim) that follow `length` put in their
  // place: those of all tokens so far.
  Layer extended(size_t i, const Tensor& k, const Tensor& v) const;
};

// What is not kept for the backward pass but computed again in it: nothing but element-wise work;
// the two products that open the MLP, whose results are half of what a block keeps; or the whole
// block.
enum class Checkpointing : uint8_t { none, mlp, block };

class Model {
 public:
  virtual ~Model() = default;
  // The normalised last hidden states, (B, T, dim). With a cache, inputs are the tokens after those
  // it holds, and it is lengthened.
  virtual Tensor hidden(const Inputs& inputs, KvCache* cache = nullptr) = 0;
  // The head's weight (vocabulary, dim); when tied, the embedding's.
  virtual const Tensor& head() const = 0;

  // scale: 1 / the number of targets of the whole step.
  Loss loss(const Inputs& inputs, double scale) {
    return cross_entropy(hidden(inputs), head(), inputs.targets, scale);
  }
  // (B, T, vocabulary) in f32 (f64): for generation, references and small inputs; training never
  // holds them.
  Tensor logits(const Inputs& inputs, KvCache* cache = nullptr);
  // Of the last position of the last row only, (vocabulary).
  Tensor last_logits(const Inputs& inputs, KvCache* cache = nullptr);
  // An empty cache for `capacity` tokens (the model's context at most).
  KvCache cache(int64_t capacity) const;

  ModelConfig config;
  Checkpointing checkpointing = Checkpointing::none;
  std::unique_ptr<Method> method;
  std::unique_ptr<Parameters> parameters;

 protected:
  // Error for tokens outside the vocabulary and for sequences longer than the context. Gives the
  // highest position (with the cache) + 1.
  int64_t check_inputs(const Inputs& inputs, const KvCache* cache) const;
  // Runs a block, checkpointed when that is asked for.
  void run_block(Stream& s, const KvCache* cache, const std::function<void(Stream&)>& block) const;
};

struct BuildOptions {
  Dtype dtype = Dtype::f32;
  Device device = Device::cpu;
  uint64_t seed = 0;
  Checkpointing checkpointing = Checkpointing::none;
};
// Builds the model of this config, its weights from `source`, shaped by `method`. Unknown
// architectures are an Error listing the known.
std::unique_ptr<Model> build_model(const ModelConfig& config, WeightSource& source,
                                   std::unique_ptr<Method> method, const BuildOptions& options);

struct Architecture {
  // Fills what is particular to it and refuses what it does not know (an activation, a kind of rope
  // scaling), by key.
  std::function<void(ModelConfig&, const std::string& where)> check;
  std::function<std::unique_ptr<Model>(const ModelConfig&, Parameters&)> build;
  const char* hf_class;  // "LlamaForCausalLM": what config.json lists under architectures
};
std::map<std::string, Architecture>& architectures();
// The number of things `key` of a config says, from 1 to `most`.
int64_t config_size(const Json& json, const std::string& key, const std::string& where,
                    int64_t most = 1 << 20);
// From the text of a config.json; `where` is its name in messages.
ModelConfig parse_config(const Json& json, const std::string& where);

}  // namespace afina

#define REGISTER_ARCHITECTURE(name, check, build, hf_class)           \
  [[maybe_unused]] static const bool registered_architecture_##name = \
      (::afina::architectures()[#name] = ::afina::Architecture{check, build, hf_class}, true)
