// What is trained beside an adapter: whole modules, biases, rows of tokens, in memory and in files.
#include "model/beside.h"

#include "engine/files/safetensors.h"
#include "engine/random.h"
#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "model/merge.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

Inputs batch(const std::string& base) {
  Reference reference(tiny_path(base) + "/reference.safetensors");
  return plain_inputs(2, reference.integers("input_ids"), reference.integers("targets"));
}
std::set<std::string> trained_of(const Model& model, bool added = false) {
  std::set<std::string> names;
  for (const Parameter* p : std::as_const(*model.parameters).trained())
    if (p->added == added) names.insert(p->name);
  return names;
}
// Moves all that is trained away from its start.
void move(Model& model) {
  for (Parameter* p : model.parameters->trained()) {
    std::vector<float> values = p->exact().values();
    Random random(1, "test", p->name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1f * random.normal(i);
    p->assign(values.data());
  }
}
std::vector<float> logits(Model& model, const std::string& base) {
  return model.logits(batch(base)).values();
}
// Stored, read back: the config's file, and the same logits.
Json comes_back(Model& model, const std::string& base, const std::string& file) {
  ScratchFolder folder;
  save_adapter(folder.path(), model, "base");
  BOOST_TEST(bytes_to_store(model, Dtype::bf16) ==
             int64_t(std::filesystem::file_size(folder / "adapter_model.safetensors")));
  AdapterFiles files = load_adapter(folder.path());
  ModelFiles opened = open_model(tiny_path(base));
  auto again = build_model(opened.config, *opened.source, make_method(files.method), {});
  files.apply(*again);
  BOOST_TEST((logits(*again, base) == logits(model, base)));
  BOOST_REQUIRE(std::filesystem::exists(folder / file));
  return parse_json_file(folder / file);
}
// Merged and written as a whole model, which is opened without a word of the method.
void merged_is_the_same(Model& model, const std::string& base) {
  ScratchFolder folder;
  save_model(folder.path(), model, Dtype::f32, true);
  auto merged = tiny_model(folder.path());
  BOOST_TEST(distance(logits(*merged, base), logits(model, base)) < 1e-5);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(beside)

BOOST_AUTO_TEST_CASE(whole_modules_are_trained_and_get_no_adapter) {
  auto model = tiny_model(tiny_path("llama"), "lora:rank=2,save=0.mlp+model.norm");
  BOOST_TEST((trained_of(*model) == std::set<std::string>{"model.layers.0.mlp.down_proj.weight",
                                                          "model.layers.0.mlp.gate_proj.weight",
                                                          "model.layers.0.mlp.up_proj.weight",
                                                          "model.norm.weight"}));
  for (const Linear* linear : model->parameters->linears)
    BOOST_TEST((linear->adapter == nullptr) ==
               (linear->path.find("layers.0.mlp") != std::string::npos));
  move(*model);
  Json config = comes_back(*model, "llama", "adapter_config.json");
  BOOST_TEST((config.at("modules_to_save") == Json({"model.layers.0.mlp", "model.norm"})));
  merged_is_the_same(*model, "llama");
}

// A target that names only layers of a saved module has found them; nothing to adapt is said so.
BOOST_AUTO_TEST_CASE(targets_within_a_saved_module_get_no_adapter) {
  for (const char* text : {"lora:rank=2,targets=q_proj+down_proj,save=mlp", "ia3:save=mlp",
                           "vera:rank=2,targets=q_proj+up_proj,save=mlp"}) {
    auto model = tiny_model(tiny_path("llama"), text);
    for (const Linear* linear : model->parameters->linears)
      if (linear->path.find(".mlp.") != std::string::npos) BOOST_TEST(!linear->adapter, text);
  }
  check_error([] { tiny_model(tiny_path("llama"), "lora:targets=q_proj,save=q_proj"); },
              {"save and exclude leave no layer to adapt", "trained whole"});
}

// PEFT wraps a prompt's model without a tuner of its own, so that names in its files have one
// `model.` less (PEFT 0.21.2 fails on the other with a KeyError).
BOOST_AUTO_TEST_CASE(beside_a_prompt_names_are_those_of_peft) {
  for (const char* text : {"prompt:tokens=3,save=head", "prefix:tokens=3,save=head"}) {
    auto model = tiny_model(tiny_path("llama"), text);
    ScratchFolder folder;
    save_adapter(folder.path(), *model, "base");
    const Safetensors file(folder / "adapter_model.safetensors");
    BOOST_TEST((file.find("base_model.lm_head.weight") != nullptr), text);
    BOOST_TEST((file.find("base_model.model.lm_head.weight") == nullptr), text);
    comes_back(*model, "llama", "adapter_config.json");
  }
}

BOOST_AUTO_TEST_CASE(ends_of_a_tied_model_become_two_or_stay_one) {
  for (const char* base : {"llama", "gpt2"}) {
    const std::string table =
        std::string(base) == "llama" ? "model.embed_tokens" : "transformer.wte";
    auto head = tiny_model(tiny_path(base), "lora:rank=2,save=head"),
         embedding = tiny_model(tiny_path(base), "lora:rank=2,save=embedding"),
         one = tiny_model(tiny_path(base), "lora:rank=2,save=head,tie=true");
    BOOST_TEST((trained_of(*head) == std::set<std::string>{"lm_head.weight"}));
    BOOST_TEST((trained_of(*embedding) == std::set<std::string>{table + ".weight"}));
    BOOST_TEST((trained_of(*one) == std::set<std::string>{table + ".weight"}));
    BOOST_TEST(!head->ends().tied());
    BOOST_TEST(one->ends().tied());
    for (Model* model : {head.get(), embedding.get(), one.get()}) {
      BOOST_TEST((logits(*model, base) == logits(*tiny_model(tiny_path(base)), base)));
      move(*model);
      Json config = comes_back(*model, base, "adapter_config.json");
      BOOST_TEST(config.value("ensure_weight_tying", false) == (model == one.get()));
      merged_is_the_same(*model, base);
    }
  }
}

BOOST_AUTO_TEST_CASE(biases_of_all_or_of_adapted_layers) {
  auto all = tiny_model(tiny_path("gpt2"), "lora:rank=2,targets=c_attn,bias=all"),
       own = tiny_model(tiny_path("gpt2"), "lora:rank=2,targets=c_attn,bias=lora_only");
  BOOST_TEST(trained_of(*all).size() == 2u * 6u + 1u);
  BOOST_TEST((trained_of(*own) == std::set<std::string>{"transformer.h.0.attn.c_attn.bias",
                                                        "transformer.h.1.attn.c_attn.bias"}));
  for (Model* model : {all.get(), own.get()}) {
    move(*model);
    comes_back(*model, "gpt2", "adapter_config.json");
    merged_is_the_same(*model, "gpt2");
  }
}

BOOST_AUTO_TEST_CASE(rows_of_tokens_are_those_of_both_ends) {
  const std::string words = "lora:rank=2,targets=q_proj,tokens=9+1+33";
  auto tied = tiny_model(tiny_path("llama"), words),
       untied = tiny_model(tiny_path("llama3"), words),
       looked_up = tiny_model(tiny_path("llama3"), words + ",tokens_at=embedding");
  auto rows = [](const Model& model) {
    std::set<std::string> names;
    for (const std::string& name : trained_of(model, true))
      if (name.find("tokens") != name.npos && name.find("lora") == name.npos) names.insert(name);
    return names;
  };
  const std::string embedding = "model.embed_tokens.token_adapter.trainable_tokens_delta",
                    head = "lm_head.token_adapter.trainable_tokens_delta";
  BOOST_TEST((rows(*tied) == std::set<std::string>{embedding}));
  BOOST_TEST((rows(*untied) == std::set<std::string>{embedding, head}));
  BOOST_TEST((rows(*looked_up) == std::set<std::string>{embedding}));
  for (auto [model, base] : {std::pair(tied.get(), "llama"), std::pair(untied.get(), "llama3"),
                             std::pair(looked_up.get(), "llama3")}) {
    BOOST_TEST((logits(*model, base) == logits(*tiny_model(tiny_path(base)), base)));
    move(*model);
    comes_back(*model, base, "adapter_config.json");
    merged_is_the_same(*model, base);
  }
  // Only the named rows of the merged table are others.
  std::vector<float> before = tiny_model(tiny_path("llama"))->head().values();
  const std::vector<float> trained =
      tied->parameters->find("model.embed_tokens.token_adapter.trainable_tokens_delta")
          ->exact()
          .values();
  merge_adapters(*tied);
  std::vector<float> after = tied->head().values();
  for (size_t token = 0; token < 80; ++token) {
    const int64_t place = token == 9 ? 0 : token == 1 ? 1 : token == 33 ? 2 : -1;
    const float* expected =
        place < 0 ? before.data() + token * 32 : trained.data() + size_t(place) * 32;
    BOOST_TEST(std::equal(expected, expected + 32, after.data() + token * 32), token);
  }
}

BOOST_AUTO_TEST_CASE(what_peft_has_no_words_for_is_stored_in_ours) {
  for (const char* words :
       {"ia3:targets=q_proj,feedforward=none,bias=all", "oft:block=4,targets=q_proj,tokens=5",
        "bitfit:save=model.norm", "prompt:tokens=2,trainable_token_indices=5"}) {
    BOOST_TEST_CONTEXT(words) {
      auto model = tiny_model(tiny_path("qwen2"), words);
      move(*model);
      comes_back(*model, "qwen2", "afina_adapter.json");
    }
  }
}

BOOST_AUTO_TEST_CASE(every_method_can_have_something_beside_it) {
  for (auto& [name, entry] : methods()) {
    if (name == "full" || name == "tokens" || name == "last" || name == "norms") continue;
    if (name == "embeddings") continue;
    const std::string spec = entry.card.tries[0];
    BOOST_TEST_CONTEXT(name) {
      auto model = tiny_model(tiny_path("qwen2"), spec + (spec == name ? ":" : ",") +
                                                      "save=model.norm,trainable_token_indices=7");
      BOOST_TEST(model->parameters->find("model.norm.weight")->trained);
      Tape tape;
      Inputs inputs = batch("qwen2");
      inputs.training = true;
      tape.backward(model->loss(inputs, 0.1).total);
      BOOST_TEST(model->parameters->find("model.norm.weight")->value.grad().touched());
      BOOST_TEST(model->parameters->find("model.embed_tokens.token_adapter.trainable_tokens_delta")
                     ->value.grad()
                     .touched());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_table_in_the_file_is_taken_in) {
  ScratchFolder folder;
  auto model = tiny_model(tiny_path("llama3"), "lora:rank=2,targets=embedding");
  move(*model);
  Parameter& table = *model->parameters->find("model.embed_tokens.weight");
  std::vector<float> values = table.exact().values();
  for (float& v : values) v *= 1.5f;
  table.assign(values.data());
  save_adapter(folder.path(), *model, "base");
  Safetensors written(folder / "adapter_model.safetensors");
  SafetensorsWriter writer(folder / "longer.safetensors");
  for (const StoredTensor& t : written.tensors()) writer.declare(t.name, t.type, t.shape);
  const std::string name = "base_model.model.model.embed_tokens.base_layer.weight";
  writer.declare(name, StoredType::f32, {80, 32});
  for (const StoredTensor& t : written.tensors()) writer.write(t.name, t.data, t.bytes);
  writer.write(name, values.data(), values.size() * sizeof(float));
  writer.commit();
  std::filesystem::rename(folder / "longer.safetensors", folder / "adapter_model.safetensors");
  AdapterFiles files = load_adapter(folder.path());
  auto again = tiny_model(tiny_path("llama3"), files.method.text);
  files.apply(*again);
  BOOST_TEST((logits(*again, "llama3") == logits(*model, "llama3")));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_said) {
  auto fails = [](const std::string& base, const std::string& text,
                  std::initializer_list<std::string> words) {
    check_error([&] { tiny_model(tiny_path(base), text); }, words);
  };
  fails("llama", "full:save=head", {"'full'", "trains the whole model"});
  fails("llama", "lora:save=hed", {"'hed'", "names no module", "did you mean 'head'"});
  fails("llama", "lora:save=lora_A", {"'lora_A' names no module of the model; it has"});
  fails("llama", "lora:bias=all", {"bias=all", "no biases"});
  fails("llama", "lora:bias=lora_only", {"adapted layers have no biases"});
  fails("llama", "lora:bias=most", {"bias=most", "lora_only"});
  fails("llama", "lora:tokens=80", {"token 80", "ends at 79"});
  fails("llama", "lora:tokens=3+3", {"token 3", "twice"});
  fails("llama", "lora:tokens=3+", {"empty item"});
  fails("llama", "lora:tokens=3+<slot>", {"'<slot>'", "number of a token"});
  fails("llama", "lora:tokens=3,tokens_at=tail", {"tokens_at=tail", "both, embedding or head"});
  fails("llama", "lora:tokens=3,trainable_token_indices=3", {"two names of one option"});
  fails("llama", "lora:tokens=3,save=embedding", {"tokens", "trained as a whole"});
  fails("llama", "embeddings:tokens=3", {"tokens", "trained as a whole"});
  fails("llama", "lora:tokens=3,targets=head+q_proj", {"an adapter on lm_head", "choose one"});
  fails("llama", "tokens", {"tokens= is missing"});
}

// PEFT writes a table that is one twice; a file whose two differ is of another model.
BOOST_AUTO_TEST_CASE(two_names_of_one_weight_must_agree) {
  ScratchFolder folder;
  auto model = tiny_model(tiny_path("llama"), "tokens:tokens=3");
  move(*model);
  save_adapter(folder.path(), *model, "base");
  Safetensors written(folder / "adapter_model.safetensors");
  BOOST_TEST(written.tensors().size() == 2u);
  SafetensorsWriter writer(folder / "other.safetensors");
  for (const StoredTensor& t : written.tensors()) writer.declare(t.name, t.type, t.shape);
  const std::vector<float> zeros(32, 0.f);
  writer.write(written.tensors()[0].name, written.tensors()[0].data, written.tensors()[0].bytes);
  writer.write(written.tensors()[1].name, zeros.data(), 128);
  writer.commit();
  std::filesystem::rename(folder / "other.safetensors", folder / "adapter_model.safetensors");
  AdapterFiles files = load_adapter(folder.path());
  auto again = tiny_model(tiny_path("llama"), files.method.text);
  check_error([&] { files.apply(*again); }, {"differs from", "the same weight"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
