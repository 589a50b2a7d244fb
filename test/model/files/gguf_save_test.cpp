// Models as GGUF files: what is written is read back as the same model, of every architecture that
// has a form there; and a file that was read is written again byte for byte.
#include "model/files/gguf_save.h"

#include <filesystem>

#include "model/files/weight_errors.h"
#include "test/model/llama_cpp_config.h"
#include "test/scratch.h"

namespace afina {

namespace {

std::unique_ptr<Model> untouched(const std::string& path) {
  ModelFiles files = open_model(path);
  return build_model(files.config, *files.source, std::make_unique<Untouched>(), {});
}

// Of as many tokens as a window leaves of the smallest context.
std::vector<float> logits_of(Model& model) {
  return model.logits(make_inputs({3, 1, 4, 1, 5})).values();
}

// Writes the metadata and tensors without a tokenizer, which these models lack.
void write(const std::string& path, Model& model, GgufType type, const Gguf* source = nullptr) {
  const GgufKeys keys = gguf_keys(model.config);
  GgufPairs pairs;
  pairs.set("general.architecture", keys.prefix.substr(0, keys.prefix.size() - 1));
  pairs.append(keys.pairs);
  save_gguf(path, model, gguf_plan(model, type, StoredType::f16, source), pairs, keys.factors,
            source);
}

std::vector<std::string> with_a_form() {
  std::vector<std::string> names;
  for (auto& entry : std::filesystem::directory_iterator(tiny_path("")))
    if (std::filesystem::exists(entry.path() / "config.json")) {
      const ModelFiles files = open_config(entry.path().string());
      if (architectures().at(files.config.architecture).gguf.keys)
        names.push_back(entry.path().filename().string());
    }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf_save)

BOOST_AUTO_TEST_CASE(every_architecture_comes_back) {
  const std::vector<std::string> names = with_a_form();
  BOOST_TEST(names.size() >= 24u);
  for (const std::string& name : names) {
    ScratchFolder folder;
    ModelFiles files = open_model(tiny_path(name));
    if (name == "qwen3_moe") files.source = std::make_unique<RandomWeights>(1);
    auto model = build_model(parse_config(config_for_llama_cpp(name), "config.json"), *files.source,
                             std::make_unique<Untouched>(), {});
    if (name == "gemma3") model->config.rope_theta = 1e6;
    if (name == "qwen3_yarn") {  // it has biases, and llama.cpp's Qwen3 none
      check_error([&] { gguf_keys(model->config); }, {"attention_bias", "--to hf"});
      continue;
    }
    write(folder / "f.gguf", *model, GgufType::f32);
    auto written = untouched(folder / "f.gguf");
    // Gemma's norms are stored with 1 added, and numbers of the config in f32.
    BOOST_TEST(distance(logits_of(*written), logits_of(*model)) < 2e-5, name);

    // Its weights in the config that was written from compute the same: the metadata are right.
    auto gguf = std::make_shared<const Gguf>(folder / "f.gguf");
    auto source = gguf_weights(model->config, gguf);
    auto same = build_model(model->config, *source, std::make_unique<Untouched>(), {});
    BOOST_TEST(distance(logits_of(*same), logits_of(*written)) < 2e-5, name);

    // Read and written again: the same bytes and the same answers.
    write(folder / "g.gguf", *written, GgufType::automatic, gguf.get());
    const Gguf again(folder / "g.gguf");
    BOOST_TEST(again.tensors().size() == gguf->tensors().size());
    for (const StoredTensor& t : gguf->tensors()) {
      const StoredTensor& other = again.at(t.name);
      BOOST_TEST((other.type == t.type && other.shape == t.shape &&
                  std::equal(t.data, t.data + t.bytes, other.data)),
                 name << ": " << t.name);
    }
    BOOST_TEST((logits_of(*untouched(folder / "g.gguf")) == logits_of(*written)), name);
  }
}

BOOST_AUTO_TEST_CASE(types_and_what_takes_their_place) {
  auto model = untouched(tiny_path("llama"));
  const auto type_of = [](const std::vector<GgufTensorPlan>& plan, const std::string& name) {
    for (const GgufTensorPlan& one : plan)
      if (one.name == name) return one.type;
    return StoredType::boolean;
  };
  for (auto& [wanted, matrix] :
       {std::pair(GgufType::f16, StoredType::f16), std::pair(GgufType::bf16, StoredType::bf16)}) {
    const auto plan = gguf_plan(*model, wanted, StoredType::f16, nullptr);
    BOOST_TEST((type_of(plan, "blk.0.attn_q.weight") == matrix));
    BOOST_TEST((type_of(plan, "token_embd.weight") == matrix));
    BOOST_TEST((type_of(plan, "blk.1.ffn_norm.weight") == StoredType::f32));
    BOOST_TEST((type_of(plan, "output_norm.weight") == StoredType::f32));
  }
  // Rows of no whole blocks: 256, then 32, then F16.
  const int64_t width = model->config.dim;
  const StoredType q4 =
      type_of(gguf_plan(*model, GgufType::q4_k, StoredType::f16, nullptr), "blk.0.attn_q.weight");
  BOOST_TEST((q4 == (width % 32 == 0 ? StoredType::q5_0 : StoredType::f16)));
  ScratchFolder folder;
  for (GgufType wanted : {GgufType::q8_0, GgufType::q4_0, GgufType::q5_0, GgufType::q6_k}) {
    const std::string path = folder / (std::to_string(int(wanted)) + ".gguf");
    write(path, *model, wanted);
    const auto source = gguf_weights(model->config, std::make_shared<const Gguf>(path));
    const auto errors = weight_errors(*model, dynamic_cast<FileWeights&>(*source), Scales::nearest);
    BOOST_TEST(errors.size() >= 2u);
    for (const WeightErrors& one : errors) {
      BOOST_TEST(one.holds(), name(one.type) << ": " << one.place);
      BOOST_TEST(one.error < (one.type == StoredType::f32 ? 1e-7 : 0.12), name(one.type));
    }
    untouched(path);
  }
}

BOOST_AUTO_TEST_CASE(adapters_are_merged_into_what_is_written) {
  ScratchFolder folder;
  auto adapted = tiny_model(tiny_path("llama"), "lora:rank=2");
  for (Parameter* p : adapted->parameters->trained()) {
    std::vector<float> values(size_t(p->shape.size()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.01f * float(i % 7) - 0.02f;
    p->assign(values.data());
  }
  write(folder / "f.gguf", *adapted, GgufType::f32);
  BOOST_TEST(distance(logits_of(*untouched(folder / "f.gguf")), logits_of(*adapted)) < 1e-5);
  BOOST_TEST(distance(logits_of(*untouched(tiny_path("llama"))), logits_of(*adapted)) > 1e-2);
}

BOOST_AUTO_TEST_CASE(what_has_no_form_is_refused_by_name) {
  auto model = untouched(tiny_path("seed_oss"));
  check_error([&] { gguf_keys(model->config); },
              {"'seed_oss' is not written as GGUF", "gpt2", "qwen3", "--to hf"});
  auto llama = untouched(tiny_path("llama"));
  std::vector<float> values = llama->parameters->find("model.norm.weight")->exact().values();
  Parameter* q = llama->parameters->find("model.layers.0.self_attn.q_proj.weight");
  std::vector<float> large = q->exact().values();
  large[3] = 70000.f;
  q->assign(large.data());
  ScratchFolder folder;
  check_error([&] { write(folder / "f.gguf", *llama, GgufType::f16); },
              {"tensor 'blk.0.attn_q.weight'", "70000", "too large for F16"});
  BOOST_TEST(folder.entries() == 0u);
}

// A window that llama.cpp does not have ends the context.
BOOST_AUTO_TEST_CASE(a_window_ends_the_context) {
  ModelFiles files = open_config(tiny_path("mistral_window"));
  const GgufKeys keys = gguf_keys(files.config);
  BOOST_TEST(keys.notes.size() == 1u);
  BOOST_TEST(keys.notes[0].find("no sliding window") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
