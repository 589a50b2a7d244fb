// Generation: with and without a cache, choosing tokens, where it ends; and GGUF files as models.
#include "model/generate.h"
#include "test/model/llama_cpp_config.h"
#include "test/model/tiny.h"
#include "test/model/tiny_gguf.h"
#include "test/scratch.h"

namespace afina {

namespace {

const char* const names[] = {"llama", "llama3", "qwen2", "gpt2"};

}  // namespace

BOOST_AUTO_TEST_SUITE(generation)

BOOST_AUTO_TEST_CASE(cache_gives_the_same_tokens) {
  for (const char* name : names)
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (double temperature : {0., 1.5}) {
        auto model = tiny_model(tiny_path(name), "full", {.dtype = dtype});
        GenerateOptions options;
        options.most = 20;
        options.temperature = temperature;
        options.top_k = 30;
        options.top_p = 0.9;
        options.seed = 4;
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
  options.each = [&](int32_t token) {
    seen.push_back(token);
    return seen.size() < 3;
  };
  auto called = generate(*model, {5, 6, 7}, options);
  BOOST_TEST((called.end == Generated::caller));
  BOOST_TEST(called.tokens == seen);
  BOOST_TEST(seen.size() == 3u);
  check_error([&] { generate(*model, {}, options); }, {"prompt"});
  check_error([&] { generate(*model, std::vector<int32_t>(32, 1), options); },
              {"32 tokens", "context of 32"});
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
  for (size_t i = 0; i < 5; ++i)
    BOOST_TEST(std::fabs(count[i] / 20000. - std::exp(double(logits[i])) / total) < 0.012);
  auto kinds = [&] {
    std::vector<int> seen(5);
    for (int i = 0; i < 2000; ++i) seen[size_t(choose_token(logits, options, i))] = 1;
    return seen;
  };
  options.top_k = 3;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 1, 1}));
  options.top_k = 0;
  options.top_p = 0.5;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 1, 0}));
  options.top_p = 1e-6;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 0, 0}));
  options.top_p = 1.;
  options.temperature = 1e-3;
  BOOST_TEST(kinds() == (std::vector<int>{0, 1, 0, 1, 0}));
  options.seed = 9;
  options.temperature = 1.;
  BOOST_TEST(choose_token(logits, options, 7) == choose_token(logits, options, 7));
  // Rows that mean no text are not chosen, however likely.
  options.known = [](int32_t id) { return id == 2 || id == 3; };
  for (double temperature : {0., 1., 100.}) {
    options.temperature = temperature;
    for (int64_t position = 0; position < 20; ++position)
      BOOST_TEST(choose_token(logits, options, position) >= 2);
  }
  options.known = [](int32_t) { return false; };
  check_error([&] { choose_token(logits, options, 0); }, {"known"});
  options.known = nullptr;
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

// The other architectures that have GGUF names: what llama.cpp does not store is its default.
BOOST_AUTO_TEST_CASE(gguf_files_of_other_architectures) {
  for (const std::string name :
       {"qwen3", "gemma", "gemma2", "gemma3", "phi3", "smollm3", "olmo2", "granite", "olmo3",
        "gpt_neox", "gpt_neox_serial", "stablelm", "stablelm_parallel", "stablelm_norms",
        "starcoder2", "mixtral", "qwen3_moe", "ministral3"}) {
    const Json config = config_for_llama_cpp(name);
    ModelFiles files = open_model(tiny_path(name));
    // All layers with experts are another model than the stored one.
    if (name == "qwen3_moe") files.source = std::make_unique<RandomWeights>(1);
    auto model = build_model(parse_config(config, "config.json"), *files.source,
                             make_method(parse_method("full")), {});
    if (name == "gemma3") model->config.rope_theta = 1e6;
    ScratchFolder folder;
    auto again = tiny_model(folder.put("model.gguf", as_gguf(*model).build()));
    BOOST_TEST(again->config.architecture == model->config.architecture);
    Inputs inputs = make_inputs({3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5});
    // Gemma's norms are stored with 1 added, which rounds them.
    BOOST_TEST(distance(again->logits(inputs).values(), model->logits(inputs).values()) <
                   (name.starts_with("gemma") ? 1e-5 : 1e-30),
               name);
  }
}

BOOST_AUTO_TEST_CASE(gguf_files_of_these_architectures_that_say_something_else) {
  ScratchFolder folder;
  auto changed = [&](const char* name, auto change) {
    GgufBuilder gguf = as_gguf(*tiny_model(tiny_path(name)));
    change(gguf);
    return tiny_model(folder.put("other.gguf", gguf.build()));
  };
  // What scales attention otherwise than the factor of YaRN says it.
  for (const char* key : {"attn_factor", "yarn_attn_factor", "yarn_ext_factor"})
    check_error(
        [&] {
          changed("ministral3", [&](GgufBuilder& g) {
            g.set(std::string("mistral3.rope.scaling.") + key, 0.5f);
          });
        },
        {"other.gguf", key, "0.5", "Hugging Face folder"});
  const float usual = float(0.1 * std::log(8.) + 1.);  // libm: in a test
  changed("ministral3", [&](GgufBuilder& g) { g.set("mistral3.rope.scaling.attn_factor", usual); });
  check_error(
      [&] { changed("qwen2", [](GgufBuilder& g) { g.set("qwen2.expert_count", uint32_t(4)); }); },
      {"other.gguf", "experts of this kind", "Hugging Face folder"});
  check_error(
      [&] {
        changed("mixtral", [](GgufBuilder& g) {
          g.tensor("blk.0.ffn_gate_exps.bias", 0, {4}, std::string(16, '\0'));
        });
      },
      {"other.gguf", "blk.0.ffn_gate_exps.bias", "no place"});
}

BOOST_AUTO_TEST_CASE(gguf_scaling_of_llama_3_is_recognised) {
  auto model = tiny_model(tiny_path("llama3"));
  GgufBuilder gguf = as_gguf(*model);
  // Factors by which Llama 3.1 slows its frequencies (theta 500000, factor 8), for 8 pairs: the
  // first ones are quick, the last ones slow.
  std::vector<float> factors;
  for (int i = 0; i < 8; ++i) {
    double wavelength = 2 * 3.14159265358979 * std::pow(500000., i / 8.),
           smooth = (8192 / wavelength - 1) / 3;
    factors.push_back(float(wavelength < 2048   ? 1.
                            : wavelength > 8192 ? 8.
                                                : 1. / ((1 - smooth) / 8 + smooth)));
  }
  ScratchFolder folder;
  auto with = [&](const std::vector<float>& all) {
    GgufBuilder copy = gguf;
    copy.tensor("rope_freqs.weight", 0, {all.size()},
                std::string(reinterpret_cast<const char*>(all.data()), all.size() * 4));
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
  check_error(
      [&] { changed([&](GgufBuilder& g) { g.tensor("blk.9.attn_q.weight", 0, {4}, four); }); },
      {"bad.gguf", "blk.9.attn_q.weight", "no place"});
  check_error(
      [&] { changed([&](GgufBuilder& g) { g.tensor("blk.0.attn_q.bias", 0, {4}, four); }); },
      {"bad.gguf", "blk.0.attn_"});
  check_error(
      [&] {
        folder.put("a.gguf", GgufBuilder().set("general.architecture", "mamba").build());
        open_model(folder / "a.gguf");
      },
      {"a.gguf", "'mamba'", "llama"});
  check_error(
      [&] {
        folder.put("b.gguf", GgufBuilder().set("general.architecture", "llama").build());
        open_model(folder / "b.gguf");
      },
      {"b.gguf", "llama."});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
