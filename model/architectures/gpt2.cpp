// GPT-2 (Radford et al., 2019): learned positions, LayerNorm, one packed projection for q, k and v,
// GELU.
#include <cmath>
#include <deque>

#include "engine/files/gguf.h"
#include "engine/ops/attention.h"
#include "model/config_reader.h"
#include "model/gguf_keys.h"
#include "model/model.h"

namespace afina {

namespace {

void check(ModelConfig& c, const std::string& where) {
  ConfigReader config(c.json, where);
  c.vocabulary = config.size("vocab_size", 1 << 22);
  c.dim = config.size("n_embd");
  c.layers = config.size("n_layer", 4096);
  c.heads = c.kv_heads = config.size("n_head", 4096);
  require(c.dim % c.heads == 0, where, ": n_embd ", c.dim, " is no multiple of n_head ", c.heads);
  c.head_dim = c.dim / c.heads;
  c.ffn_dim = config.size_or("n_inner", 4 * c.dim);
  c.context = config.size("n_positions", 1 << 22);
  c.norm_eps = config.number("layer_norm_epsilon", 1e-5, 1e-30, 0.999);
  c.tied = config.flag("tie_word_embeddings", true);
  std::string act = config.text("activation_function", "gelu_new");
  require(act == "gelu_new" || act == "gelu_pytorch_tanh" || act == "gelu", where,
          ": activation_function '", act, "' is not supported; supported: gelu_new, gelu");
  config.only("scale_attn_weights", true);
  config.only("scale_attn_by_inverse_layer_idx", false);
  config.only("add_cross_attention", false);
  config.only("is_encoder_decoder", false);
  config.ignore({"n_ctx"});  // an older name of n_positions
  for (const char* key : {"attn_pdrop", "embd_pdrop", "resid_pdrop"}) config.dropout(key);
  config.finish();
  c.notes = config.notes();
}

struct Block {
  int64_t dim, heads;
  bool tanh_gelu;
  LayerNorm ln_1;
  Linear c_attn, attn_c_proj;
  Point keys_values, after_attention;
  LayerNorm ln_2;
  Linear c_fc, c_proj;
  Point after_mlp;

  // Files store these weights as (in, out), the layout of Conv1D.
  Block(const Scope& scope, const ModelConfig& c, int64_t layer)
      : dim(c.dim),
        heads(c.heads),
        tanh_gelu(get_or<std::string>(c.json, "activation_function", "config", "gelu_new") !=
                  "gelu"),
        ln_1(scope / "ln_1", c.dim, c.norm_eps),
        c_attn(scope / "attn" / "c_attn", c.dim, 3 * c.dim, true, {}, true),
        attn_c_proj(scope / "attn" / "c_proj", c.dim, c.dim, true, {}, true),
        keys_values(scope / "attn", Place::keys_values, c.dim, layer),
        after_attention(scope / "attn", Place::after_attention, c.dim, layer),
        ln_2(scope / "ln_2", c.dim, c.norm_eps),
        c_fc(scope / "mlp" / "c_fc", c.dim, c.ffn_dim, true, {}, true),
        c_proj(scope / "mlp" / "c_proj", c.ffn_dim, c.dim, true, {}, true),
        after_mlp(scope / "mlp", Place::after_mlp, c.dim, layer) {}

  Tensor attend(const Tensor& x, const Inputs& in, const KvCache* cache, size_t layer) const {
    const Here here(keys_values.path);
    int64_t B = x.shape()[0], T = x.shape()[1], head_dim = dim / heads;
    Tensor qkv = c_attn(x, in);  // (B, T, 3 dim)
    auto part = [&](int64_t i) {
      return reshape(columns(qkv, i * dim, dim), {B, T, heads, head_dim});
    };
    Tensor q = part(0), k = keys_values.before(part(1), in), v = keys_values.before(part(2), in, 1);
    if (cache) {
      auto all = cache->extended(layer, k, v);
      k = all.k;
      v = all.v;
    }
    return attn_c_proj(
        reshape(attention(q, k, v, in.starts, 1. / std::sqrt(double(head_dim))), {B, T, dim}), in);
  }
  void operator()(Stream& s, const Inputs& in, const KvCache* cache, size_t layer,
                  bool recompute_mlp) const {
    s.more = after_attention(attend(ln_1(s), in, cache, layer), in);
    const Here here(after_mlp.path);
    Tensor inner = c_fc(ln_2(s), in, recompute_mlp);
    s.more = after_mlp(c_proj(tanh_gelu ? gelu_tanh(inner) : gelu(inner), in), in);
  }
};

class Gpt2 : public Model {
 public:
  Gpt2(const ModelConfig& c, Parameters& p)
      : ends_(Scope(p, "transformer") / "wte", Scope(p, "lm_head"), c.vocabulary, c.dim, c.tied),
        wpe_((Scope(p, "transformer") / "wpe")
                 .base("weight", {c.context, c.dim}, {Init::normal, 0.01f})),
        embeddings_(Scope(p, "transformer") / "wte", Place::embeddings, c.dim) {
    Scope scope(p, "transformer");
    for (int64_t i = 0; i < c.layers; ++i) blocks_.emplace_back(scope / "h" / i, c, i);
    ln_f_.emplace_back(scope / "ln_f", c.dim, c.norm_eps);
    ends_.build_head();
  }

  Tensor hidden(const Inputs& inputs, KvCache* cache) override {
    check_inputs(inputs, cache);
    const Inputs in = placed(inputs, cache, bool(embeddings_.adapter));
    Stream s{embeddings_.before(ends_.embedded(in), in), embedding(wpe_.value, in.positions)};
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const Block& block = blocks_[i];
      bool recompute = checkpointing == Checkpointing::mlp;
      run_block(s, cache, [&block, in, cache, i, recompute](Stream& h) {
        block(h, in, cache, i, recompute);
      });
    }
    if (cache) cache->length += in.virtual_tokens + in.tokens.columns();
    return embeddings_.without(ln_f_[0](s), in);
  }
  const TokenEnds& ends() const override { return ends_; }

 private:
  TokenEnds ends_;
  Parameter& wpe_;
  Point embeddings_;
  std::deque<Block> blocks_;
  std::deque<LayerNorm> ln_f_;  // one, built after the blocks
};

std::unique_ptr<Model> build(const ModelConfig& config, Parameters& parameters) {
  return std::make_unique<Gpt2>(config, parameters);
}

Json gguf_config(const Gguf& gguf) {
  const Json& meta = gguf.metadata();
  const std::string& where = gguf.path();
  return {{"n_embd", config_size(meta, "gpt2.embedding_length", where)},
          {"n_layer", config_size(meta, "gpt2.block_count", where, 4096)},
          {"n_head", config_size(meta, "gpt2.attention.head_count", where, 4096)},
          {"n_inner", config_size(meta, "gpt2.feed_forward_length", where)},
          {"n_positions", config_size(meta, "gpt2.context_length", where, 1 << 22)},
          {"layer_norm_epsilon", gguf_number(gguf, "attention.layer_norm_epsilon")},
          {"activation_function", "gelu_new"}};
}

void gguf_keys_of(const ModelConfig& c, GgufKeys& out) {
  out.size("block_count", c.layers);
  out.size("context_length", c.context);
  out.size("embedding_length", c.dim);
  out.size("feed_forward_length", c.ffn_dim);
  out.size("attention.head_count", c.heads);
  out.number("attention.layer_norm_epsilon", c.norm_eps);
}

GgufNames gguf_names() {
  return {{"transformer.wte", "token_embd"},
          {"transformer.wpe", "position_embd"},
          {"transformer.ln_f", "output_norm"},
          {"lm_head", "output"},
          {"attn.c_attn", "attn_qkv"},
          {"attn.c_proj", "attn_output"},
          {"ln_1", "attn_norm"},
          {"ln_2", "ffn_norm"},
          {"mlp.c_fc", "ffn_up"},
          {"mlp.c_proj", "ffn_down"}};
}

}  // namespace

REGISTER_ARCHITECTURE(gpt2, check, build, "GPT2LMHeadModel",
                      GgufForm{"gpt2", gguf_names(), gguf_config, gguf_keys_of});

}  // namespace afina
