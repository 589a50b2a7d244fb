// A base in blocks: every method trains over it with the bits of the same base unpacked, or says
// why it cannot; files are read as they lie.
#include "engine/train/trainer.h"
#include "model/base_error.h"
#include "model/files/gguf_save.h"
#include "model/merge.h"
#include "model/several.h"
#include "test/model/methods/moved.h"
#include "test/scratch.h"

namespace afina {

namespace {

std::unique_ptr<Model> untouched(const std::string& path, const BuildOptions& options) {
  ModelFiles files = open_model(path);
  return build_model(files.config, *files.source, std::make_unique<Untouched>(), options);
}

// The values of a base in blocks as a folder of plain f32.
std::string unpacked(const ScratchFolder& folder, const std::string& path, BaseStorage base) {
  const std::string to = folder / "unpacked";
  save_model(to, *untouched(path, {.base = base}), Dtype::f32);
  return to;
}

// A loss and its gradients, in training.
struct Step {
  double loss = 0.;
  Gradients gradients;
  bool operator==(const Step&) const = default;
};
Step step_of(Model& model, const Batch& batch) {
  model.method->begin_step();
  Step step;
  {
    Tape tape;
    const Tensor loss = model.loss(batch.rows(), batch.scale).total;
    step.loss = loss.item();
    tape.backward(loss);
  }
  model.method->complete_gradients();
  step.gradients = gradients_of(model);
  return step;
}

std::vector<float> logits_of(Model& model) {
  return model.logits(make_inputs({3, 14, 15, 9, 2, 6, 5, 35})).values();
}

bool in_blocks_anywhere(const Model& model) {
  for (const Parameter& p : model.parameters->all)
    if (p.value.blocks()) return true;
  return false;
}

void write_gguf(const std::string& path, Model& model, GgufType type) {
  const GgufKeys keys = gguf_keys(model.config);
  GgufPairs pairs;
  pairs.set("general.architecture", keys.prefix.substr(0, keys.prefix.size() - 1));
  pairs.append(keys.pairs);
  save_gguf(path, model, gguf_plan(model, type, StoredType::f16, nullptr), pairs, keys.factors,
            nullptr);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base)

// Of every method what its card tries first.
BOOST_AUTO_TEST_CASE(every_method_has_the_bits_of_the_base_unpacked) {
  const Batch batch("llama");
  ScratchFolder folder;
  const std::string plain = unpacked(folder, tiny_path("llama"), {BaseForm::nf4, true});
  int trained = 0, refused = 0;
  for (auto& [name, entry] : methods()) {
    if (entry.card.tries.empty() || entry.card.fits) continue;
    const std::string method = entry.card.tries[0];
    std::unique_ptr<Model> ours, theirs;
    try {
      ours = tiny_model(tiny_path("llama"), method, {.base = {BaseForm::nf4, true}});
    } catch (const Error& e) {
      const std::string why = e.what();
      BOOST_TEST(why.find("--base") != why.npos, method << ": " << why);
      ++refused;
      continue;
    }
    theirs = tiny_model(plain, method);
    bool moves_base = false;  // then what is trained began as the file has it
    for (Parameter* p : ours->parameters->trained()) moves_base |= !p->added && p->shape.rank() > 1;
    if (moves_base) continue;
    move_away(*ours);
    move_away(*theirs);
    BOOST_TEST(in_blocks_anywhere(*ours), method);
    BOOST_TEST((step_of(*ours, batch) == step_of(*theirs, batch)), method);
    if (ours->method->why_not_mergeable().empty()) {
      MergedAdapters merged(*ours), expected(*theirs);
      BOOST_TEST((logits_of(*ours) == logits_of(*theirs)), method << " merged");
      merged.unmerge();
      BOOST_TEST(in_blocks_anywhere(*ours), method << " unmerged");
    }
    ++trained;
  }
  BOOST_TEST(trained >= 20);
  BOOST_TEST(refused >= 1);
  BOOST_TEST_MESSAGE("methods over a base in blocks: " << trained << ", refused: " << refused);
}

BOOST_AUTO_TEST_CASE(every_form_in_both_dtypes) {
  const Batch batch("llama");
  for (BaseForm form : {BaseForm::nf4_double, BaseForm::int8, BaseForm::q8_0, BaseForm::q4_k}) {
    ScratchFolder folder;
    const BaseStorage base{form, form == BaseForm::int8};
    const std::string plain = unpacked(folder, tiny_path("llama"), base);
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      auto ours = tiny_model(tiny_path("llama"), "lora:rank=4", {.dtype = dtype, .base = base}),
           theirs = tiny_model(plain, "lora:rank=4", {.dtype = dtype});
      move_away(*ours);
      move_away(*theirs);
      const Step expected = step_of(*theirs, batch);
      BOOST_TEST((step_of(*ours, batch) == expected), name(form) << " " << name(dtype));
      // Adapters beside each other read the blocks of one base.
      auto base_alone = untouched(tiny_path("llama"), {.dtype = dtype, .base = base});
      auto beside = built_beside(*base_alone, make_method(parse_method("lora:rank=4")));
      move_away(*beside);
      BOOST_TEST((step_of(*beside, batch) == expected), name(form) << " beside");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_leaves_nothing_or_changes_the_base_is_refused) {
  auto refused = [](const std::string& method, BaseForm form, const std::string& words) {
    BOOST_CHECK_EXCEPTION(tiny_model(tiny_path("llama"), method, {.base = {form, false}}), Error,
                          [&](const Error& e) {
                            const std::string said = e.what();
                            return said.find(words) != said.npos &&
                                   said.find("--base plain") != said.npos;
                          });
  };
  refused("full", BaseForm::nf4, "trains every matrix");
  refused("lora:start=pissa,rank=2", BaseForm::int8, "held in int8");
  refused("lora", BaseForm::file, "takes fewer bits");
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_the_forms) {
  ModelFiles files = open_model(tiny_path("llama"));
  auto model = untouched(tiny_path("llama"), {});
  double before = 0.;
  for (auto [form, least, most] :
       {std::tuple(BaseForm::q8_0, 0.002, 0.01), std::tuple(BaseForm::int8, 0.003, 0.015),
        std::tuple(BaseForm::nf4, 0.06, 0.12)}) {
    const std::vector<BaseError> errors = base_errors(*model, *files.source, {form, true});
    BOOST_TEST(errors.size() == model->parameters->linears.size() + 1);
    double largest = 0.;
    for (const BaseError& e : errors) {
      BOOST_TEST((e.relative > least && e.relative < most), e.name << " " << e.relative);
      BOOST_TEST(e.worst >= e.relative);
      largest = std::max(largest, e.relative);
    }
    BOOST_TEST(largest > before);
    before = largest;
  }
  BOOST_TEST(base_errors(*model, *files.source, {BaseForm::file, true}).empty());
}

// A GGUF file of few bits: mapped, never copied, the bits of the same file read plainly.
BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_lies) {
  const Batch batch("llama");
  for (const char* of : {"llama", "gpt_neox", "gpt2"}) {
    ScratchFolder folder;
    write_gguf(folder / "m.gguf", *untouched(tiny_path(of), {}), GgufType::q8_0);
    for (bool ends : {false, true}) {
      const int64_t before = memory_use(Device::cpu).now[size_t(Purpose::weights)];
      auto lying = untouched(folder / "m.gguf", {.base = {BaseForm::file, ends}});
      const int64_t bytes = memory_use(Device::cpu).now[size_t(Purpose::weights)] - before;
      auto plain = untouched(folder / "m.gguf", {});
      const int64_t all = memory_use(Device::cpu).now[size_t(Purpose::weights)] - before - bytes;
      BOOST_TEST(bytes < all);
      BOOST_TEST(in_blocks_anywhere(*lying));
      BOOST_TEST((logits_of(*lying) == logits_of(*plain)), of << (ends ? " with its ends" : ""));
    }
    if (std::string(of) != "llama") continue;
    auto ours = tiny_model(folder / "m.gguf", "lora:rank=2", {.base = {BaseForm::file, true}}),
         theirs = tiny_model(folder / "m.gguf", "lora:rank=2");
    move_away(*ours);
    move_away(*theirs);
    BOOST_TEST((step_of(*ours, batch) == step_of(*theirs, batch)));
  }
}

// Folders of transformers with bitsandbytes' 4 and 8 bits (test/reference/quantised_folders.py).
BOOST_AUTO_TEST_CASE(folders_of_bitsandbytes_are_opened) {
  for (const std::string kind : {"nf4", "fp4", "int8"}) {
    const std::string path = AFINA_SOURCE_DIR "/test/stored/quantised/" + kind;
    const Reference reference(path + "/reference.safetensors");
    auto plain = untouched(path, {}), lying = untouched(path, {.base = {BaseForm::file, false}});
    for (const StoredTensor& t : reference.tensors())
      if (t.name.ends_with(".weight")) {
        BOOST_TEST((plain->parameters->find(t.name)->value.values() == reference.numbers(t.name)),
                   kind << " " << t.name);
        BOOST_TEST(lying->parameters->find(t.name)->value.blocks(), kind << " " << t.name);
      }
    BOOST_TEST((logits_of(*plain) == logits_of(*lying)), kind);
    if (reference.has("logits"))
      BOOST_TEST(distance(logits_of(*lying), reference.numbers("logits")) < 2e-5, kind);
  }
}

BOOST_AUTO_TEST_CASE(folders_of_bitsandbytes_that_lack_a_part) {
  const std::string weight = "model.layers.0.mlp.gate_proj.weight";
  for (const auto& [kind, part] : {std::pair("nf4", weight + ".quant_state.bitsandbytes__nf4"),
                                   {"nf4", weight + ".absmax"},
                                   {"nf4", weight + ".quant_map"},
                                   {"nf4", weight + ".nested_absmax"},
                                   {"int8", std::string("model.layers.0.mlp.gate_proj.SCB")}}) {
    ScratchFolder folder;
    const std::string path = AFINA_SOURCE_DIR "/test/stored/quantised/" + std::string(kind);
    std::filesystem::copy_file(path + "/config.json", folder / "config.json");
    const Safetensors whole(path);
    SafetensorsWriter writer(folder / "model.safetensors");
    for (const StoredTensor& t : whole.tensors())
      if (t.name != part) writer.declare(t.name, t.type, t.shape);
    for (const StoredTensor& t : whole.tensors())
      if (t.name != part) writer.write(t.name, t.data, t.bytes);
    writer.commit();
    for (BaseForm form : {BaseForm::plain, BaseForm::file})
      check_error(
          [&] {
            untouched(folder.path(), {.base = {form, false}});
          },
          {weight, part, "the file is incomplete"});
  }
}

// Training moves the adapter and leaves every block as it was; the device without bytes knows the
// memory.
BOOST_AUTO_TEST_CASE(a_run_leaves_the_blocks_and_takes_what_is_predicted) {
  const Batch batch("llama");
  const BuildOptions options{.base = {BaseForm::nf4_double, false}};
  const MemoryUse none = memory_use(Device::cpu), nothing = memory_use(Device::shapes);
  auto model = tiny_model(tiny_path("llama"), "lora:rank=2", options);
  const int64_t weights =
      memory_use(Device::cpu).now[size_t(Purpose::weights)] - none.now[size_t(Purpose::weights)];
  ModelFiles files = open_model(tiny_path("llama"));
  BuildOptions shapes = options;
  shapes.device = Device::shapes;
  RandomWeights random(1);
  auto predicted =
      build_model(files.config, random, make_method(parse_method("lora:rank=2")), shapes);
  BOOST_TEST(memory_use(Device::shapes).now[size_t(Purpose::weights)] -
                 nothing.now[size_t(Purpose::weights)] ==
             weights);
  move_away(*model);
  std::map<std::string, uint64_t> before;
  for (Parameter& p : model->parameters->all) before[p.name] = checksum(p.value);
  Trainer trainer(model->parameters->trained(), {}, model->method.get());
  trainer.step(1, int64_t(std::llround(1. / batch.scale)),
               [&](size_t, double scale) { return model->loss(batch.rows(), scale); });
  for (Parameter& p : model->parameters->all)
    BOOST_TEST((checksum(p.value) != before[p.name]) == p.trained, p.name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
