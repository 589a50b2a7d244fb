// Every method against stored numbers of PEFT (or of torch alone): one case for each folder of
// test/stored/peft, which test/reference/peft_methods.py makes and its README explains.
#include <filesystem>
#include <set>

#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "model/merge.h"
#include "test/cuda/gpus.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

std::vector<void (*)()>& case_makers();

namespace {

namespace fs = std::filesystem;

const char* const cases_folder = AFINA_SOURCE_DIR "/test/stored/peft";
// Logits are measured by the largest one, losses by themselves. Training in f32 moves a weight
// whose gradient is nearly zero by chance, so the logits after it are only near PEFT's.
constexpr double logits_tolerance = 1e-5, loss_tolerance = 1e-5, trained_tolerance = 1e-3;

struct StoredCase {
  std::string folder;
  Json about;
  std::string base;
  Reference reference;
  std::vector<int32_t> tokens, targets;
  Device device = Device::cpu;  // that models are to be built on

  explicit StoredCase(const std::string& name)
      : folder(std::string(cases_folder) + "/" + name),
        about(parse_json_file(folder + "/case.json")),
        base(tiny_path(about.at("base").get<std::string>())),
        reference(folder + "/reference.safetensors") {
    Reference of_base(base + "/reference.safetensors");
    tokens = of_base.integers("input_ids");
    targets = of_base.integers("targets");
  }
  // Is there an adapter in PEFT's form, or only afina's words for the method?
  bool has_adapter() const { return fs::exists(folder + "/adapter_config.json"); }
  Inputs inputs(bool training = false) const {
    Inputs all = plain_inputs(2, tokens, targets, 0, device);
    all.training = training;
    return all;
  }
  // Distance of the model's logits from the stored ones `name` (2, n, vocabulary): those of the
  // last n positions of each row.
  double logits_distance(Model& model, const std::string& name) const {
    std::vector<float> expected = reference.numbers(name), found = model.logits(inputs()).values();
    const size_t row = found.size() / 2, tail = expected.size() / 2;
    BOOST_REQUIRE(tail <= row);
    std::vector<float> ends(found.begin() + int64_t(row - tail), found.begin() + int64_t(row));
    ends.insert(ends.end(), found.end() - int64_t(tail), found.end());
    return distance(ends, expected);
  }
};

std::unique_ptr<Model> with_adapter(const std::string& base, const AdapterFiles& adapter,
                                    Device device = Device::cpu) {
  ModelFiles files = open_model(base);
  auto model =
      build_model(files.config, *files.source, make_method(adapter.method), {.device = device});
  adapter.apply(*model);
  return model;
}

// The adapter before its training, as a folder. What training leaves alone is stored once, in
// adapter_model.safetensors.
AdapterFiles start_of(const StoredCase& c, const ScratchFolder& scratch) {
  const std::string own = c.folder + "/start_config.json", to = scratch / "start";
  fs::create_directories(to);
  fs::copy_file(fs::exists(own) ? own : c.folder + "/adapter_config.json",
                to + "/adapter_config.json");
  Safetensors first(c.folder + "/start.safetensors"), last(c.folder + "/adapter_model.safetensors");
  SafetensorsWriter writer(to + "/adapter_model.safetensors");
  std::vector<const StoredTensor*> all;
  for (const StoredTensor& t : first.tensors()) all.push_back(&t);
  for (const StoredTensor& t : last.tensors())
    if (!first.find(t.name)) all.push_back(&t);
  for (const StoredTensor* t : all) writer.declare(t->name, t->type, t->shape);
  for (const StoredTensor* t : all) writer.write(t->name, t->data, t->bytes);
  writer.commit();
  AdapterFiles start = load_adapter(to);
  if (c.about.contains("method"))
    start.method = parse_method(c.about.at("method").get<std::string>());
  return start;
}

// Five steps of AdamW and the loss that they lead to; trained() is called after the fifth.
void trains_as_reference(Model& model, const StoredCase& c, const std::function<void()>& trained) {
  int64_t values = 0;
  for (const Parameter* p : model.parameters->trained()) values += p->shape.size();
  BOOST_TEST(values == c.about.at("trained").get<int64_t>());
  const Json& adamw = c.about.at("adamw");
  const auto losses = c.about.at("losses").get<std::vector<double>>();
  // Of the text alone, where the method has a term of its own in the loss.
  const auto text_losses = c.about.value("text_losses", losses);
  TrainOptions options;
  options.schedule = {adamw.at("lr").get<double>(), int64_t(losses.size()) - 1, 0, Decay::constant,
                      0.};
  options.optimizer = {"adamw", adamw.at("betas")[0].get<double>(),
                       adamw.at("betas")[1].get<double>(), adamw.at("eps").get<double>(), 0.};
  options.clip = 0.;
  Trainer trainer(model.parameters->trained(), options, model.method.get());
  const int64_t targets = std::llround(1. / scale_of(c.targets));
  for (size_t i = 0; i < losses.size(); ++i) {
    if (i + 1 == losses.size()) trained();  // one more step, only for the loss before it
    if (i + 1 == losses.size() && c.device != Device::cpu) {  // which is all that is computed there
      const double loss = model.loss(c.inputs(true), 1. / double(targets)).total.item();
      BOOST_TEST(std::fabs(loss - text_losses[i]) < loss_tolerance * text_losses[i]);
      return;
    }
    StepReport report = trainer.step(
        1, targets, [&](size_t, double scale) { return model.loss(c.inputs(true), scale); });
    for (auto [loss, expected] : {std::pair(report.loss + report.penalty, losses[i]),
                                  std::pair(report.loss, text_losses[i])})
      BOOST_TEST(
          std::fabs(loss - expected) < loss_tolerance * expected,
          "the loss after " << i << " steps is " << loss << ", the reference's " << expected);
  }
  BOOST_TEST(losses.size() == 6u);
}

// Puts the start of a network that makes a prompt's rows into the model, whose adapter files do not
// hold it.
void begin_encoder(Model& model, const StoredCase& c) {
  const std::string file = c.folder + "/encoder.safetensors";
  if (!fs::exists(file)) return;
  Reference start(file);
  size_t found = 0;
  for (Parameter& p : model.parameters->all) {
    if (!p.aside) continue;
    p.assign(start.numbers(p.name.substr(p.name.find('.') + 1)).data());
    ++found;
  }
  BOOST_TEST(found == start.count(""));
}

// Same names and, where asked for, shapes and values in both files of weights. What PEFT's file
// only repeats is not missed in ours.
void same_tensors(const std::string& ours, const std::string& theirs, const Method& method,
                  bool values, bool shapes) {
  Safetensors mine(ours), expected(theirs);
  std::set<std::string> names;
  for (const StoredTensor& t : mine.tensors()) {
    names.insert(t.name);
    const StoredTensor* other = expected.find(t.name);
    BOOST_TEST(other, "PEFT writes no " << t.name);
    if (!other) continue;
    if (shapes) BOOST_TEST(t.shape == other->shape, t.name);
    if (values && t.bytes == other->bytes)
      BOOST_TEST(std::memcmp(t.data, other->data, t.bytes) == 0, t.name << " has other values");
  }
  // PEFT repeats the pretrained table of an adapter on the embedding or the head.
  for (const StoredTensor& t : expected.tensors())
    if (!expected.find(method.repeated_by(t.name)))
      BOOST_TEST((names.count(t.name) || t.name.ends_with(".base_layer.weight")),
                 "afina writes no " << t.name);
}

// Writes the adapter and reads it back. With `values` they must be those of PEFT's file.
void comes_back(Model& model, const StoredCase& c, const std::string& to, bool values) {
  save_adapter(to, model, c.base);
  // PEFT cuts what AdaLoRA has set to zero out of its file, afina stores the zeros.
  const bool shapes = values || !c.about.contains("ranks_left");
  same_tensors(to + "/adapter_model.safetensors", c.folder + "/adapter_model.safetensors",
               *model.method, values, shapes);
  Json written = parse_json_file(to + "/adapter_config.json");
  for (auto& [key, expected] : c.about.at("keys").items())
    BOOST_TEST(written.value(key, Json()) == expected,
               key << " is " << written.value(key, Json()) << " where PEFT writes " << expected);
  auto again = with_adapter(c.base, load_adapter(to));
  BOOST_TEST((again->logits(c.inputs()).values() == model.logits(c.inputs()).values()));
}

// With AFINA_WRITTEN=FOLDER the adapters that afina trained stay there with their logits, for
// test/reference/peft_opens_methods.py to open with PEFT.
void keep_written(Model& model, const StoredCase& c, const std::string& written) {
  const char* folder = std::getenv("AFINA_WRITTEN");
  if (!folder) return;
  const std::string to = std::string(folder) + "/" + fs::path(c.folder).filename().string();
  fs::create_directories(to);
  fs::copy(written, to, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const std::vector<float> logits = model.logits(c.inputs()).values();
  const int64_t vocabulary = model.config.vocabulary, rows = 2;
  SafetensorsWriter writer(to + "/logits.safetensors");
  writer.declare("input_ids", StoredType::i32, {rows, int64_t(c.tokens.size()) / rows});
  writer.declare("logits", StoredType::f32,
                 {rows, int64_t(logits.size()) / vocabulary / rows, vocabulary});
  writer.write("input_ids", c.tokens.data(), c.tokens.size() * sizeof(int32_t));
  writer.write("logits", logits.data(), logits.size() * sizeof(float));
  writer.commit();
}

// AdaLoRA's triplets that the budget has left in each layer.
void keeps_the_same_ranks(const Model& model, const Json& left) {
  for (auto& [path, expected] : left.items()) {
    const Parameter* e = nullptr;
    for (const Parameter& p : model.parameters->all)
      if (p.name == path + ".lora_E") e = &p;
    BOOST_REQUIRE(e);
    int64_t found = 0;
    for (float value : e->exact().values()) found += value != 0.f;
    BOOST_TEST(found == expected.get<int64_t>(), path);
  }
}

void agrees_with_peft(const StoredCase& c) {
  ScratchFolder scratch;
  auto model = with_adapter(c.base, load_adapter(c.folder));
  BOOST_TEST(c.logits_distance(*model, "logits") < logits_tolerance);
  comes_back(*model, c, scratch / "read", true);
  if (c.reference.has("merged_logits")) {
    merge_adapters(*model);
    BOOST_TEST(c.logits_distance(*model, "merged_logits") < logits_tolerance);
  }
  auto started = with_adapter(c.base, start_of(c, scratch));
  begin_encoder(*started, c);
  trains_as_reference(*started, c, [&] {
    BOOST_TEST(c.logits_distance(*started, "logits") < trained_tolerance);
    comes_back(*started, c, scratch / "trained", false);
    keep_written(*started, c, scratch / "trained");
    if (c.about.contains("ranks_left"))
      keeps_the_same_ranks(*started, c.about["ranks_left"].back());
  });
}

// A method that PEFT lacks: afina's words build it, and the reference holds what the trained
// weights of the pretrained model are in the end.
void agrees_with_torch(const StoredCase& c) {
  const std::string words = c.about.at("method").get<std::string>(), final = "final.";
  auto started = tiny_model(c.base, words), model = tiny_model(c.base, words);
  trains_as_reference(
      *started, c, [&] { BOOST_TEST(c.logits_distance(*started, "logits") < trained_tolerance); });
  size_t found = 0;
  for (Parameter* p : model->parameters->trained()) {
    BOOST_TEST(c.reference.has(final + p->name), p->name << " is not trained by the reference");
    if (!c.reference.has(final + p->name)) continue;
    p->assign(c.reference.numbers(final + p->name).data());
    ++found;
  }
  BOOST_TEST(found == c.reference.count(final));
  BOOST_TEST(c.logits_distance(*model, "logits") < logits_tolerance);
}

// The same logits and losses on another device; what is written there is no matter of PEFT.
void agrees_on(Device device, StoredCase c) {
  ScratchFolder scratch;
  c.device = device;
  const bool adapter = c.has_adapter();
  if (adapter) {
    auto model = with_adapter(c.base, load_adapter(c.folder), device);
    BOOST_TEST(c.logits_distance(*model, "logits") < logits_tolerance);
  }
  auto started =
      adapter ? with_adapter(c.base, start_of(c, scratch), device)
              : tiny_model(c.base, c.about.at("method").get<std::string>(), {.device = device});
  begin_encoder(*started, c);
  trains_as_reference(
      *started, c, [&] { BOOST_TEST(c.logits_distance(*started, "logits") < trained_tolerance); });
}
std::string method_of(const StoredCase& c) {
  return c.has_adapter() ? load_adapter(c.folder).method.name
                         : parse_method(c.about.at("method").get<std::string>()).name;
}

void add_stored_cases() {
  using namespace boost::unit_test;
  test_suite* suite = BOOST_TEST_SUITE("peft");
  std::set<std::string> names;
  for (auto& entry : fs::directory_iterator(cases_folder))
    names.insert(entry.path().filename().string());
  for (const std::string& name : names)
    suite->add(make_test_case(
        [name] {
          StoredCase c(name);
          c.has_adapter() ? agrees_with_peft(c) : agrees_with_torch(c);
        },
        name, __FILE__, __LINE__));
  framework::master_test_suite().add(suite);
  // One case of each method on GPUs, the emulated one among them, whose steps are slow: that which
  // trains the fewest numbers.
  if (gpus().empty()) return;
  test_suite* there = BOOST_TEST_SUITE("peft_on_gpus");
  std::map<std::string, std::pair<int64_t, std::string>> least;
  for (const std::string& name : names) {
    const StoredCase c(name);
    const std::pair size(c.about.at("trained").get<int64_t>(), name);
    auto [known, fresh] = least.emplace(method_of(c), size);
    if (!fresh) known->second = std::min(known->second, size);
  }
  for (auto& [method, size] : least)
    there->add(make_test_case(
        [name = size.second] {
          for (Device device : gpus()) agrees_on(device, StoredCase(name));
        },
        size.second, __FILE__, __LINE__));
  framework::master_test_suite().add(there);
}
[[maybe_unused]] const bool registered = (case_makers().push_back(add_stored_cases), true);

}  // namespace

}  // namespace afina
