// GGUF files: translates llama.cpp's names and metadata to Hugging Face's.
#include <charconv>
#include <cmath>

#include "engine/files/dequantize.h"
#include "model/files/file_weights.h"
#include "model/rope_table.h"
#include "model/words.h"

namespace afina {

namespace {

using Names = std::map<std::string, std::string>;

// Parts of names, Hugging Face's to GGUF's. layer_names() maps the part between "model.layers.N."
// or "transformer.h.N." and ".weight".
const Names& whole_names() {
  static const Names names = {{"model.embed_tokens", "token_embd"},
                              {"model.norm", "output_norm"},
                              {"lm_head", "output"},
                              {"transformer.wte", "token_embd"},
                              {"transformer.wpe", "position_embd"},
                              {"transformer.ln_f", "output_norm"}};
  return names;
}
const Names& layer_names() {
  static const Names names = {{"self_attn.q_proj", "attn_q"},
                              {"self_attn.k_proj", "attn_k"},
                              {"self_attn.v_proj", "attn_v"},
                              {"self_attn.o_proj", "attn_output"},
                              {"mlp.gate_proj", "ffn_gate"},
                              {"mlp.up_proj", "ffn_up"},
                              {"mlp.down_proj", "ffn_down"},
                              {"input_layernorm", "attn_norm"},
                              {"post_attention_layernorm", "ffn_norm"},
                              {"attn.c_attn", "attn_qkv"},
                              {"attn.c_proj", "attn_output"},
                              {"ln_1", "attn_norm"},
                              {"ln_2", "ffn_norm"},
                              {"mlp.c_fc", "ffn_up"},
                              {"mlp.c_proj", "ffn_down"}};
  return names;
}

// "model.layers.3.self_attn.q_proj.weight" -> "blk.3.attn_q.weight"
std::string gguf_name(const std::string& name) {
  size_t dot = name.rfind('.');
  std::string module = name.substr(0, dot), kind = name.substr(dot);
  if (auto found = whole_names().find(module); found != whole_names().end())
    return found->second + kind;
  for (std::string start : {"model.layers.", "transformer.h."}) {
    if (!module.starts_with(start)) continue;
    size_t end = module.find('.', start.size());
    auto found = layer_names().find(module.substr(end + 1));
    if (found != layer_names().end())
      return "blk." + module.substr(start.size(), end - start.size()) + "." + found->second + kind;
  }
  return name;
}

class GgufWeights : public FileWeights {
 public:
  GgufWeights(const ModelConfig& config, std::shared_ptr<const Gguf> gguf)
      : FileWeights(config, gguf->path()), file_(std::move(gguf)) {}

 protected:
  const StoredTensors& tensors() const override { return file_->tensors(); }
  void drop(const StoredTensor& tensor) const override { file_->drop(tensor); }
  const StoredTensor* find(const std::string& name) const override {
    return file_->find(gguf_name(name));
  }
  std::string stored_name(const std::string& name) const override { return gguf_name(name); }
  bool transposes() const override { return false; }
  int64_t permuted_heads(const std::string& name) const override {
    if (config_.architecture != "llama") return 0;
    if (name.find(".q_proj.") != name.npos) return config_.heads;
    return name.find(".k_proj.") != name.npos ? config_.kv_heads : 0;
  }
  // The config already contains the scaling factors; a head that equals the embedding is tied.
  bool benign(const StoredTensor& t) const override {
    return t.name == "rope_freqs.weight" || (t.name == "output.weight" && config_.tied);
  }

 private:
  std::shared_ptr<const Gguf> file_;
};

// The shortest decimal for a value stored as f32: 1e-05, not 9.99999974737875e-06.
double shortest(double stored) {
  char text[32];
  double value = stored;
  auto end = std::to_chars(text, text + sizeof text, float(stored)).ptr;
  std::from_chars(text, end, value);
  return value;
}

bool is_tied(const Gguf& gguf) {
  const StoredTensor* output = gguf.find("output.weight");
  return !output || same_numbers(*output, gguf.at("token_embd.weight"));
}

// llama.cpp stores Llama 3's rotary factors instead of their parameters. Recovers the parameters by
// trying the published ones; throws if none fit.
Json scaling_of_factors(const Gguf& gguf, RopeForm form) {
  const StoredTensor& stored = gguf.at("rope_freqs.weight");
  std::vector<float> factors(size_t(stored.count()));
  to_f32(stored, 0, stored.count(), factors.data());
  std::vector<float> plain = rope_frequencies(form);
  form.kind = "llama3";
  form.low = 1.;
  form.high = 4.;
  form.original = 8192;
  for (double factor : {8., 32.}) {
    form.factor = factor;
    std::vector<float> scaled = rope_frequencies(form);
    bool same = scaled.size() == factors.size();
    for (size_t i = 0; same && i < scaled.size(); ++i)
      same = std::fabs(plain[i] / scaled[i] - factors[i]) <= 1e-4f * factors[i];
    if (same)
      return {{"rope_type", "llama3"},
              {"factor", factor},
              {"low_freq_factor", form.low},
              {"high_freq_factor", form.high},
              {"original_max_position_embeddings", form.original}};
  }
  fail(stored.where(),
       ": these rotary scaling factors are not those of Llama 3.1 or 3.2; use the model's Hugging "
       "Face folder");
}

void add_rope(Json& out, const Gguf& gguf, const std::string& prefix) {
  const Json& meta = gguf.metadata();
  const std::string& where = gguf.path();
  out["rope_theta"] = shortest(get_or<double>(meta, prefix + "rope.freq_base", where, 10000.));
  int64_t rotated =
      get_or<int64_t>(meta, prefix + "rope.dimension_count", where, out["head_dim"].get<int64_t>());
  require(rotated == out["head_dim"], where, ": rope.dimension_count ", rotated,
          " other than the head's size ", out["head_dim"].dump(), " is not supported");
  std::string kind = get_or<std::string>(meta, prefix + "rope.scaling.type", where, "none");
  require(kind == "none" || kind == "linear", where, ": rope.scaling.type '", kind,
          "' is not supported; supported: none, linear, Llama 3's");
  if (kind == "linear")
    out["rope_scaling"] = {
        {"rope_type", "linear"},
        {"factor", shortest(get<double>(meta, prefix + "rope.scaling.factor", where))}};
  if (!gguf.find("rope_freqs.weight")) return;
  RopeForm form;
  form.turned = out["head_dim"].get<int64_t>();
  form.theta = out["rope_theta"].get<double>();
  out["rope_scaling"] = scaling_of_factors(gguf, form);
}

Json llama_config(const Gguf& gguf, const std::string& architecture) {
  const Json& meta = gguf.metadata();
  const std::string &where = gguf.path(), prefix = architecture + ".";
  auto size = [&](const char* key, int64_t most = 1 << 20) {
    return config_size(meta, prefix + key, where, most);
  };
  int64_t heads = size("attention.head_count", 4096), dim = size("embedding_length");
  auto size_or = [&](const char* key, int64_t otherwise) {
    return find_member(meta, prefix + key, where) ? size(key) : otherwise;
  };
  Json out = {{"hidden_size", dim},
              {"intermediate_size", size("feed_forward_length")},
              {"num_hidden_layers", size("block_count", 4096)},
              {"num_attention_heads", heads},
              {"num_key_value_heads", size_or("attention.head_count_kv", heads)},
              {"head_dim", size_or("attention.key_length", dim / heads)},
              {"max_position_embeddings", size("context_length", 1 << 30)},
              {"rms_norm_eps",
               shortest(get<double>(meta, prefix + "attention.layer_norm_rms_epsilon", where))},
              {"hidden_act", "silu"}};
  if (architecture == "llama") {
    require(!find_member(meta, "llama.expert_count", where), where,
            ": mixtures of experts are not supported");
    out["attention_bias"] = gguf.find("blk.0.attn_q.bias") != nullptr;
    out["mlp_bias"] = gguf.find("blk.0.ffn_gate.bias") != nullptr;
  }
  add_rope(out, gguf, prefix);
  return out;
}

Json gpt2_config(const Gguf& gguf) {
  const Json& meta = gguf.metadata();
  const std::string& where = gguf.path();
  return {{"n_embd", config_size(meta, "gpt2.embedding_length", where)},
          {"n_layer", config_size(meta, "gpt2.block_count", where, 4096)},
          {"n_head", config_size(meta, "gpt2.attention.head_count", where, 4096)},
          {"n_inner", config_size(meta, "gpt2.feed_forward_length", where)},
          {"n_positions", config_size(meta, "gpt2.context_length", where, 1 << 22)},
          {"layer_norm_epsilon",
           shortest(get<double>(meta, "gpt2.attention.layer_norm_epsilon", where))},
          {"activation_function", "gelu_new"}};
}

}  // namespace

std::unique_ptr<WeightSource> gguf_weights(const ModelConfig& config,
                                           std::shared_ptr<const Gguf> gguf) {
  return std::make_unique<GgufWeights>(config, std::move(gguf));
}

Json config_of_gguf(const Gguf& gguf) {
  const Json& meta = gguf.metadata();
  std::string architecture = get<std::string>(meta, "general.architecture", gguf.path());
  require(architecture == "llama" || architecture == "qwen2" || architecture == "gpt2", gguf.path(),
          ": architecture '", architecture, "' is not supported; supported: llama, qwen2, gpt2");
  Json out = architecture == "gpt2" ? gpt2_config(gguf) : llama_config(gguf, architecture);
  out["model_type"] = architecture;
  const StoredTensor& embedding = gguf.at("token_embd.weight");
  require(embedding.shape.size() == 2, embedding.where(), " has shape ",
          shape_text(embedding.shape), " where two dimensions are expected");
  out["vocab_size"] = embedding.shape[0];
  out["tie_word_embeddings"] = is_tied(gguf);
  for (const char* token : {"bos", "eos"})
    if (const Json* id =
            find_member(meta, std::string("tokenizer.ggml.") + token + "_token_id", gguf.path()))
      out[std::string(token) + "_token_id"] = *id;
  return out;
}

}  // namespace afina
