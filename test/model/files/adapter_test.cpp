// Adapters: those of PEFT read by us, ours written and read back, merging, and folders that lie.
#include <set>

#include "model/files/peft_refused.h"
#include "model/files/save.h"
#include "model/merge.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

struct PeftCase {
  const char *base, *run;
};
const PeftCase peft_cases[] = {
    {"llama", "lora"}, {"llama", "rslora"}, {"qwen2", "lora"}, {"gpt2", "lora"}};

std::unique_ptr<Model> with_adapter(const std::string& base, const AdapterFiles& adapter,
                                    BuildOptions options = {}) {
  ModelFiles files = open_model(base);
  auto model = build_model(files.config, *files.source, make_method(adapter.method), options);
  adapter.apply(*model);
  return model;
}
Inputs first_batch(const Reference& reference) {
  auto ids = reference.integers("input_ids");  // (5, 2, 12)
  ids.resize(24);
  return plain_inputs(2, ids);
}
std::string adapter_path(const PeftCase& c) { return tiny_path(c.base) + "/adapter_" + c.run; }

// A copy of PEFT's adapter on the tiny llama, with its config changed.
struct Changed {
  ScratchFolder folder;
  Json config = parse_json_file(tiny_path("llama") + "/adapter_lora/adapter_config.json");
  Changed() {
    std::filesystem::copy_file(tiny_path("llama") + "/adapter_lora/adapter_model.safetensors",
                               folder / "adapter_model.safetensors");
  }
  std::unique_ptr<Model> load() {
    folder.put("adapter_config.json", config.dump());
    return with_adapter(tiny_path("llama"), load_adapter(folder.path()));
  }
};

// The tensors of PEFT's adapter, written again after a change.
void rewrite(
    const std::string& to,
    const std::function<void(
        std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>>&)>& change) {
  Reference reference(tiny_path("llama") + "/adapter_lora/adapter_model.safetensors");
  std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>> all;
  for (const StoredTensor& t : reference.tensors())
    all[t.name] = {t.shape, reference.numbers(t.name)};
  change(all);
  SafetensorsWriter writer(to);
  for (auto& [name, value] : all) writer.declare(name, StoredType::f32, value.first);
  for (auto& [name, value] : all) writer.write(name, value.second.data(), value.second.size() * 4);
  writer.commit();
}

const std::string some_a = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight";

}  // namespace

BOOST_AUTO_TEST_SUITE(adapters)

BOOST_AUTO_TEST_CASE(adapters_of_peft_give_its_logits) {
  for (const PeftCase& c : peft_cases) {
    BOOST_TEST_CONTEXT(c.base << " " << c.run) {
      Reference reference(tiny_path(c.base) + "/train_" + c.run + ".safetensors");
      auto model = with_adapter(tiny_path(c.base), load_adapter(adapter_path(c)));
      Inputs inputs = first_batch(reference);
      BOOST_TEST(distance(model->logits(inputs).values(), reference.numbers("final_logits")) <
                 2e-5);
      Agreement merged = merge_and_check(*model, inputs);
      BOOST_TEST(merged.largest_difference < 2e-5 * merged.largest_logit);
      BOOST_TEST(merged.same_choice == merged.positions);
      BOOST_TEST(distance(model->logits(inputs).values(), reference.numbers("merged_logits")) <
                 2e-5);
      for (const StoredTensor& t : reference.tensors()) {
        if (!t.name.starts_with("merged.")) continue;
        Parameter* p = model->parameters->find(t.name.substr(7));
        BOOST_REQUIRE(p);
        if (!p->stored_transposed)
          BOOST_TEST(distance(sampled(p->exact().values()), reference.numbers(t.name)) < 1e-5,
                     t.name);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(our_adapters_come_back_to_the_bit) {
  for (const PeftCase& c : peft_cases) {
    BOOST_TEST_CONTEXT(c.base << " " << c.run) {
      ScratchFolder folder;
      Reference reference(tiny_path(c.base) + "/train_" + c.run + ".safetensors");
      Inputs inputs = first_batch(reference);
      auto model = with_adapter(tiny_path(c.base), load_adapter(adapter_path(c)));
      save_adapter(folder / "ours", *model, tiny_path(c.base));
      AdapterFiles ours = load_adapter(folder / "ours");
      BOOST_TEST(ours.base == tiny_path(c.base));
      auto again = with_adapter(tiny_path(c.base), ours);
      BOOST_TEST((again->logits(inputs).values() == model->logits(inputs).values()));
      Json theirs = parse_json_file(adapter_path(c) + "/adapter_config.json"),
           written = parse_json_file(folder / "ours/adapter_config.json");
      for (const char* key :
           {"r", "lora_alpha", "use_rslora", "fan_in_fan_out", "peft_type", "task_type", "bias"})
        BOOST_TEST(theirs[key] == written[key], key);
      Reference mine(folder / "ours/adapter_model.safetensors");
      for (const StoredTensor& t : mine.tensors())
        BOOST_TEST((mine.numbers(t.name) == reference.numbers("final." + t.name)), t.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(merged_models_are_written_and_open_again) {
  for (const PeftCase& c : peft_cases) {
    BOOST_TEST_CONTEXT(c.base << " " << c.run) {
      ScratchFolder folder;
      Reference reference(tiny_path(c.base) + "/train_" + c.run + ".safetensors");
      auto model = with_adapter(tiny_path(c.base), load_adapter(adapter_path(c)));
      check_error([&] { save_model(folder / "not", *model, Dtype::f32); }, {"adapters", "merge"});
      save_model(folder / "f32", *model, Dtype::f32, true);
      save_model(folder / "bf16", *model, Dtype::bf16, true);
      BOOST_TEST(model->parameters->linears[0]->adapter != nullptr);
      auto logits = tiny_model(folder / "f32")->logits(first_batch(reference)).values();
      BOOST_TEST(distance(logits, reference.numbers("merged_logits")) < 2e-5);
      BOOST_TEST(distance(tiny_model(folder / "bf16")->logits(first_batch(reference)).values(),
                          logits) < 0.05);
      Reference file(folder / "f32/model.safetensors");
      for (const StoredTensor& t : reference.tensors())
        if (t.name.starts_with("merged."))
          BOOST_TEST(
              distance(sampled(file.numbers(t.name.substr(7))), reference.numbers(t.name)) < 1e-5,
              t.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_forms_of_target_modules) {
  Changed changed;
  Reference reference(tiny_path("llama") + "/train_lora.safetensors");
  for (const Json& targets : {Json("all-linear"), Json(".*\\.(q|k|v|o|up|down|gate)_proj"),
                              Json({"q_proj", "self_attn.k_proj", "v_proj", "o_proj", "up_proj",
                                    "down_proj", "gate_proj"})}) {
    changed.config["target_modules"] = targets;
    BOOST_TEST(distance(changed.load()->logits(first_batch(reference)).values(),
                        reference.numbers("final_logits")) < 2e-5,
               targets);
  }
  changed.config["target_modules"] = Json::array();
  check_error([&] { changed.load(); }, {"adapter_config.json", "target_modules is empty"});
  changed.config["target_modules"] = "(";
  check_error([&] { changed.load(); }, {"regular expression", "malformed"});
  changed.config["target_modules"] = "(([a-z_.0-9])*)*(([a-z_.0-9])*)*jj";
  check_error([&] { changed.load(); }, {"regular expression", "takes too long"});
  // Passed over as PEFT does, while others match.
  changed.config["target_modules"] = Json(
      {"qkv_proj", "q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "gate_proj"});
  changed.load();
  changed.config["target_modules"] = Json({"qkv_proj"});
  check_error([&] { changed.load(); }, {"adapter_config.json: target_modules", "'qkv_proj'",
                                        "matches no", "q_proj", "another model"});
  for (const char* place : {"lm_head", "embed_tokens"}) {
    changed.config["target_modules"] = Json({"q_proj", "v_proj", place});
    changed.config["use_dora"] = false;
    check_error([&] { changed.load(); }, {"adapter_model.safetensors", place, "is missing"});
    changed.config["use_dora"] = true;
    check_error([&] { changed.load(); }, {"adapter_config.json: target_modules", place,
                                          "only lora adapts these", "merge_and_unload"});
  }
}

BOOST_AUTO_TEST_CASE(excluded_modules_and_patterns_in_the_files_order) {
  auto options = [](const std::string& config) {
    return adapter_method(config, "adapter_config.json").options;
  };
  const std::string begin = R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8,
      "target_modules": ["q_proj", "v_proj"], "exclude_modules": ["layers.0.self_attn.q_proj"],)";
  BOOST_TEST(options(begin + R"("rank_pattern": {"v_proj": 2, "self_attn.v_proj": 3}})")["ranks"] ==
             "v_proj:2+self_attn.v_proj:3");
  BOOST_TEST(options(begin + R"("rank_pattern": {"self_attn.v_proj": 3, "v_proj": 2}})")["ranks"] ==
             "self_attn.v_proj:3+v_proj:2");
  auto spec = adapter_method(begin + R"("rank_pattern": {}})", "adapter_config.json");
  BOOST_TEST(spec.options["exclude"] == "layers.0.self_attn.q_proj");
  auto model = tiny_model(tiny_path("llama"), spec.text);
  int64_t adapted = 0;
  for (const Linear* linear : model->parameters->linears) adapted += linear->adapter != nullptr;
  BOOST_TEST(adapted == 3);
  BOOST_TEST((model->method->peft_config()["target_modules"] ==
              Json({"model.layers.0.self_attn.v_proj", "model.layers.1.self_attn.q_proj",
                    "model.layers.1.self_attn.v_proj"})));
}

BOOST_AUTO_TEST_CASE(options_of_peft_that_we_lack) {
  const std::pair<const char*, Json> wrong[] = {{"use_dora", true},
                                                {"bias", "some"},
                                                {"peft_type", "LORRA"},
                                                {"task_type", "SEQ_CLS"},
                                                {"modules_to_save", {"lm_head"}},
                                                {"layers_to_transform", {1}},
                                                {"init_lora_weights", "lora_ga"},
                                                {"r", 0},
                                                {"r", "four"},
                                                {"lora_alpha", -1},
                                                {"target_modules", 3},
                                                {"rank_pattern", {1}},
                                                {"rank_pattern", {{"q_proj", 0}}},
                                                {"a_key_of_the_future", 1}};
  for (auto& [key, value] : wrong) {
    Changed changed;
    changed.config[key] = value;
    BOOST_CHECK_THROW(changed.load(), Error);
  }
  Changed changed;
  changed.config["use_qalora"] = true;
  check_error([&] { changed.load(); }, {"adapter_config.json", "use_qalora", "does not support"});
  ScratchFolder empty;
  check_error([&] { load_adapter(empty.path()); }, {"adapter_config.json", empty.path()});
}

// Every type of PEFT 0.21.2 is a method or is refused with a reason and a way out, never both.
BOOST_AUTO_TEST_CASE(types_of_peft_that_we_lack) {
  std::set<std::string> ours;
  for (auto& [name, entry] : methods())
    if (!entry.card.peft_type.empty()) ours.insert(entry.card.peft_type);
  std::set<std::string> refused;
  for (const RefusedKind& kind : refused_peft_types()) {
    BOOST_TEST(!ours.count(kind.name), kind.name);
    refused.insert(kind.name);
    Changed changed;
    changed.config["peft_type"] = kind.name;
    check_error([&] { changed.load(); },
                {"adapter_config.json", kind.name, kind.because, "Instead, ", kind.way_out});
  }
  for (const char* type : {"PROMPT_TUNING", "MULTITASK_PROMPT_TUNING",
                           "P_TUNING",      "PREFIX_TUNING",
                           "LORA",          "ADALORA",
                           "ADAMSS",        "BOFT",
                           "IA3",           "ADAPTION_PROMPT",
                           "BEFT",          "LILY",
                           "LOHA",          "LOKR",
                           "OFT",           "POLY",
                           "LN_TUNING",     "VERA",
                           "FROD",          "PVERA",
                           "FOURIERFT",     "GLORA",
                           "XLORA",         "HRA",
                           "VBLORA",        "UNILORA",
                           "CPT",           "MISS",
                           "RANDLORA",      "ROAD",
                           "HIRA",          "TRAINABLE_TOKENS",
                           "SHIRA",         "C3A",
                           "WAVEFT",        "OSF",
                           "DELORA",        "GRALORA",
                           "CARTRIDGE",     "TINYLORA",
                           "PSOFT",         "PEANUT",
                           "SHADOW",        "SUPERTUNING",
                           "DEFT"})
    BOOST_TEST(ours.count(type) + refused.count(type) == 1u, type);
  for (const RefusedKind& kind : refused_lora_keys()) {
    Changed changed;
    changed.config[kind.name] = Json({{"set", 1}});
    check_error([&] { changed.load(); },
                {"adapter_config.json", kind.name, kind.because, "Instead, ", kind.way_out});
  }
}

BOOST_AUTO_TEST_CASE(what_names_no_layer_of_the_model_is_passed_over_as_in_peft) {
  Reference reference(tiny_path("llama") + "/train_lora.safetensors");
  Changed changed;
  changed.config["rank_pattern"] = {{"lm_head", 8}, {"nowhere", 3}};
  changed.config["alpha_pattern"] = {{"nowhere", 3}};
  changed.config["exclude_modules"] = {"nowhere"};
  BOOST_TEST(distance(changed.load()->logits(first_batch(reference)).values(),
                      reference.numbers("final_logits")) < 2e-5);
  // Where people type, it is a mistake.
  check_error([] { tiny_model(tiny_path("llama"), "lora:ranks=nowhere:3"); },
              {"method 'lora': ranks", "nowhere"});
}

BOOST_AUTO_TEST_CASE(faults_in_the_words_of_the_file) {
  auto says = [](const char* key, const Json& value, std::initializer_list<std::string> words) {
    Changed changed;
    changed.config[key] = value;
    check_error([&] { changed.load(); }, words);
  };
  says("r", 0, {"adapter_config.json: r=0", "an integer from 1"});
  says("lora_alpha", -1, {"adapter_config.json: lora_alpha=-1"});
  says("lora_dropout", 2, {"adapter_config.json: lora_dropout=2"});
  says("rank_pattern", {{"q_proj", 0}}, {"adapter_config.json: rank_pattern=0"});
  says("modules_to_save", {"lm_head"},
       {"adapter_model.safetensors", "base_model.model.lm_head.weight", "is missing"});
  says("modules_to_save", {"*head"}, {"modules_to_save", "'*head'", "is no name of a module"});
  says("trainable_token_indices", {3.5}, {"trainable_token_indices", "the number of a token"});
  says("trainable_token_indices", {80}, {"trainable_token_indices", "token 80", "ends at 79"});
  says("trainable_token_indices", {{"embed_tokens", {1}}, {"lm_head", {2}}},
       {"trainable_token_indices", "other tokens for each module"});
  says("trainable_token_indices", {{"q_proj", {1}}}, {"'q_proj'", "neither embedding nor head"});
}

BOOST_AUTO_TEST_CASE(an_adapter_of_mlx_is_named_as_such) {
  ScratchFolder folder;
  folder.put("adapter_config.json",
             R"({"fine_tune_type": "lora", "lora_parameters": {"rank": 2}})");
  const std::initializer_list<std::string> words = {folder.path(), "mlx-lm", "fuse",
                                                    "adapter_model.safetensors"};
  check_error([&] { load_adapter(folder.path()); }, words);
  folder.put("adapters.safetensors", "");
  check_error([&] { load_adapter(folder.path()); }, words);
}

BOOST_AUTO_TEST_CASE(adapters_that_do_not_fit) {
  Changed changed;
  const std::string file = changed.folder / "adapter_model.safetensors";
  rewrite(file, [](auto& all) { all[some_a].second[5] = NAN; });
  check_error([&] { changed.load(); }, {"adapter_model.safetensors", some_a, "NaN"});
  rewrite(file, [](auto& all) { all.erase(some_a); });
  check_error([&] { changed.load(); }, {"adapter_model.safetensors", some_a, "another model"});
  rewrite(file, [](auto& all) { all["base_model.model.lm_head.lora_A.weight"] = {{1, 1}, {1.f}}; });
  check_error([&] { changed.load(); }, {"lm_head.lora_A.weight", "no place", "lora alone"});
  rewrite(file, [](auto& all) { all[some_a].first = {32, 4}; });
  check_error([&] { changed.load(); }, {some_a, "[32, 4]", "[4, 32]", "another model"});
  rewrite(file, [](auto& all) {
    for (const char* side : {"lora_A", "lora_B"})
      all["base_model.model.model.layers.7.mlp.up_proj." + std::string(side) + ".weight"] = {{1, 1},
                                                                                             {1.f}};
  });
  check_error([&] { changed.load(); }, {"layers.7.mlp", "no place", "another model"});
  changed.folder.put("adapter_model.safetensors", "short");
  check_error([&] { changed.load(); }, {"adapter_model.safetensors"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
