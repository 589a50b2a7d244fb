// The Llama family (Touvron et al., 2023): Llama, Mistral and Qwen2, which differ only in biases
// and defaults.
#include <cmath>
#include <deque>

#include "engine/ops/attention.h"
#include "engine/ops/rope.h"
#include "engine/ops/swiglu.h"
#include "model/rope_table.h"

namespace afina {

namespace {

// Which linear layers have a bias, according to the config.
struct Biases {
  bool qkv, o, mlp;
};
Biases biases_of(const ModelConfig& config) {
  if (config.architecture == "qwen2") return {true, false, false};
  if (config.architecture == "mistral") return {false, false, false};
  bool attention = get_or<bool>(config.json, "attention_bias", "config", false);
  return {attention, attention, get_or<bool>(config.json, "mlp_bias", "config", false)};
}

void check_rope(ModelConfig& c, const std::string& where) {
  const Json* parameters = find_member(c.json, "rope_parameters", where);
  c.rope_theta = get_or<double>(parameters ? *parameters : c.json, "rope_theta", where, 10000.);
  require(c.rope_theta >= 1. && c.rope_theta < 1e12, where, ": rope_theta ", c.rope_theta,
          " is out of range");
  require(get_or<double>(c.json, "partial_rotary_factor", where, 1.) == 1., where,
          ": partial_rotary_factor other than 1 is not supported");
  rope_frequencies(c, where);
}

// Sliding-window attention equals full attention as long as the sequence fits into the window, so
// the context is limited to the window.
void check_window(ModelConfig& c, const std::string& where) {
  bool used = get_or<bool>(c.json, "use_sliding_window", where, c.architecture == "mistral");
  for (const std::string& type :
       get_or<std::vector<std::string>>(c.json, "layer_types", where, {})) {
    require(type == "full_attention" || type == "sliding_attention", where, ": layer type '", type,
            "' is not supported");
    used = used || type == "sliding_attention";
  }
  if (used && find_member(c.json, "sliding_window", where))
    c.context = std::min(c.context, config_size(c.json, "sliding_window", where, 1 << 30));
}

void check(ModelConfig& c, const std::string& where) {
  const Json& j = c.json;
  c.vocabulary = config_size(j, "vocab_size", where, 1 << 22);
  c.dim = config_size(j, "hidden_size", where);
  c.layers = config_size(j, "num_hidden_layers", where, 4096);
  c.heads = config_size(j, "num_attention_heads", where, 4096);
  c.kv_heads = find_member(j, "num_key_value_heads", where)
                   ? config_size(j, "num_key_value_heads", where, 4096)
                   : c.heads;
  c.head_dim =
      find_member(j, "head_dim", where) ? config_size(j, "head_dim", where, 4096) : c.dim / c.heads;
  c.ffn_dim = config_size(j, "intermediate_size", where);
  c.context = config_size(j, "max_position_embeddings", where, 1 << 30);
  c.norm_eps = get_or<double>(j, "rms_norm_eps", where, 1e-6);
  c.tied = get_or<bool>(j, "tie_word_embeddings", where, false);
  require(c.heads % c.kv_heads == 0, where, ": ", c.heads, " query heads cannot share ", c.kv_heads,
          " key heads evenly");
  require(c.head_dim >= 2 && c.head_dim % 2 == 0, where,
          ": rotary embedding needs an even head_dim, not ", c.head_dim);
  require(c.norm_eps > 0. && c.norm_eps < 1., where, ": rms_norm_eps ", c.norm_eps,
          " is out of range");
  std::string act = get_or<std::string>(j, "hidden_act", where, "silu");
  require(act == "silu" || act == "swish", where, ": hidden_act '", act,
          "' is not supported; supported: silu");
  biases_of(c);
  check_rope(c, where);
  check_window(c, where);
}

struct Attention {
  int64_t heads, kv_heads, head_dim;
  Linear q_proj, k_proj, v_proj, o_proj;
  Point keys_values;

  Attention(const Scope& scope, const ModelConfig& c, Biases bias, int64_t layer)
      : heads(c.heads),
        kv_heads(c.kv_heads),
        head_dim(c.head_dim),
        q_proj(scope / "q_proj", c.dim, c.heads * c.head_dim, bias.qkv),
        k_proj(scope / "k_proj", c.dim, c.kv_heads * c.head_dim, bias.qkv),
        v_proj(scope / "v_proj", c.dim, c.kv_heads * c.head_dim, bias.qkv),
        o_proj(scope / "o_proj", c.heads * c.head_dim, c.dim, bias.o),
        keys_values(scope, Place::keys_values, c.kv_heads * c.head_dim, layer) {}

  // x (B, T, dim) -> (B, T, dim). layer: this layer's index in the cache.
  Tensor operator()(const Tensor& x, const Inputs& in, const Tensor& table, const KvCache* cache,
                    size_t layer) const {
    int64_t B = x.shape()[0], T = x.shape()[1];
    auto qkv = together({&q_proj, &k_proj, &v_proj}, x, in);
    Tensor q = rope(reshape(qkv[0], {B, T, heads, head_dim}), table, in.positions);
    Tensor k = rope(reshape(qkv[1], {B, T, kv_heads, head_dim}), table, in.positions);
    Tensor v = reshape(qkv[2], {B, T, kv_heads, head_dim});
    qkv.clear();
    k = keys_values.before(k, in);
    v = keys_values.before(v, in, 1);
    if (cache) {
      auto all = cache->extended(layer, k, v);
      k = all.k;
      v = all.v;
    }
    Tensor o = attention(q, k, v, in.starts, 1. / std::sqrt(double(head_dim)));
    return o_proj(reshape(o, {B, T, heads * head_dim}), in);
  }
};

struct Mlp {
  Linear gate_proj, up_proj, down_proj;

  Mlp(const Scope& scope, const ModelConfig& c, bool bias)
      : gate_proj(scope / "gate_proj", c.dim, c.ffn_dim, bias),
        up_proj(scope / "up_proj", c.dim, c.ffn_dim, bias),
        down_proj(scope / "down_proj", c.ffn_dim, c.dim, bias) {}
  // x (B, T, dim) -> (B, T, dim). recompute: recompute gate and up in the backward pass instead of
  // saving them.
  Tensor operator()(const Tensor& x, const Inputs& in, bool recompute) const {
    // The order up, gate fixes the order in which gradients of x are accumulated, and so the bits.
    auto both = together({&up_proj, &gate_proj}, x, in, recompute);
    Tensor h = swiglu(both[1], both[0]);
    both.clear();
    return down_proj(h, in);
  }
};

struct Block {
  RmsNorm input_layernorm;
  Attention self_attn;
  Point after_attention;
  RmsNorm post_attention_layernorm;
  Mlp mlp;
  Point after_mlp;

  Block(const Scope& scope, const ModelConfig& c, Biases bias, int64_t layer)
      : input_layernorm(scope / "input_layernorm", c.dim, c.norm_eps),
        self_attn(scope / "self_attn", c, bias, layer),
        after_attention(scope / "self_attn", Place::after_attention, c.dim, layer),
        post_attention_layernorm(scope / "post_attention_layernorm", c.dim, c.norm_eps),
        mlp(scope / "mlp", c, bias.mlp),
        after_mlp(scope / "mlp", Place::after_mlp, c.dim, layer) {}
  void operator()(Stream& s, const Inputs& in, const Tensor& table, const KvCache* cache,
                  size_t layer, bool recompute_mlp) const {
    s.more = after_attention(self_attn(input_layernorm(s), in, table, cache, layer), in);
    s.more = after_mlp(mlp(post_attention_layernorm(s), in, recompute_mlp), in);
  }
};

class Llama : public Model {
 public:
  Llama(const ModelConfig& c, Parameters& p)
      : table_(c, p.dtype, p.device),
        embed_tokens_((Scope(p, "model") / "embed_tokens").base("weight", {c.vocabulary, c.dim})),
        embeddings_(Scope(p, "model") / "embed_tokens", Place::embeddings, c.dim) {
    Scope scope(p, "model");
    for (int64_t i = 0; i < c.layers; ++i)
      layers_.emplace_back(scope / "layers" / i, c, biases_of(c), i);
    norm_.emplace_back(scope / "norm", c.dim, c.norm_eps);
    tokens_ = c.tied ? embed_tokens_.use_by_rows() : embed_tokens_.value;
    head_ = c.tied ? embed_tokens_.value
                   : Scope(p, "lm_head").base("weight", {c.vocabulary, c.dim}).value;
  }

  Tensor hidden(const Inputs& inputs, KvCache* cache) override {
    Tensor table = table_.up_to(check_inputs(inputs, cache));
    const Inputs in = placed(inputs, cache, bool(embeddings_.adapter));
    Stream s{embeddings_.before(embedding(tokens_, in.tokens), in), {}};
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Block& block = layers_[i];
      bool recompute = checkpointing == Checkpointing::mlp;
      run_block(s, cache, [&block, in, table, cache, i, recompute](Stream& h) {
        block(h, in, table, cache, i, recompute);
      });
    }
    if (cache) cache->length += in.virtual_tokens + in.tokens.columns();
    return embeddings_.without(norm_[0](s), in);
  }
  const Tensor& head() const override { return head_; }

 private:
  RopeTable table_;
  Parameter& embed_tokens_;
  Point embeddings_;
  std::deque<Block> layers_;
  // One, built after the layers so that parameters keep the order of the file.
  std::deque<RmsNorm> norm_;
  // The embedding used for lookup, and the weight of the head; one matrix if they are tied.
  Tensor tokens_, head_;
};

std::unique_ptr<Model> build(const ModelConfig& config, Parameters& parameters) {
  return std::make_unique<Llama>(config, parameters);
}

}  // namespace

REGISTER_ARCHITECTURE(llama, check, build, "LlamaForCausalLM");
REGISTER_ARCHITECTURE(mistral, check, build, "MistralForCausalLM");
REGISTER_ARCHITECTURE(qwen2, check, build, "Qwen2ForCausalLM");

}  // namespace afina
