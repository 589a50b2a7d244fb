// GGUF metadata as config.json: what decoders share.
#include "model/gguf_form.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/files/dequantize.h"
#include "engine/files/gguf.h"
#include "engine/math.h"
#include "model/model.h"
#include "model/rope_table.h"

namespace afina {

namespace {

double shortest(double stored) {
  char text[32];
  double value = stored;
  auto end = std::to_chars(text, text + sizeof text, float(stored)).ptr;
  std::from_chars(text, end, value);
  return value;
}

std::vector<float> values_of(const StoredTensor& stored) {
  std::vector<float> values(size_t(stored.count()));
  to_f32(stored, 0, stored.count(), values.data());
  return values;
}

// llama.cpp stores Llama 3's rotary factors instead of their parameters. Recovers the parameters by
// trying those that are published, then other factors and original lengths that are powers of two;
// throws if none fit.
Json scaling_of_factors(const Gguf& gguf, RopeForm form) {
  const StoredTensor& stored = gguf.at("rope_freqs.weight");
  std::vector<float> factors = values_of(stored), plain = rope_frequencies(form);
  require(factors.size() == plain.size(), stored.where(), " has ", factors.size(), " factors for ",
          plain.size(), " frequencies");
  if (std::all_of(factors.begin(), factors.end(), [](float f) { return f == 1.f; }))
    return {{"rope_type", "default"}};
  form.kind = "llama3";
  form.low = 1.;
  form.high = 4.;
  std::vector<int64_t> originals = {8192};
  for (int64_t length = 16; length <= int64_t(1) << 20; length *= 2) originals.push_back(length);
  for (int64_t original : originals)
    for (double factor : {8., 32., shortest(factors.back())}) {
      form.original = original;
      form.factor = factor;
      std::vector<float> scaled = rope_frequencies(form);
      bool same = true;
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

// Longrope: the factors are tensors, and the metadata have the rest.
Json longrope(const Gguf& gguf) {
  auto numbers = [&](const char* name) {
    std::vector<double> all;
    for (float value : values_of(gguf.at(name))) all.push_back(shortest(value));
    return all;
  };
  Json out = {{"rope_type", "longrope"},
              {"short_factor", numbers("rope_factors_short.weight")},
              {"long_factor", numbers("rope_factors_long.weight")}};
  gguf_copy_number(out, "attention_factor", gguf, "rope.scaling.attn_factor");
  return out;
}

// YaRN. What scales attention follows from the factor, unless the file says otherwise: then its
// meaning differs between versions of llama.cpp.
Json yarn(const Gguf& gguf) {
  Json out = {{"rope_type", "yarn"}, {"factor", gguf_number(gguf, "rope.scaling.factor")}};
  out["original_max_position_embeddings"] =
      config_size(gguf.metadata(), gguf_prefix(gguf) + "rope.scaling.original_context_length",
                  gguf.path(), int64_t(1) << 30);
  gguf_copy_number(out, "beta_fast", gguf, "rope.scaling.yarn_beta_fast");
  gguf_copy_number(out, "beta_slow", gguf, "rope.scaling.yarn_beta_slow");
  const double factor = out["factor"].get<double>(), usual = 0.1 * math::log(factor) + 1.;
  for (auto [key, expected] :
       {std::pair("attn_factor", usual), std::pair("yarn_attn_factor", usual),
        std::pair("yarn_ext_factor", 1.)}) {
    const std::string name = std::string("rope.scaling.") + key;
    if (!find_member(gguf.metadata(), gguf_prefix(gguf) + name, gguf.path())) continue;
    const double found = gguf_number(gguf, name);
    require(found == 1. || std::fabs(found - expected) < 1e-4, gguf.path(), ": ", name, " is ",
            found, " where 1 or ", expected, " is expected; use the model's Hugging Face folder");
  }
  return out;
}

void add_rope(Json& out, const Gguf& gguf) {
  const Json& meta = gguf.metadata();
  const std::string &where = gguf.path(), prefix = gguf_prefix(gguf);
  gguf_copy_number(out, "rope_theta", gguf, "rope.freq_base");
  const int64_t head_dim = out["head_dim"].get<int64_t>(),
                turned = get_or<int64_t>(meta, prefix + "rope.dimension_count", where, head_dim);
  require(turned >= 2 && turned <= head_dim, where, ": rope.dimension_count ", turned,
          " does not fit the head's size ", head_dim);
  if (turned != head_dim) out["partial_rotary_factor"] = double(turned) / double(head_dim);
  std::string kind = get_or<std::string>(meta, prefix + "rope.scaling.type", where, "none");
  require(kind == "none" || kind == "linear" || kind == "yarn" || kind == "longrope", where,
          ": rope.scaling.type '", kind,
          "' is not supported; supported: none, linear, yarn, longrope, Llama 3's");
  if (kind == "yarn") out["rope_scaling"] = yarn(gguf);
  if (kind == "linear")
    out["rope_scaling"] = {{"rope_type", "linear"},
                           {"factor", gguf_number(gguf, "rope.scaling.factor")}};
  if (gguf.find("rope_factors_long.weight")) {
    out["rope_scaling"] = longrope(gguf);
    out["original_max_position_embeddings"] =
        config_size(meta, prefix + "rope.scaling.original_context_length", where, int64_t(1) << 30);
  }
  if (!gguf.find("rope_freqs.weight")) return;
  RopeForm form;
  form.turned = turned;
  form.theta = out.value("rope_theta", 10000.);
  out["rope_scaling"] = scaling_of_factors(gguf, form);
}

// "experts.12.up_proj" -> "experts.*.up_proj", with 12 in `part`; unchanged where there is no
// number.
std::string with_star(const std::string& module, int64_t& part) {
  const size_t digit =
      module.find(".") == module.npos ? module.npos : module.find_first_of("0123456789");
  for (size_t at = digit; at != module.npos; at = module.find_first_of("0123456789", at)) {
    const size_t end = std::min(module.find('.', at), module.size());
    const bool whole =
        module[at - 1] == '.' && module.find_first_not_of("0123456789", at) >= end && end - at < 10;
    if (whole) {
      part = std::stoll(module.substr(at, end - at));
      return module.substr(0, at) + "*" + module.substr(end);
    }
    at = end;
    if (at >= module.size()) break;
  }
  return module;
}

}  // namespace

GgufPlace gguf_place(const GgufNames& names, const std::string& name) {
  const size_t dot = name.rfind('.');
  const std::string module = name.substr(0, dot), kind = name.substr(dot);
  if (auto found = names.find(module); found != names.end()) return {found->second + kind};
  const size_t digit = module.find_first_of("0123456789");
  if (digit == module.npos || digit == 0 || module[digit - 1] != '.') return {name};
  const size_t end = module.find('.', digit);
  if (end == module.npos) return {name};
  const std::string layer = "blk." + module.substr(digit, end - digit) + ".";
  auto found = names.find(module.substr(end + 1));
  if (found != names.end()) return {layer + found->second + kind};
  int64_t part = -1;
  found = names.find(with_star(module.substr(end + 1), part));
  if (found == names.end() || part < 0) return {name};
  return {layer + found->second + kind, part};
}

std::string gguf_prefix(const Gguf& gguf) {
  return get<std::string>(gguf.metadata(), "general.architecture", gguf.path()) + ".";
}
double gguf_number(const Gguf& gguf, const std::string& key) {
  return shortest(get<double>(gguf.metadata(), gguf_prefix(gguf) + key, gguf.path()));
}
void gguf_copy_number(Json& out, const std::string& to, const Gguf& gguf, const std::string& key) {
  if (find_member(gguf.metadata(), gguf_prefix(gguf) + key, gguf.path()))
    out[to] = gguf_number(gguf, key);
}

GgufNames gguf_decoder_names(const GgufNames& own) {
  GgufNames names = {{"model.embed_tokens", "token_embd"},
                     {"model.norm", "output_norm"},
                     {"lm_head", "output"},
                     {"self_attn.q_proj", "attn_q"},
                     {"self_attn.k_proj", "attn_k"},
                     {"self_attn.v_proj", "attn_v"},
                     {"self_attn.o_proj", "attn_output"},
                     {"self_attn.q_norm", "attn_q_norm"},
                     {"self_attn.k_norm", "attn_k_norm"},
                     {"mlp.gate_proj", "ffn_gate"},
                     {"mlp.up_proj", "ffn_up"},
                     {"mlp.down_proj", "ffn_down"},
                     {"input_layernorm", "attn_norm"},
                     {"post_attention_layernorm", "ffn_norm"}};
  for (auto& [module, name] : own) names[module] = name;
  return names;
}

int64_t gguf_expert_count(const Gguf& gguf) {
  return get_or<int64_t>(gguf.metadata(), gguf_prefix(gguf) + "expert_count", gguf.path(), 0);
}

Json gguf_plain_config(const Gguf& gguf) { return gguf_decoder_config(gguf); }

void gguf_partial_rope(Json& out, const char* key) {
  const double share = out.value("partial_rotary_factor", 1.);
  out.erase("partial_rotary_factor");
  out.erase("head_dim");
  out[key] = share;
}

Json gguf_decoder_config(const Gguf& gguf, GgufNorm norm, bool experts) {
  const Json& meta = gguf.metadata();
  const std::string &where = gguf.path(), prefix = gguf_prefix(gguf);
  auto size = [&](const char* key, int64_t most = 1 << 20) {
    return config_size(meta, prefix + key, where, most);
  };
  auto size_or = [&](const char* key, int64_t otherwise) {
    return find_member(meta, prefix + key, where) ? size(key) : otherwise;
  };
  require(experts || gguf_expert_count(gguf) == 0, where, ": mixtures of experts of this kind are ",
          "not read from GGUF; use the model's Hugging Face folder");
  int64_t heads = size("attention.head_count", 4096), dim = size("embedding_length");
  Json out = {{"hidden_size", dim},
              {"intermediate_size", size("feed_forward_length")},
              {"num_hidden_layers", size("block_count", 4096)},
              {"num_attention_heads", heads},
              {"num_key_value_heads", size_or("attention.head_count_kv", heads)},
              {"head_dim", size_or("attention.key_length", dim / heads)},
              {"max_position_embeddings", size("context_length", 1 << 30)},
              {"hidden_act", "silu"}};
  const bool rms = norm == GgufNorm::rms;
  out[rms ? "rms_norm_eps" : "layer_norm_eps"] =
      gguf_number(gguf, rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon");
  add_rope(out, gguf);
  return out;
}

}  // namespace afina
