// Adapters in afina's own form: what PEFT has no words for, and the base model they belong to.
#include "model/files/save.h"
#include "model/several.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

// BitFit on the tiny qwen2, biases moved, stored in `folder`.
struct Biases {
  ScratchFolder folder;
  std::unique_ptr<Model> model = tiny_model(tiny_path("qwen2"), "bitfit");
  Biases() {
    for (Parameter* p : model->parameters->trained()) {
      std::vector<float> values = p->exact().values();
      for (size_t i = 0; i < values.size(); ++i) values[i] += 0.01f * float(i);
      p->assign(values.data());
    }
    save_adapter(folder.path(), *model, "the base");
  }
  std::unique_ptr<Model> opened(const std::string& base, Dtype dtype = Dtype::f32) const {
    AdapterFiles files = load_adapter(folder.path());
    auto model = tiny_model(base, files.method.text, {.dtype = dtype});
    files.apply(*model);
    return model;
  }
  void put(const char* key, const Json& value) const {
    Json config = parse_json_file(folder / "afina_adapter.json");
    config[key] = value;
    folder.put("afina_adapter.json", config.dump());
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(own_adapters)

BOOST_AUTO_TEST_CASE(only_what_changed_is_stored) {
  Biases biases;
  Json config = parse_json_file(biases.folder / "afina_adapter.json");
  BOOST_TEST(config.at("method") == "bitfit");
  BOOST_TEST(config.at("base_model_name_or_path") == "the base");
  Reference file(biases.folder / "adapter_model.safetensors");
  int64_t numbers = 0;
  for (const StoredTensor& t : file.tensors()) {
    BOOST_TEST(t.name.ends_with(".bias"), t.name);
    numbers += t.count();
  }
  BOOST_TEST(numbers == 128);
  BOOST_TEST(bytes_to_store(*biases.model, Dtype::bf16) ==
             int64_t(std::filesystem::file_size(biases.folder / "adapter_model.safetensors")));
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (const Parameter* p : biases.model->parameters->trained())
      BOOST_TEST(
          (biases.opened(tiny_path("qwen2"), dtype)->parameters->find(p->name)->exact().values() ==
           p->exact().values()),
          p->name);
}

BOOST_AUTO_TEST_CASE(another_base_is_refused) {
  Biases biases;
  ScratchFolder other;
  auto changed = tiny_model(tiny_path("qwen2"));
  Parameter& p = *changed->parameters->find("model.norm.weight");
  std::vector<float> values = p.exact().values();
  values[3] += 0.1f;
  p.assign(values.data());
  save_model(other.path(), *changed, Dtype::f32);
  check_error([&] { biases.opened(other.path()); }, {"another one", "'the base'"});
  biases.put("base_digest", nullptr);
  biases.opened(other.path());
}

// One vector for the whole model fits every model by its shape; the file says whose layers it is.
BOOST_AUTO_TEST_CASE(a_vector_without_layers_knows_its_own) {
  ScratchFolder folder;
  const auto model = tiny_model(tiny_path("qwen2"), "unilora:rank=2,numbers=16");
  save_adapter(folder.path(), *model, "the base");
  BOOST_TEST(bytes_to_store(*model, Dtype::f32) ==
             int64_t(std::filesystem::file_size(folder / "adapter_model.safetensors")));
  const AdapterFiles files = load_adapter(folder.path());
  files.apply(*tiny_model(tiny_path("qwen2"), files.method.text));
  const auto other = tiny_model(tiny_path("qwen3"), files.method.text);
  check_error([&] { files.apply(*other); }, {"layers of other names or shapes", "the base"});
}

// What it was trained over stands in the file's metadata, which PEFT reads over.
BOOST_AUTO_TEST_CASE(the_form_of_the_base_is_said) {
  const std::string llama = tiny_path("llama");
  for (const BaseStorage& base : {BaseStorage{}, BaseStorage{BaseForm::nf4_double, true},
                                  BaseStorage{BaseForm::int8, false}}) {
    ScratchFolder folder;
    const auto model = tiny_model(llama, "lora:rank=2", {.base = base});
    save_adapter(folder.path(), *model, "the base");
    const AdapterFiles files = load_adapter(folder.path());
    BOOST_REQUIRE(files.over.has_value());
    BOOST_TEST(same_numbers(*files.over, base), name(base.form));
    BOOST_TEST(files.over->ends == base.ends);
    BOOST_TEST(bytes_to_store(*model, Dtype::f32) ==
               int64_t(std::filesystem::file_size(folder / "adapter_model.safetensors")));
    ModelFiles opened = open_model(llama);
    const auto alone =
        build_model(opened.config, *opened.source, std::make_unique<Untouched>(), {.base = base});
    const auto beside = built_beside(*alone, make_method(files.method));
    BOOST_TEST(same_numbers(beside->parameters->base, base), name(base.form));
  }
  BOOST_TEST(!load_adapter(llama + "/adapter_lora").over.has_value());  // PEFT's
  BOOST_TEST(same_numbers({BaseForm::plain}, {BaseForm::file}));
  BOOST_TEST(!same_numbers({BaseForm::plain}, {BaseForm::nf4}));
  BOOST_TEST(!same_numbers({BaseForm::nf4, true}, {BaseForm::nf4}));
  BOOST_TEST(!same_numbers({BaseForm::nf4_double}, {BaseForm::nf4}));
}

// Whose weights are the base's own, in the form that they had.
BOOST_AUTO_TEST_CASE(another_form_of_the_base_is_named) {
  ScratchFolder folder;
  const std::string qwen2 = tiny_path("qwen2");
  const BuildOptions four_bits{.base = {BaseForm::nf4}};
  save_adapter(folder.path(), *tiny_model(qwen2, "bitfit", four_bits), "the base");
  const AdapterFiles files = load_adapter(folder.path());
  files.apply(*tiny_model(qwen2, "bitfit", four_bits));
  check_error([&] { files.apply(*tiny_model(qwen2, "bitfit")); },
              {"another one", "trained over --base nf4", "this is --base plain"});
  SafetensorsWriter unknown(folder / "adapter_model.safetensors", {{base_key, "q3_k"}});
  unknown.commit();
  check_error([&] { load_adapter(folder.path()); },
              {"adapter_model.safetensors", "--base q3_k", "does not have"});
}

// Options that came with an adapter are not their user's to choose.
BOOST_AUTO_TEST_CASE(an_adapter_that_no_layer_has_room_for) {
  for (const std::string method : {"shira:rank=30", "fourierft:n=3000"}) {
    const MethodSpec typed = parse_method(method);
    MethodSpec opened = typed;
    opened.file = "a/adapter_config.json";
    ModelFiles files = open_model(tiny_path("llama"));
    check_error([&] { build_model(files.config, *files.source, make_method(opened), {}); },
                {"a/adapter_config.json does not fit this model", "one of another model"});
  }
}

BOOST_AUTO_TEST_CASE(configs_that_lie) {
  const std::tuple<const char*, Json, const char*> wrong[] = {
      {"method", "bitfti", "did you mean 'bitfit'"},
      {"afina_adapter", 2, "version 2"},
      {"options", {1}, "options"},
      {"options", {{"rank", "8"}}, "'rank'"},
      {"future", true, "'future'"}};
  for (auto& [key, value, word] : wrong) {
    Biases biases;
    biases.put(key, value);
    check_error([&] { biases.opened(tiny_path("qwen2")); }, {word});
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
