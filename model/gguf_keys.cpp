// A config as GGUF metadata: what decoders share.
#include "model/gguf_keys.h"

#include <cmath>

#include "engine/math.h"
#include "engine/nearest.h"
#include "model/words.h"

namespace afina {

namespace {

const Json* given(const ModelConfig& config, const std::string& key) {
  const Json* found = find_member(config.json, key, "config");
  return found && !found->is_null() ? found : nullptr;
}

// What llama.cpp divides Llama 3's plain frequencies by, computed in f32 as its converter does.
std::vector<float> llama3_factors(RopeForm rope) {
  RopeForm plain = rope;
  plain.kind = "default";
  const float low = float(rope.low), high = float(rope.high), original = float(rope.original),
              factor = float(rope.factor);
  std::vector<float> all;
  for (float frequency : rope_frequencies(plain)) {
    const float wave = float(2. * M_PI) / frequency;
    if (double(wave) < double(rope.original) / rope.high) all.push_back(1.f);
    else if (double(wave) > double(rope.original) / rope.low) all.push_back(factor);
    else {
      const float smooth = (original / wave - low) / (high - low);
      all.push_back(1.f / ((1.f - smooth) / factor + smooth));
    }
  }
  return all;
}

std::vector<float> as_floats(const std::vector<double>& values) {
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace

void gguf_put_number(const ModelConfig& config, const char* from, GgufKeys& out, const char* to) {
  if (const Json* found = given(config, from)) out.number(to, found->get<double>());
}

RopeForm gguf_rope_of(const ModelConfig& config, const RopeDefaults& defaults) {
  ConfigReader reader(config.json, "config.json");
  return read_rope(reader, config.head_dim, config.context, defaults);
}

void gguf_rope_keys(const ModelConfig& config, const RopeForm& rope, GgufKeys& out) {
  out.number("rope.freq_base", rope.theta);
  if (rope.turned != config.head_dim) out.size("rope.dimension_count", rope.turned);
  if (rope.kind == "default" || rope.kind == "dynamic") return;  // dynamic begins after the context
  if (rope.kind == "linear") {
    out.set("rope.scaling.type", "linear");
    out.number("rope.scaling.factor", rope.factor);
  } else if (rope.kind == "llama3") {
    out.factors.push_back({"rope_freqs.weight", llama3_factors(rope)});
  } else if (rope.kind == "yarn") {
    require(rope.truncate, "config.json: YaRN with truncate false has no place in GGUF; write a ",
            "Hugging Face folder");
    out.set("rope.scaling.type", "yarn");
    out.number("rope.scaling.factor", rope.factor);
    out.size("rope.scaling.original_context_length", rope.original);
    if (rope.beta_fast != 32.) out.number("rope.scaling.yarn_beta_fast", rope.beta_fast);
    if (rope.beta_slow != 1.) out.number("rope.scaling.yarn_beta_slow", rope.beta_slow);
  } else if (rope.kind == "longrope") {
    out.size("rope.scaling.original_context_length", rope.original);
    out.number("rope.scaling.attn_factor", rope.attention_factor);
    out.factors.push_back({"rope_factors_long.weight", as_floats(rope.long_factors)});
    out.factors.push_back({"rope_factors_short.weight", as_floats(rope.short_factors)});
  } else {
    fail("config.json: a rotary embedding of kind '", rope.kind, "' has no place in GGUF; write a ",
         "Hugging Face folder");
  }
}

void gguf_decoder_keys(const ModelConfig& c, GgufKeys& out, GgufNorm norm) {
  out.size("block_count", c.layers);
  out.size("context_length", c.context);
  out.size("embedding_length", c.dim);
  out.size("feed_forward_length", c.ffn_dim);
  out.size("attention.head_count", c.heads);
  out.size("attention.head_count_kv", c.kv_heads);
  out.number(
      norm == GgufNorm::rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
      c.norm_eps);
  if (!given(c, "head_dim") && c.head_dim * c.heads == c.dim) return;
  out.size("attention.key_length", c.head_dim);
  out.size("attention.value_length", c.head_dim);
}

void gguf_plain_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_decoder_keys(config, out);
  gguf_rope_keys(config, gguf_rope_of(config), out);
}

void gguf_llama_keys(const ModelConfig& config, GgufKeys& out) {
  gguf_plain_keys(config, out);
  out.size("vocab_size", config.vocabulary);
  out.size("rope.dimension_count", config.head_dim);
}

void gguf_without_bias(const ModelConfig& config, std::initializer_list<const char*> flags) {
  for (const char* flag : flags)
    require(!get_or<bool>(config.json, flag, "config.json", false), "config.json: ", flag,
            " is true, and llama.cpp's ", architectures().at(config.architecture).gguf.name,
            " has no such biases; write a Hugging Face folder (--to hf)");
}

void gguf_end_at_window(const ModelConfig& config, GgufKeys& out) {
  const Json* window = given(config, "sliding_window");
  if (!window || (given(config, "use_sliding_window") &&
                  !get<bool>(config.json, "use_sliding_window", "config.json")))
    return;
  const auto size = get<int64_t>(config.json, "sliding_window", "config.json");
  if (size <= 0 || size >= config.context) return;
  out.size("context_length", size);
  out.notes.push_back(
      "llama.cpp has no sliding window for this architecture: the file's context "
      "is the window's " +
      std::to_string(size) +
      " tokens, within which the model "
      "is the same");
}

GgufKeys gguf_keys(const ModelConfig& config) {
  const GgufForm& form = architectures().at(config.architecture).gguf;
  std::vector<std::string> known;
  for (auto& [name, entry] : architectures())
    if (entry.gguf.keys) known.push_back(name);
  require(form.keys, "a model of type '", config.architecture,
          "' is not written as GGUF: its form there is not verified here; those that are: ",
          joined(known), ". Write a Hugging Face folder (--to hf)");
  GgufKeys out;
  out.prefix = form.name + ".";
  form.keys(config, out);
  return out;
}

}  // namespace afina
