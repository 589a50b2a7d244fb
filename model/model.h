// A causal language model: what all architectures share, and the registry that finds them.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/gguf_form.h"
#include "model/layers.h"
#include "model/points.h"
#include "model/token_ends.h"

namespace afina {

// The checked content of a config.json (or of GGUF metadata translated to that form).
struct ModelConfig {
  // The model_type of config.json: "llama", "gpt2", "qwen2", ...
  std::string architecture;
  int64_t vocabulary = 0, dim = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn_dim = 0,
          context = 0;
  double norm_eps = 1e-5, rope_theta = 10000.;
  double logit_cap = 0.;  // logits become cap · tanh(logit / cap) (Gemma 2); 0: they stay
  bool tied = true;
  // What the user should be told once: what the config asks for and is not done.
  std::vector<std::string> notes;
  Json json;  // the config as read; written back when the model is saved
};

// Keys and values of the tokens so far, per layer, for batch size 1. Allocated once for `capacity`
// tokens.
struct KvCache {
  struct Layer {
    Tensor k, v;
  };  // (1, capacity, kv_heads, head_dim)
  std::vector<Layer> layers;
  int64_t length = 0, capacity = 0;

  // Writes the keys and values of T new tokens, (1, T, kv_heads, head_dim) each, after the first
  // `length` tokens of layer i. Returns views of all tokens so far. Leaves `length` unchanged.
  Layer extended(size_t i, const Tensor& k, const Tensor& v) const;
};

// What the backward pass recomputes instead of saving it in the forward pass. none: only
// element-wise work. mlp: also the two products that open the MLP, whose results are half of what a
// block saves. block: the whole block.
enum class Checkpointing : uint8_t { none, mlp, block };

// Base class of all architectures. Built by build_model().
class Model {
 public:
  virtual ~Model() = default;
  // The final hidden states after normalisation, (B, T, dim), in the model's dtype. With a cache,
  // `inputs` are the tokens that follow the cached ones, and the cache grows by them.
  virtual Tensor hidden(const Inputs& inputs, KvCache* cache = nullptr) = 0;
  // Embedding and head.
  virtual const TokenEnds& ends() const = 0;
  TokenEnds& ends() { return const_cast<TokenEnds&>(std::as_const(*this).ends()); }
  // The weight of the head, (vocabulary, dim); the embedding if they are tied.
  const Tensor& head() const { return ends().head(); }

  // Sum of the cross-entropy over all targets, times scale, in nats. Pass scale = 1 / number of
  // targets of the whole step.
  // An architecture may add a term of its own while a tape records (the loss of routers).
  virtual Loss loss(const Inputs& inputs, double scale) {
    const Tensor x = hidden(inputs);
    return cross_entropy(x, head(), inputs.targets, scale, config.logit_cap,
                         ends().path(x, inputs));
  }
  // Logits (B, T, vocabulary) in f32 (f64 for models in f64), for generation, references and small
  // inputs. Training never materialises them.
  Tensor logits(const Inputs& inputs, KvCache* cache = nullptr);
  // Logits (vocabulary) of the last position of the last row.
  Tensor last_logits(const Inputs& inputs, KvCache* cache = nullptr);
  // The longest text: the config's context less the method's virtual tokens.
  int64_t context() const { return config.context - method->virtual_tokens(); }
  // An empty cache for `capacity` tokens, limited to context(), and the method's virtual ones.
  KvCache cache(int64_t capacity) const;

  ModelConfig config;
  Checkpointing checkpointing = Checkpointing::none;
  std::unique_ptr<Method> method;
  std::unique_ptr<Parameters> parameters;

 private:
  // Positions and starts (rows, length), positions counted from `first`. Kept for the next inputs
  // of this shape: a captured step cannot copy them from the host.
  struct Places {
    Tensor positions, starts;
  };
  Places places(int64_t rows, int64_t length, int64_t first) const;
  mutable std::map<std::array<int64_t, 3>, Places> places_;

 protected:
  // The virtual tokens that stand before these inputs: none where a cache holds them already.
  int64_t virtual_tokens(const KvCache* cache) const {
    return cache && cache->length > 0 ? 0 : method->virtual_tokens();
  }
  // Throws for tokens outside the vocabulary and for sequences longer than the context. Returns the
  // highest position (including the cache) + 1.
  int64_t check_inputs(const Inputs& inputs, const KvCache* cache) const;
  // The inputs as blocks read them: with the method's virtual tokens, where these begin a sequence,
  // counted in positions and starts. rows: have the virtual tokens rows of their own in the
  // residual stream (embeddings), or keys and values alone? Throws for rows of several documents,
  // as each would need virtual tokens of its own.
  Inputs placed(const Inputs& inputs, const KvCache* cache, bool rows) const;
  void logits_into(Tensor& logits, const Tensor& x, const Inputs& inputs) const;
  // Runs a block, checkpointed if requested.
  void run_block(Stream& s, const KvCache* cache, const std::function<void(Stream&)>& block) const;
};

// dtype: of weights and activations (trained bf16 weights also have f32 masters); seed: for random
// initial values.
struct BuildOptions {
  Dtype dtype = Dtype::f32;
  Device device = Device::cpu;
  uint64_t seed = 0;
  Checkpointing checkpointing = Checkpointing::none;
  BaseStorage base = {};
};
// Builds the model of a config with weights from `source` and parameters chosen by `method`. Throws
// for an unknown architecture (listing the known ones), for weights that do not fit, and where none
// is left that options.base could hold in its form.
std::unique_ptr<Model> build_model(const ModelConfig& config, WeightSource& source,
                                   std::unique_ptr<Method> method, const BuildOptions& options);

// An entry of the registry of architectures, which is keyed by model_type.
struct Architecture {
  // Fills the architecture's fields of the config. Throws for unsupported settings (an activation,
  // a kind of rope scaling), naming the key.
  std::function<void(ModelConfig&, const std::string& where)> check;
  std::function<std::unique_ptr<Model>(const ModelConfig&, Parameters&)> build;
  const char* hf_class;  // entry of "architectures" in config.json, e.g. "LlamaForCausalLM"
  GgufForm gguf = {};
};
std::map<std::string, Architecture>& architectures();
// Reads `key` as an integer from 1 to `most`. Throws otherwise; `where` begins the message.
int64_t config_size(const Json& json, const std::string& key, const std::string& where,
                    int64_t most = 1 << 20);
// Checks a config.json and translates it; `where` is its name in messages. Throws for unknown or
// unsupported settings.
ModelConfig parse_config(const Json& json, const std::string& where);

}  // namespace afina

#define REGISTER_ARCHITECTURE(name, ...)                              \
  [[maybe_unused]] static const bool registered_architecture_##name = \
      (::afina::architectures()[#name] = ::afina::Architecture{__VA_ARGS__}, true)
