// Generation: with and without a cache, choosing tokens, where it ends; and GGUF files as models.
#include "model/generate.h"
#include "test/gguf_builder.h"
#include "test/scratch.h"
#include "test/tiny.h"

namespace afina {

namespace {

const char* const names[] = {"llama", "llama3", "qwen2", "gpt2"};

// The rows of each head as llama.cpp orders them: the two halves interleaved.
std::vector<float> interleaved(const std::vector<float>& values, size_t heads, size_t rows) {
  size_t width = values.size() / rows, dim = rows / heads;
  std::vector<float> out(values.size());
  for (size_t r = 0; r < rows; ++r) {
    size_t h = r / dim, in = r % dim, to = h * dim + 2 * (in % (dim / 2)) + in / (dim / 2);
    std::copy_n(values.begin() + long(r * width), width, out.begin() + long(to * width));
  }
  return out;
}

const std::pair<const char*, const char*> llama_parts[] = {
    {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"},   {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"mlp.gate_proj", "ffn_gate"},    {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},       {"input_layernorm", "attn_norm"}, {"post_attention_layernorm", "ffn_norm"}};
const std::pair<const char*, const char*> gpt2_parts[] = {{"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"},
                                                          {"mlp.c_fc", "ffn_up"},      {"mlp.c_proj", "ffn_down"},
                                                          {"ln_1", "attn_norm"},       {"ln_2", "ffn_norm"}};

void add(GgufBuilder& out, const Model& model, const Parameter& p) {
  std::string name = p.name;
  auto replace = [&](const std::string& from, const std::string& to) {
    if (size_t at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
  };
  for (auto [from, to] :
       {std::pair("model.layers.", "blk."), std::pair("transformer.h.", "blk."), std::pair("model.embed_tokens", "token_embd"),
        std::pair("model.norm", "output_norm"), std::pair("lm_head", "output"), std::pair("transformer.wte", "token_embd"),
        std::pair("transformer.wpe", "position_embd"), std::pair("transformer.ln_f", "output_norm")})
    replace(from, to);
  for (auto [from, to] : llama_parts) replace(std::string(".") + from + ".", std::string(".") + to + ".");
  for (auto [from, to] : gpt2_parts) replace(std::string(".") + from + ".", std::string(".") + to + ".");
  std::vector<float> values = p.exact().values();
  bool llama = model.config.architecture == "llama";
  if (llama && name.find("attn_q.") != name.npos) values = interleaved(values, size_t(model.config.heads), size_t(p.shape[0]));
  if (llama && name.find("attn_k.") != name.npos) values = interleaved(values, size_t(model.config.kv_heads), size_t(p.shape[0]));
  std::vector<uint64_t> dimensions;
  for (int i = p.shape.rank(); i-- > 0;) dimensions.push_back(uint64_t(p.shape[i]));
  out.tensor(name, 0, dimensions, std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4));
}

// A tiny model as a GGUF file, as llama.cpp's converter writes it.
GgufBuilder as_gguf(const Model& model) {
  const ModelConfig& c = model.config;
  GgufBuilder out;
  auto put = [&](const char* key, auto value) { out.set(c.architecture + "." + key, value); };
  out.set("general.architecture", c.architecture.c_str());
  put("block_count", uint32_t(c.layers)), put("embedding_length", uint32_t(c.dim)), put("feed_forward_length", uint32_t(c.ffn_dim));
  put("context_length", uint32_t(c.context)), put("attention.head_count", uint32_t(c.heads));
  if (c.architecture == "gpt2") {
    put("attention.layer_norm_epsilon", float(c.norm_eps));
  } else {
    put("attention.head_count_kv", uint32_t(c.kv_heads)), put("attention.key_length", uint32_t(c.head_dim));
    put("rope.freq_base", float(c.rope_theta)), put("attention.layer_norm_rms_epsilon", float(c.norm_eps));
  }
  if (c.json.contains("rope_parameters") && c.json["rope_parameters"]["rope_type"] == "linear")
    put("rope.scaling.type", "linear"), put("rope.scaling.factor", 4.f);
  out.set("tokenizer.ggml.eos_token_id", uint32_t(2));
  for (const Parameter& p : model.parameters->all) add(out, model, p);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(generation)

BOOST_AUTO_TEST_CASE(cache_gives_the_same_tokens) {
  for (const char* name : names)
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (double temperature : {0., 1.5}) {
        auto model = tiny_model(tiny_path(name), "full", {.dtype = dtype});
        GenerateOptions options;
        options.most = 20, options.temperature = temperature, options.top_k = 30, options.top_p = 0.9, options.seed = 4;
        auto with = generate(*model, {5, 6, 7}, options);
        options.cache = false;
        auto without = generate(*model, {5, 6, 7}, options);
        BOOST_TEST(with.tokens == without.tokens);
        BOOST_TEST(with.tokens.size() == 20u);
        BOOST_TEST((with.end == Generated::length));
      }
}

BOOST_AUTO_TEST_CASE(where_it_ends) {
  auto model = tiny_model(tiny_path("gpt2"));
  GenerateOptions options;
  options.most = 100;
  auto all = generate(*model, {5, 6, 7}, options);
  BOOST_TEST((all.end == Generated::context));
  BOOST_TEST(all.tokens.size() == 29u);
  options.stop = {all.tokens[4]};
  auto stopped = generate(*model, {5, 6, 7}, options);
  BOOST_TEST((stopped.end == Generated::stop));
  BOOST_TEST(stopped.tokens.size() <= 4u);
  options.stop = {};
  std::vector<int32_t> seen;
  options.each = [&](int32_t token) { return seen.push_back(token), seen.size() < 3; };
  auto called = generate(*model, {5, 6, 7}, options);
  BOOST_TEST((called.end == Generated::caller));
  BOOST_TEST(called.tokens == seen);
  BOOST_TEST(seen.size() == 3u);
  check_error([&] { generate(*model, {}, options); }, {"prompt"});
  check_error([&] { generate(*model, std::vector<int32_t>(32, 1), options); }, {"32 tokens", "context of 32"});
  options.top_p = 0.;
  check_error([&] { generate(*model, {1}, options); }, {"top-p"});
}

BOOST_AUTO_TEST_CASE(choice_follows_the_probabilities) {
  std::vector<float> logits = {0.f, 2.f, -1.f, 2.f, 1.f};
  GenerateOptions options;
  BOOST_TEST(choose_token(logits, options, 0) == 1);
  options.temperature = 1.;
  std::vector<int> count(5);
  for (int i = 0; i < 20000; ++i) ++count[size_t(choose_token(logits, options, i))];
  double total = 0.;
  for (float l : logits) total += std::exp(double(l));
  for (size_t i = 0; i < 5; ++i) BOOST_TEST(std::fabs(count[i] / 20000. - std::exp(double(logits[i])) / total) < 0.012);
  auto kinds = [&] {
    std::vector<int> seen(5);
    for (int i = 0; i < 2000; ++i) seen[size_t(choose_token(logits, options, i))] = 1;
    return seen;
  };
  options.top_k = 3;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 1, 1}));
  options.top_k = 0, options.top_p = 0.5;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 1, 0}));
  options.top_p = 1e-6;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 0, 0}));
  options.top_p = 1., options.temperature = 1e-3;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 1, 0}));
  options.seed = 9, options.temperature = 1.;
  BOOST_TEST(choose_token(logits, options, 7) == choose_token(logits, options, 7));
  logits[2] = NAN;
  check_error([&] { choose_token(logits, options, 0); }, {"not finite"});
}

BOOST_AUTO_TEST_CASE(gguf_files_are_the_same_model) {
  for (const char* name : {"llama", "llama_linear", "qwen2", "gpt2"}) {
    ScratchFolder folder;
    auto model = tiny_model(tiny_path(name));
    std::string path = folder.put("model.gguf", as_gguf(*model).build());
    auto again = tiny_model(path);
    Inputs inputs = make_inputs({3, 1, 4, 1, 5});
    BOOST_TEST((again->logits(inputs).values() == model->logits(inputs).values()), name);
    BOOST_TEST(again->config.norm_eps == model->config.norm_eps);
    BOOST_TEST(stop_tokens(again->config) == std::vector<int32_t>{2});
    ModelFiles files = open_model(path);
    BOOST_TEST((files.gguf && files.hashes().count("model.gguf")));
  }
}

BOOST_AUTO_TEST_CASE(gguf_scaling_of_llama_3_is_recognised) {
  auto model = tiny_model(tiny_path("llama3"));
  GgufBuilder gguf = as_gguf(*model);
  // Factors by which Llama 3.1 slows its frequencies (theta 500000, factor 8), for 8 pairs: the first ones are quick, the last ones slow.
  std::vector<float> factors;
  for (int i = 0; i < 8; ++i) {
    double wavelength = 2 * 3.14159265358979 * std::pow(500000., i / 8.), smooth = (8192 / wavelength - 1) / 3;
    factors.push_back(float(wavelength < 2048 ? 1. : wavelength > 8192 ? 8. : 1. / ((1 - smooth) / 8 + smooth)));
  }
  ScratchFolder folder;
  auto with = [&](const std::vector<float>& all) {
    GgufBuilder copy = gguf;
    copy.tensor("rope_freqs.weight", 0, {all.size()}, std::string(reinterpret_cast<const char*>(all.data()), all.size() * 4));
    return folder.put("model.gguf", copy.build());
  };
  BOOST_TEST(open_model(with(factors)).config.json["rope_scaling"]["factor"] == 8.);
  factors[7] = 9.f;
  check_error([&] { open_model(with(factors)); }, {"rope_freqs.weight", "Llama 3"});
}

BOOST_AUTO_TEST_CASE(gguf_files_that_do_not_fit) {
  ScratchFolder folder;
  auto model = tiny_model(tiny_path("llama"));
  auto changed = [&](auto change) {
    GgufBuilder gguf = as_gguf(*model);
    change(gguf);
    return tiny_model(folder.put("bad.gguf", gguf.build()));
  };
  std::string four(16, '\0');
  check_error([&] { changed([&](GgufBuilder& g) { g.tensor("blk.9.attn_q.weight", 0, {4}, four); }); },
              {"bad.gguf", "blk.9.attn_q.weight", "no place"});
  check_error([&] { changed([&](GgufBuilder& g) { g.tensor("blk.0.attn_q.bias", 0, {4}, four); }); }, {"bad.gguf", "blk.0.attn_"});
  check_error([&] { folder.put("a.gguf", GgufBuilder().set("general.architecture", "mamba").build()), open_model(folder / "a.gguf"); },
              {"a.gguf", "'mamba'", "llama"});
  check_error([&] { folder.put("b.gguf", GgufBuilder().set("general.architecture", "llama").build()), open_model(folder / "b.gguf"); },
              {"b.gguf", "llama."});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
