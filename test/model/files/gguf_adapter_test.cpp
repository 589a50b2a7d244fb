// LoRA adapters as GGUF: written and read back they do what the adapter does, whatever its scales;
// what the format cannot say is refused.
#include "model/files/gguf_adapter.h"

#include "engine/files/dequantize.h"
#include "engine/files/gguf_writer.h"
#include "model/files/save.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

std::vector<float> logits_of(Model& model) {
  return model.logits(make_inputs({3, 1, 4, 1, 5, 9, 2, 6})).values();
}

std::unique_ptr<Model> untouched(const std::string& name) {
  ModelFiles files = open_model(tiny_path(name));
  return build_model(files.config, *files.source, std::make_unique<Untouched>(), {});
}

// An adapter with numbers in it.
std::unique_ptr<Model> adapted(const std::string& name, const std::string& method) {
  auto model = tiny_model(tiny_path(name), method);
  for (Parameter* p : model->parameters->trained()) {
    std::vector<float> values(size_t(p->shape.size()));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = 0.02f * float((i * 7 + values.size()) % 11) - 0.1f;
    p->assign(values.data());
  }
  return model;
}

void check_round_trip(const std::string& name, const std::string& method) {
  ScratchFolder folder;
  auto model = adapted(name, method);
  save_gguf_adapter(folder / "a.gguf", *model, StoredType::f32, "");
  auto base = untouched(name);
  const std::vector<float> before = logits_of(*base);
  apply_gguf_adapter(*base, Gguf(folder / "a.gguf"));
  BOOST_TEST(distance(logits_of(*base), logits_of(*model)) < 1e-5, name << " " << method);
  BOOST_TEST(distance(before, logits_of(*model)) > 1e-3, name << " " << method);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf_adapter)

BOOST_AUTO_TEST_CASE(it_does_what_the_adapter_does) {
  check_round_trip("llama", "lora:rank=4");
  check_round_trip("llama", "lora:rank=4,alpha=6,rslora=true");
  check_round_trip("qwen2", "lora:rank=2,ranks=mlp.*:3,alphas=mlp.*:5,targets=*.mlp.*+q_proj");
  check_round_trip("gpt2", "lora:rank=4,rslora=true,targets=*.attn.*+*.mlp.*");
  check_round_trip("gpt_neox", "lora:rank=2,targets=query_key_value");
}

// An adapter of one alpha keeps its bits, but for the order of rows.
BOOST_AUTO_TEST_CASE(plain_adapters_keep_their_bits) {
  ScratchFolder folder;
  auto model = adapted("qwen2", "lora:rank=4,alpha=7");
  save_gguf_adapter(folder / "a.gguf", *model, StoredType::f32, "mine");
  const Gguf file(folder / "a.gguf");
  BOOST_TEST(file.metadata()["adapter.lora.alpha"] == 7.);
  BOOST_TEST(file.metadata()["general.type"] == "adapter");
  BOOST_TEST(file.metadata()["general.architecture"] == "qwen2");
  const StoredTensor& b = file.at("blk.0.attn_q.weight.lora_b");
  std::vector<float> values(size_t(b.count()));
  to_f32(b, 0, b.count(), values.data());
  for (const Parameter* p : std::as_const(*model->parameters).trained())
    if (p->name == "model.layers.0.self_attn.q_proj.lora_B.weight")
      BOOST_TEST((p->exact().values() == values));
}

BOOST_AUTO_TEST_CASE(smaller_types_where_rows_are_whole_blocks) {
  ScratchFolder folder;
  auto model = adapted("llama", "lora:rank=4");
  save_gguf_adapter(folder / "a.gguf", *model, StoredType::f16, "");
  auto base = untouched("llama");
  apply_gguf_adapter(*base, Gguf(folder / "a.gguf"));
  BOOST_TEST(distance(logits_of(*base), logits_of(*model)) < 2e-3);
  save_gguf_adapter(folder / "q.gguf", *model, StoredType::q8_0, "");
  const Gguf file(folder / "q.gguf");
  BOOST_TEST((file.at("blk.0.attn_q.weight.lora_b").type == StoredType::f32));  // rows of 4
}

BOOST_AUTO_TEST_CASE(what_it_cannot_say_is_refused) {
  ScratchFolder folder;
  auto refused = [&](const std::string& name, const std::string& method,
                     std::initializer_list<std::string> words) {
    auto model = adapted(name, method);
    check_error([&] { save_gguf_adapter(folder / "a.gguf", *model, StoredType::f32, ""); }, words);
  };
  refused("llama", "dora:rank=2", {"adapters of LoRA alone", "'dora'", "merge it"});
  refused("llama", "ia3", {"'ia3'", "merge it"});
  refused("gpt2", "lora:rank=2,lora_bias=true,targets=c_attn", {"merge it"});
  refused("llama", "lora:rank=2,save=1.mlp", {"the adapter holds 'model.layers.1.mlp", "merge it"});
  refused("llama", "lora:rank=2,tokens=7", {"merge it"});
  refused("llama", "lora:rank=2,targets=embedding+q_proj", {"merge it"});
  BOOST_TEST(folder.entries() == 0u);
}

BOOST_AUTO_TEST_CASE(other_files_are_refused) {
  ScratchFolder folder;
  auto model = adapted("qwen2", "lora:rank=2");
  save_gguf_adapter(folder / "a.gguf", *model, StoredType::f32, "");
  auto llama = untouched("llama");
  check_error([&] { apply_gguf_adapter(*llama, Gguf(folder / "a.gguf")); },
              {"is an adapter for 'qwen2' and the model is a 'llama'"});
  GgufPairs pairs;
  pairs.set("general.architecture", "llama");
  GgufWriter(folder / "m.gguf", pairs).commit();
  check_error([&] { apply_gguf_adapter(*llama, Gguf(folder / "m.gguf")); }, {"is no LoRA adapter"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
