// Starts of LoRA: those that look at data against PEFT's (test/stored/peft_starts, made by
// test/reference/peft_starts.py), what an adapter that was taken out of its base's weights is
// stored as, and what is refused.
#include "model/methods/starts.h"

#include <filesystem>

#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "model/merge.h"
#include "model/observe.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

std::vector<void (*)()>& case_makers();

namespace {

namespace fs = std::filesystem;

const char* const cases_folder = AFINA_SOURCE_DIR "/test/stored/peft_starts";
// Of products of A and B. PEFT inverts CorDA's covariances in f32, which are nearly singular here.
constexpr double start_tolerance = 1e-3;

// Both rows of a base, every token but the last of a row a target.
struct Rows {
  std::vector<int32_t> tokens, targets;
  explicit Rows(const std::string& base) {
    tokens = Reference(tiny_path(base) + "/reference.safetensors").integers("input_ids");
    const size_t length = tokens.size() / 2;
    for (size_t i = 0; i < tokens.size(); ++i)
      targets.push_back((i + 1) % length == 0 ? -1 : tokens[i + 1]);
  }
  Inputs inputs(bool training = true, int64_t first = 0, int64_t count = 2) const {
    const auto length = int64_t(tokens.size()) / 2;
    auto part = [&](const std::vector<int32_t>& all) {
      return std::vector<int32_t>(all.begin() + length * first,
                                  all.begin() + length * (first + count));
    };
    Inputs all = plain_inputs(count, part(tokens), part(targets), first);
    all.training = training;
    return all;
  }
  int64_t count() const { return std::llround(1. / scale_of(targets)); }
};

// Built, and shown both rows in `batches` batches.
std::unique_ptr<Model> shown(const std::string& base, const std::string& method,
                             int64_t batches = 1, BuildOptions options = {}) {
  auto model = tiny_model(tiny_path(base), method, options);
  const Rows rows(base);
  observe(*model, size_t(batches), rows.count(), [&](size_t i) {
    return batches == 1 ? rows.inputs() : rows.inputs(true, int64_t(i), 1);
  });
  return model;
}
std::unique_ptr<Model> with_adapter(const std::string& base, const AdapterFiles& adapter) {
  ModelFiles files = open_model(tiny_path(base));
  auto model = build_model(files.config, *files.source, make_method(adapter.method), {});
  adapter.apply(*model);
  return model;
}
std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, int64_t m,
                           int64_t n) {
  const int64_t k = int64_t(a.size()) / m;
  std::vector<float> out;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0.;
      for (int64_t l = 0; l < k; ++l)
        sum += double(a[size_t(i * k + l)]) * double(b[size_t(l * n + j)]);
      out.push_back(float(sum));
    }
  return out;
}

// As run by the scripts: AdamW without decay or clipping. The losses before each step and after the
// last, with `trained` called before that one.
std::vector<double> losses_of(Model& model, const Rows& rows, double lr,
                              const std::function<void()>& trained) {
  TrainOptions options;
  options.schedule = {lr, 5, 0, Decay::constant, 0.};
  options.optimizer = {"adamw", 0.9, 0.999, 1e-8, 0.};
  options.clip = 0.;
  Trainer trainer(model.parameters->trained(), options, model.method.get());
  std::vector<double> losses;
  for (int i = 0; i < 6; ++i) {
    if (i == 5) trained();
    losses.push_back(
        trainer
            .step(1, rows.count(),
                  [&](size_t, double scale) { return model.loss(rows.inputs(), scale); })
            .loss);
  }
  return losses;
}

// What is stored is a plain LoRA on the pretrained model.
void comes_back(Model& model, const std::string& base, const std::string& name) {
  ScratchFolder scratch;
  const Rows rows(base);
  const std::string to = scratch / "adapter";
  save_adapter(to, model, "test/stored/tiny/" + base);
  const AdapterFiles files = load_adapter(to);
  const std::vector<float> logits = model.logits(rows.inputs(false)).values();
  BOOST_TEST(distance(with_adapter(base, files)->logits(rows.inputs(false)).values(), logits) <
             1e-5);
  BOOST_TEST(files.trained_digest(model) == digest_of(std::as_const(*model.parameters).trained()));
  const Json config = parse_json_file(to + "/adapter_config.json");
  BOOST_TEST(config.at("init_lora_weights") == true);
  // For test/reference/peft_opens_methods.py, as the cases of peft_test.cpp.
  const char* written = std::getenv("AFINA_WRITTEN");
  if (!written) return;
  const std::string kept = std::string(written) + "/" + name;
  fs::create_directories(kept);
  fs::copy(to, kept, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  SafetensorsWriter writer(kept + "/logits.safetensors");
  const int64_t length = int64_t(rows.tokens.size()) / 2;
  writer.declare("input_ids", StoredType::i32, {2, length});
  writer.declare("logits", StoredType::f32, {2, length, model.config.vocabulary});
  writer.write("input_ids", rows.tokens.data(), rows.tokens.size() * sizeof(int32_t));
  writer.write("logits", logits.data(), logits.size() * sizeof(float));
  writer.commit();
}

void agrees_with_peft(const std::string& name) {
  const std::string folder = std::string(cases_folder) + "/" + name;
  const Json about = parse_json_file(folder + "/case.json");
  const Reference reference(folder + "/reference.safetensors");
  const std::string base = about.at("base").get<std::string>(),
                    words = about.at("method").get<std::string>();
  const Rows rows(base);
  auto model = shown(base, words), plain = tiny_model(tiny_path(base));
  BOOST_TEST(distance(model->logits(rows.inputs(false)).values(),
                      plain->logits(rows.inputs(false)).values()) < 1e-5);
  size_t layers = 0;
  for (const Linear* layer : model->parameters->linears) {
    if (!layer->adapter) continue;
    ++layers;
    const Parameter *a = model->parameters->find(layer->path + ".lora_A.weight"),
                    *b = model->parameters->find(layer->path + ".lora_B.weight");
    const std::vector<float> of_a = a->exact().values();
    std::vector<float> turned(of_a.size());
    for (int64_t r = 0; r < a->shape[0]; ++r)
      for (int64_t i = 0; i < layer->in(); ++i)
        turned[size_t(i * a->shape[0] + r)] = of_a[size_t(r * layer->in() + i)];
    BOOST_TEST(distance(product(turned, of_a, layer->in(), layer->in()),
                        reference.numbers("a." + layer->path)) < start_tolerance,
               layer->path);
    BOOST_TEST(distance(product(b->exact().values(), of_a, layer->out(), layer->in()),
                        reference.numbers("ba." + layer->path)) < start_tolerance,
               layer->path);
  }
  BOOST_TEST(layers == reference.count("ba."));
  const auto expected = about.at("losses").get<std::vector<double>>();
  const std::vector<double> losses = losses_of(*model, rows, about.at("lr").get<double>(), [&] {
    BOOST_TEST(distance(model->logits(rows.inputs(false)).values(), reference.numbers("logits")) <
               1e-3);
    comes_back(*model, base, name);
  });
  for (size_t i = 0; i < losses.size(); ++i)
    BOOST_TEST(std::fabs(losses[i] - expected[i]) < 1e-5 * expected[i],
               "the loss after " << i << " steps is " << losses[i] << ", PEFT's " << expected[i]);
}

void add_stored_starts() {
  using namespace boost::unit_test;
  test_suite* suite = BOOST_TEST_SUITE("peft_starts");
  std::vector<std::string> names;
  for (auto& entry : fs::directory_iterator(cases_folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    suite->add(make_test_case([name] { agrees_with_peft(name); }, name, __FILE__, __LINE__));
  framework::master_test_suite().add(suite);
}
[[maybe_unused]] const bool registered = (case_makers().push_back(add_stored_starts), true);

}  // namespace

BOOST_AUTO_TEST_SUITE(starts)

// A step may be split into micro-batches; the start may not depend on it.
BOOST_AUTO_TEST_CASE(a_look_at_data_in_parts) {
  for (const char* words :
       {"lora:start=eva,rank=4", "lora:start=lora-ga,rank=4", "lora:start=corda,rank=4"})
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      auto whole = shown("qwen2", words, 1, {.dtype = dtype}),
           parts = shown("qwen2", words, 2, {.dtype = dtype});
      bool same = true;
      for (Parameter& p : whole->parameters->all)
        same = same && p.exact().values() == parts->parameters->find(p.name)->exact().values();
      BOOST_TEST(same, words << " in " << name(dtype));
    }
}

BOOST_AUTO_TEST_CASE(gradients_are_let_go_of) {
  auto model = shown("llama", "lora:start=lora-ga,rank=4");
  for (const Linear* layer : model->parameters->linears) {
    BOOST_TEST(!layer->weight.value.needs_grad());
    BOOST_TEST(!layer->weight.trained);
  }
}

BOOST_AUTO_TEST_CASE(close_to_the_pretrained_model) {
  for (const char* base : {"llama", "qwen2", "gpt2"}) {
    const Rows rows(base);
    const std::vector<float> plain =
        tiny_model(tiny_path(base))->logits(rows.inputs(false)).values();
    for (const char* words :
         {"lora:start=pissa,rank=4", "lora:start=olora,rank=4,alpha=3", "lora:start=orthogonal",
          "lora:start=lora-ga,rank=4", "lora:start=corda,rank=4", "dora:start=pissa,rank=4",
          "dora:start=olora,rank=4", "dora:start=eva,rank=4"})
      BOOST_TEST(distance(shown(base, words)->logits(rows.inputs(false)).values(), plain) < 1e-5,
                 words << " on " << base);
  }
  BOOST_TEST(!tiny_model(tiny_path("llama"), "lora:start=kaiming")->method->starts_as_pretrained());
}

BOOST_AUTO_TEST_CASE(converted_to_plain_loras) {
  for (const char* words : {"lora:start=pissa,rank=4,convert=true,rslora=true,ranks=q_proj:2",
                            "lora:start=olora,rank=4,convert=true,alphas=q_proj:3"}) {
    auto model = tiny_model(tiny_path("llama"), words);
    const Rows rows("llama");
    losses_of(*model, rows, 1e-2, [&] { comes_back(*model, "llama", "pissa"); });
    auto same = tiny_model(tiny_path("llama"), words);
    ScratchFolder scratch;
    save_adapter(scratch / "a", *model, "");
    load_adapter(scratch / "a").apply(*same);  // a run that goes on from what it stored
    BOOST_TEST(
        (same->logits(rows.inputs(false)).values() == model->logits(rows.inputs(false)).values()));
  }
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
  auto fails = [](const std::string& words, std::initializer_list<std::string> parts) {
    check_error([&] { tiny_model(tiny_path("llama"), words); }, parts);
  };
  fails("lora:start=pisa", {"start=pisa", "did you mean 'pissa'", "lora-ga"});
  fails("lora:start=pissa,rank=40", {"start=pissa of rank 40", "rank can be at most"});
  fails("lora:start=orthogonal,rank=3", {"even rank, not 3"});
  fails("lora:freeze=b", {"freeze=b", "B begins at zero with start=default"});
  fails("lora:freeze=c", {"freeze", "expected none, a or b"});
  fails("lora:start=mica,freeze=none", {"MiCA trains A alone"});
  fails("lora:fa=true,freeze=b,start=pissa", {"LoRA-FA trains B alone"});
  fails("lora:start=corda,corda=best", {"corda", "ipm"});
  fails("lora:start=lora-ga,ga_scale=big", {"ga_scale=big", "weight_svd"});
  fails("lora:start=lora-ga,ga_direction=random", {"random", "anew in every run", "ArBr"});
  fails("lora:start=eva,rho=2", {"rho=2", "spreads no ranks over layers", "ranks=NAME:N"});
  BOOST_TEST(!make_method(parse_method("lora:start=eva,rho=1"))->in_force.options.empty());
  fails("lora:start=pissa,observe=3", {"'observe'"});
  fails("lora:start=eva,convert=true", {"'convert'"});
  fails("dora:start=lora-ga", {"start=lora-ga", "lengths of rows"});
  fails("dora:start=mica", {"MiCA"});
  fails("dora:lora_bias=true", {"bias of B"});
  fails("dora:fa=true", {"LoRA-FA"});
  auto unmergeable = tiny_model(tiny_path("llama"), "lora:lora_bias=true");
  check_error([&] { merge_adapters(*unmergeable); }, {"lora_bias", "has no bias to merge it into"});
  auto unseen = tiny_model(tiny_path("llama"), "lora:start=eva");
  check_error([&] { observe(*unseen, 0, 0, {}); }, {"was shown none"});
}

BOOST_AUTO_TEST_CASE(configs_of_peft) {
  auto config = [](const std::string& init, const std::string& more = "") {
    return adapter_method(
               R"({"peft_type":"LORA","r":4,"lora_alpha":8,"target_modules":["q_proj"],)" + more +
                   R"("init_lora_weights":)" + init + "}",
               "adapter_config.json")
        .text;
  };
  const std::string plain = config("true");
  for (const char* same : {"\"gaussian\"", "\"orthogonal\"", "\"eva\"", "null"})
    BOOST_TEST(config(same) == plain);
  BOOST_TEST(config("\"pissa\"").find("start=pissa") != std::string::npos);
  BOOST_TEST(config("\"olora\"").find("start=olora") != std::string::npos);
  BOOST_TEST(config("\"mica\"").find("freeze=b") != std::string::npos);
  BOOST_TEST(config("false").find("start=kaiming") != std::string::npos);
  BOOST_TEST(config("true", R"("lora_bias":true,)").find("lora_bias=true") != std::string::npos);
  for (const char* refused : {"\"lora_ga\"", "\"corda\"", "\"pissa_niter_4\"", "\"loftq\""})
    check_error([&] { config(refused); }, {refused, "path_initial_model_for_weight_conversion"});
  check_error([&] { config("\"olora\"", R"("fan_in_fan_out":true,)"); }, {"transposed weight"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
