// Weighted sums of LoRAs as one LoRA: against the sums of PEFT (test/reference/peft_sums.py), from
// and to files, with what PiSSA and OLoRA took out of the weights, and what is refused.
#include "model/combine.h"

#include "engine/files/json.h"
#include "engine/random.h"
#include "model/files/save.h"
#include "model/merge.h"
#include "model/several.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::string stored = AFINA_SOURCE_DIR "/test/stored/";

std::unique_ptr<Model> untouched(const std::string& base, const BuildOptions& options = {}) {
  ModelFiles files = open_model(tiny_path(base));
  return build_model(files.config, *files.source, std::make_unique<Untouched>(), options);
}
std::unique_ptr<Model> beside(const Model& base, const std::string& folder) {
  const AdapterFiles adapter = load_adapter(folder);
  auto model = built_beside(base, make_method(adapter.method));
  adapter.apply(*model);
  return model;
}
void add(CombinedLora& sum, const std::string& folder, double weight) {
  const AdapterFiles adapter = load_adapter(folder);
  sum.add(folder, adapter.method, weight, [&](Model& model) { adapter.apply(model); });
}
Inputs inputs_of(const std::string& base) {
  return plain_inputs(2,
                      Reference(tiny_path(base) + "/reference.safetensors").integers("input_ids"));
}
// Of the last n positions of each of two rows, as the stored ones.
std::vector<float> tail_of(const std::vector<float>& logits, size_t size) {
  const size_t row = logits.size() / 2, tail = size / 2;
  std::vector<float> all(logits.begin() + long(row - tail), logits.begin() + long(row));
  all.insert(all.end(), logits.end() - long(tail), logits.end());
  return all;
}

// A model on the base's weights under this method, moved away from its start.
std::unique_ptr<Model> moved(const Model& base, const std::string& method) {
  auto model = built_beside(base, make_method(parse_method(method)));
  for (Parameter& p : model->parameters->all) {
    if (!in_adapter(p, model->method->stored())) continue;
    std::vector<float> values = p.exact().values();
    Random random(7, "combine", p.name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1f * random.normal(i);
    p.assign(values.data());
  }
  return model;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(combine)

BOOST_AUTO_TEST_CASE(sums_are_those_of_peft) {
  const Json cases = parse_json_file(stored + "peft_sums.json");
  for (auto& [name, one] : cases.items()) BOOST_TEST_CONTEXT(name) {
      const std::string base_name = one.at("base");
      const auto expected = one.at("logits").get<std::vector<float>>();
      const Inputs inputs = inputs_of(base_name);
      auto base = untouched(base_name);
      CombinedLora sum(*base);
      for (auto& [part, weight] : one.at("parts").items())
        add(sum, stored + "peft/" + part, weight.get<double>());
      auto model = sum.build();
      const std::vector<float> logits = model->logits(inputs).values();
      BOOST_TEST(distance(tail_of(logits, expected.size()), expected) < 1e-5);

      // As an adapter of its own, and in the weights.
      ScratchFolder folder;
      save_adapter(folder / "sum", *model, base_name);
      BOOST_TEST((beside(*base, folder / "sum")->logits(inputs).values() == logits));
      if (!model->method->why_not_mergeable().empty()) continue;
      const Agreement merged = merge_and_check(*model, inputs);
      BOOST_TEST(merged.largest_difference <= 1e-5 * merged.largest_logit);
    }
}

BOOST_AUTO_TEST_CASE(what_an_adapter_took_out_of_the_weights_is_counted) {
  for (const std::string base_name : {"llama", "gpt2"}) {
    auto base = untouched(base_name);
    ScratchFolder folder;
    const Inputs inputs = inputs_of(base_name);
    const std::vector<std::pair<std::string, double>> parts = {
        {"lora:start=pissa,rank=3,rslora=true", 0.5},
        // OLoRA on weights that are stored (in, out) is another thing in PEFT.
        {std::string("lora:rank=2,targets=*.mlp.*,start=") +
             (base_name == "gpt2" ? "mica" : "olora"),
         -0.75},
        {"lora:rank=2,alpha=3", 1.}};
    CombinedLora sum(*base);
    // W + w1 (W1 - W) + w2 (W2 - W) + ..., from the merged weights of each alone.
    auto expected = built_beside(*base, std::make_unique<Untouched>());
    int count = 0;
    for (auto& [method, weight] : parts) {
      auto model = moved(*base, method);
      const std::string path = folder / std::to_string(++count);
      save_adapter(path, *model, base_name);
      add(sum, path, weight);
      const auto& linears = model->parameters->linears;
      for (size_t i = 0; i < linears.size(); ++i) {
        Parameter& to = expected->parameters->linears[i]->weight;
        const std::vector<float> with = linears[i]->merged().weight.values(),
                                 without = base->parameters->find(to.name)->value.values();
        std::vector<float> values = to.value.values();
        for (size_t k = 0; k < values.size(); ++k)
          values[k] = float(double(values[k]) + weight * (double(with[k]) - double(without[k])));
        to.assign(values.data());
      }
    }
    auto model = sum.build();
    BOOST_TEST(distance(model->logits(inputs).values(), expected->logits(inputs).values()) < 2e-5);
    // One of them alone, whole: as it is, but for rounding.
    CombinedLora one(*base);
    add(one, folder / "1", 1.);
    BOOST_TEST(distance(one.build()->logits(inputs).values(),
                        beside(*base, folder / "1")->logits(inputs).values()) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_lora_is_refused_with_the_reason) {
  auto base = untouched("qwen2");
  ScratchFolder folder;
  auto refused = [&](const std::string& method, std::initializer_list<std::string> words) {
    const std::string path = folder / method.substr(0, method.find('='));
    save_adapter(path, *moved(*base, method), "qwen2");
    CombinedLora sum(*base);
    check_error([&] { add(sum, path, 0.5); }, words);
    std::filesystem::remove_all(path);
  };
  refused("ia3", {"its method is 'ia3'", "only plain LoRAs", "afina merge"});
  refused("dora:rank=2", {"'dora'"});
  refused("adalora", {"'adalora'"});
  refused("lora:save=1.mlp,rank=2", {"trained model.layers.1.mlp.", "save="});
  refused("lora:bias=lora_only,rank=2", {"trained model.layers.0.", "bias="});
  refused("lora:tokens=7,rank=2", {"token_adapter", "no part of a LoRA"});

  CombinedLora sum(*base);
  check_error([&] { sum.build(); }, {"nothing to combine"});
  const std::string lora = stored + "peft/lora_rslora";
  check_error([&] { add(sum, lora, 0.); }, {"lora_rslora", "weight of 0"});
  check_error([&] { add(sum, lora, NAN); }, {"not finite"});
  check_error([&] { add(sum, stored + "peft/lora_gpt2", 1.); }, {"matches no linear layer"});
  CombinedLora biased(*base);
  add(biased, stored + "peft/lora_own_bias", 1.);
  const std::string ends = folder / "ends";
  save_adapter(ends, *moved(*base, "lora:rank=2,targets=head+q_proj"), "qwen2");
  add(biased, ends, 1.);
  check_error([&] { biased.build(); }, {"lora_bias", "embedding or the head"});
}

BOOST_AUTO_TEST_SUITE_END()
