// Model folders and GGUF files: what is read, written, and refused.
#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

using Tensors = std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>>;

// A copy of a tiny model, with config and tensors to be changed.
struct Copy {
  ScratchFolder folder;
  Json config;
  Tensors tensors;

  explicit Copy(const std::string& name = "llama")
      : config(parse_json_file(tiny_path(name) + "/config.json")) {
    Reference reference(tiny_path(name));
    for (const StoredTensor& t : reference.tensors())
      tensors[t.name] = {t.shape, reference.numbers(t.name)};
  }
  void write() {
    folder.put("config.json", config.dump());
    SafetensorsWriter writer(folder / "model.safetensors");
    for (auto& [name, t] : tensors) writer.declare(name, StoredType::f32, t.first);
    for (auto& [name, t] : tensors) writer.write(name, t.second.data(), t.second.size() * 4);
    writer.commit();
  }
  std::unique_ptr<Model> load() {
    write();
    return tiny_model(folder.path());
  }
};

std::vector<float> logits_of(Model& model) {
  return model.logits(make_inputs({3, 1, 4, 1, 5})).values();
}

const std::string q_proj = "model.layers.1.self_attn.q_proj.weight";

}  // namespace

BOOST_AUTO_TEST_SUITE(weights)

BOOST_AUTO_TEST_CASE(written_models_come_back_to_the_bit) {
  for (const char* name : {"llama", "llama3", "llama_linear", "mistral", "qwen2", "gpt2"}) {
    ScratchFolder folder;
    auto model = tiny_model(tiny_path(name));
    save_model(folder.path(), *model, Dtype::f32);
    BOOST_TEST((logits_of(*tiny_model(folder.path())) == logits_of(*model)), name);
    Json before = parse_json_file(tiny_path(name) + "/config.json"),
         after = parse_json_file(folder / "config.json");
    BOOST_TEST(after["architectures"] == before["architectures"]);
    BOOST_TEST(after["torch_dtype"] == "float32");
    Reference ours(folder.path()), theirs(tiny_path(name));
    BOOST_TEST(ours.tensors().size() == theirs.tensors().size());
    for (const StoredTensor& t : theirs.tensors())
      BOOST_TEST((ours.numbers(t.name) == theirs.numbers(t.name) && ours.shape(t.name) == t.shape),
                 t.name);
  }
}

// Two uses of one weight move together, and are one tensor again when written.
BOOST_AUTO_TEST_CASE(tied_weights_stay_tied_through_training) {
  ScratchFolder folder;
  auto model = tiny_model(tiny_path("llama"));
  Parameter* embedding = model->parameters->find("model.embed_tokens.weight");
  TrainOptions options;
  options.schedule.peak = 0.01;
  options.schedule.decay = Decay::constant;
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  std::vector<int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6}, targets = {1, 4, 1, 5, 9, 2, 6, -1};
  uint64_t before = checksum(embedding->value);
  for (int i = 0; i < 3; ++i)
    trainer.step(1, 7, [&](size_t, double scale) {
      return model->loss(plain_inputs(1, tokens, targets), scale);
    });
  BOOST_TEST(checksum(embedding->value) != before);
  BOOST_TEST(model->head().data<void>() == embedding->value.data<void>());
  BOOST_TEST(model->parameters->find("lm_head.weight") == nullptr);
  save_model(folder.path(), *model, Dtype::f32);
  BOOST_TEST(!Safetensors(folder.path()).find("lm_head.weight"));
  BOOST_TEST(parse_json_file(folder / "config.json").at("tie_word_embeddings") == true);
  BOOST_TEST((logits_of(*tiny_model(folder.path())) == logits_of(*model)));
}

BOOST_AUTO_TEST_CASE(what_stands_in_place_of_weights_is_named) {
  auto says = [](const std::string& file, std::initializer_list<std::string> words) {
    ScratchFolder folder;
    std::filesystem::copy_file(tiny_path("llama") + "/config.json", folder / "config.json");
    folder.put(file, "");
    check_error([&] { open_model(folder.path()); }, words);
    check_error([&] { open_model(folder.path()); }, {folder.path(), "model.safetensors"});
  };
  for (const char* file : {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin",
                           "consolidated.00.pth", "tf_model.h5", "flax_model.msgpack"})
    says(file, {file, "saved again as safetensors"});
  says("model-q4.gguf", {"model-q4.gguf", "--model"});
  says("adapter_config.json", {"an adapter", "--adapter"});
  says("model-00001-of-00002.safetensors", {"model-00001-of-00002.safetensors", "index"});
  says("notes.txt", {"Hugging Face"});
}

BOOST_AUTO_TEST_CASE(a_folder_may_mean_its_gguf_file) {
  ScratchFolder folder;
  BOOST_TEST(model_file(folder.path()) == folder.path());
  BOOST_TEST(model_file(folder / "absent") == folder / "absent");
  const std::string only = folder.put("b.gguf", "GGUF");
  BOOST_TEST(model_file(folder.path()) == only);
  check_error([&] { open_model(folder.path()); }, {only});
  folder.put("a.gguf", "GGUF");
  check_error([&] { open_model(folder.path()); },
              {"2 .gguf files", "a.gguf, b.gguf", "--model " + (folder / "a.gguf")});
  folder.put("config.json", "{}");  // then it is a folder as Hugging Face writes it
  BOOST_TEST(model_file(folder.path()) == folder.path());
}

BOOST_AUTO_TEST_CASE(one_source_builds_many_models) {
  ModelFiles files = open_model(tiny_path("llama3"));
  BOOST_TEST(files.files.size() == 3u);
  BOOST_TEST(files.hashes().size() == 3u);
  auto first = build_model(files.config, *files.source, make_method(parse_method("full")), {});
  auto second = build_model(files.config, *files.source, make_method(parse_method("lora")), {});
  BOOST_TEST((logits_of(*first) == logits_of(*second)));
  BOOST_TEST(stop_tokens(files.config) == std::vector<int32_t>{2});
}

BOOST_AUTO_TEST_CASE(names_and_extras_of_older_files) {
  Copy tied;
  auto plain = logits_of(*tied.load());
  tied.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = {{4}, {1, 2, 3, 4}};
  tied.tensors["lm_head.weight"] = tied.tensors["model.embed_tokens.weight"];
  BOOST_TEST((logits_of(*tied.load()) == plain));
  tied.tensors["lm_head.weight"].second[7] += 1.f;
  check_error([&] { tied.load(); }, {"lm_head.weight", "tie_word_embeddings"});
  tied.tensors["lm_head.weight"].second[7] -= 1.f;
  tied.tensors.erase("model.embed_tokens.weight");
  BOOST_TEST(logits_of(*tied.load()).size() == plain.size());

  Copy gpt2("gpt2");
  auto before = logits_of(*gpt2.load());
  Tensors bare;
  for (auto& [name, t] : gpt2.tensors) bare[name.substr(name.find('.') + 1)] = t;
  bare["h.0.attn.bias"] = {{1, 1, 2, 2}, {1, 0, 1, 1}};
  bare["h.0.attn.masked_bias"] = {{1}, {-1e4f}};
  gpt2.tensors = bare;
  BOOST_TEST((logits_of(*gpt2.load()) == before));
}

BOOST_AUTO_TEST_CASE(tensors_that_do_not_fit) {
  auto changed = [](auto change) {
    Copy copy;
    change(copy);
    copy.load();
  };
  check_error([&] { changed([](Copy& c) { c.tensors.erase(q_proj); }); }, {q_proj, "missing"});
  check_error([&] { changed([](Copy& c) { c.tensors[q_proj].second[3] = NAN; }); },
              {"model.safetensors", q_proj, "NaN"});
  check_error([&] { changed([](Copy& c) { c.tensors[q_proj].second[3] = -INFINITY; }); },
              {q_proj, "infinite"});
  check_error(
      [&] {
        changed([](Copy& c) { c.tensors["model.layers.2.mlp.up_proj.weight"] = {{1}, {0}}; });
      },
      {"model.layers.2.mlp.up_proj.weight", "no place"});
  check_error([&] { changed([](Copy& c) {
                      c.tensors[q_proj].first = {16, 64};
                    }); },
              {q_proj, "[16, 64]", "[32, 32]"});
  check_error([&] { changed([](Copy& c) { c.config["vocab_size"] = 81; }); },
              {"embed_tokens", "[80, 32]", "[81, 32]"});
  check_error([&] { changed([](Copy& c) { c.config["tie_word_embeddings"] = false; }); },
              {"lm_head.weight", "missing", "\"tie_word_embeddings\": true", "config.json"});
  check_error([&] { changed([](Copy& c) { c.config["num_hidden_layers"] = 1; }); },
              {"model.layers.1.", "no place"});
}

BOOST_AUTO_TEST_CASE(configs_that_are_not_supported) {
  const std::pair<const char*, Json> wrong[] = {
      {"model_type", "lama"},
      {"model_type", 3},
      {"model_type", nullptr},
      {"hidden_act", "gelu_10"},
      {"hidden_size", 0},
      {"hidden_size", -32},
      {"hidden_size", 1e9},
      {"hidden_size", "32"},
      {"num_attention_heads", 3},
      {"num_attention_heads", 0},
      {"num_key_value_heads", 3},
      {"head_dim", 7},
      {"num_hidden_layers", 1 << 20},
      {"rms_norm_eps", -1},
      {"rope_theta", 0},
      {"rope_scaling", {{"rope_type", "yarm"}, {"factor", 2}}},
      {"rope_scaling", {{"type", "dynamic"}}},
      {"rope_scaling", {{"type", "linear"}, {"factor", 2}, {"faktor", 3}}},
      {"rope_scaling",
       {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}}},
      {"sliding_window", 8},
      {"use_flash_rope", true},
      {"attn_logit_softcapping", 30.},
      {"rope_scaling", {{"type", "linear"}}},
      {"rope_scaling", {{"type", "linear"}, {"factor", 0}}},
      {"rope_scaling", "linear"},
      {"rope_scaling",
       {{"rope_type", "llama3"},
        {"factor", 8},
        {"low_freq_factor", 4},
        {"high_freq_factor", 4},
        {"original_max_position_embeddings", 32}}},
      {"quantization_config", {{"quant_method", "gptq"}, {"bits", 4}}},
      {"partial_rotary_factor", 0.5},
      {"vocab_size", 1LL << 40},
      {"attention_bias", "yes"}};
  for (auto& [key, value] : wrong) {
    Copy copy;
    copy.config[key] = value;
    BOOST_CHECK_THROW(copy.load(), Error);
  }
  Copy copy;
  copy.config["model_type"] = "lama";
  check_error([&] { copy.load(); }, {"config.json", "'lama'", "did you mean 'llama'", "gpt2"});
  copy.config["model_type"] = "llama";
  copy.config["rope_scaling"] = {{"rope_type", "yarm"}};
  check_error([&] { copy.load(); }, {"config.json", "yarm", "did you mean 'yarn'", "linear"});
  copy.config["rope_scaling"] = {
      {"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}, {"high_freq_factor", 4}};
  check_error([&] { copy.load(); },
              {"rope_scaling", "original_max_position_embeddings", "missing", "8192"});
  copy.config["rope_scaling"] = nullptr;
  copy.config["logit_scal"] = 0.25;
  check_error([&] { copy.load(); },
              {"config.json", "logit_scal = 0.25", "llama", "remove the key"});
  Copy gpt2("gpt2");
  gpt2.config["scale_attn_by_inverse_layer_idx"] = true;
  check_error([&] { gpt2.load(); }, {"scale_attn_by_inverse_layer_idx"});
}

BOOST_AUTO_TEST_CASE(folders_that_are_no_models) {
  ScratchFolder folder;
  check_error([&] { open_model(folder / "nothing"); }, {"nothing", "no such model"});
  check_error([&] { open_model(folder.path()); }, {"config.json"});
  Copy copy;
  copy.write();
  copy.folder.put("config.json", "{");
  check_error([&] { open_model(copy.folder.path()); }, {"config.json"});
  copy.folder.put("config.json", "[]");
  check_error([&] { open_model(copy.folder.path()); }, {"config.json"});
  copy.write();
  std::filesystem::resize_file(copy.folder / "model.safetensors", 1000);
  check_error([&] { tiny_model(copy.folder.path()); }, {"model.safetensors"});
  check_error([&] { open_model(folder.put("file.gguf", "GGUF")); }, {"file.gguf"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
