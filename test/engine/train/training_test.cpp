// Training against PyTorch and PEFT, and the promises of the trainer: accumulation, resuming,
// guards.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "engine/files/atomic_file.h"
#include "engine/files/sha256.h"
#include "engine/isa.h"
#include "engine/ops.h"
#include "test/engine/train/training_steps.h"
#include "test/scratch.h"

namespace fs = std::filesystem;
using namespace afina;
using namespace afina::reference_training;

namespace {

TrainOptions like_reference(const Json& json, double peak) {
  TrainOptions o;
  o.schedule = {peak, int64_t(json.at("steps").size()), 2, Decay::cosine, 0.};
  const Json& adamw = json.at("adamw");
  o.optimizer = {"adamw", adamw.at("betas")[0].get<double>(), adamw.at("betas")[1].get<double>(),
                 adamw.at("eps").get<double>(), json.at("weight_decay_on_matrices").get<double>()};
  o.clip = json.at("clip").get<double>();
  return o;
}

void agrees_with_torch(const std::string& name, const std::string& run, const std::string& method) {
  Json json = parse_json_file(tiny + name + "/train_" + run + ".json");
  Safetensors file(tiny + name + "/train_" + run + ".safetensors");
  auto model = tiny_model(name, method);
  const bool adapter = run != "full";
  const std::string prefix = "base_model.model.";
  for (Parameter& p : model->parameters->all)
    if (p.added) p.assign(floats(file.at("init." + prefix + p.name)).data());
  double peak = 0;
  for (const Json& s : json.at("steps")) peak = std::max(peak, s.at("lr").get<double>());
  Trainer trainer(model->parameters->trained(), like_reference(json, peak), model->method.get());
  Rows rows(file);
  for (size_t i = 0; i < json.at("steps").size(); ++i) {
    const Json& expected = json.at("steps")[i];
    StepReport r = step(trainer, *model, rows, int64_t(i), rows.rows);
    BOOST_TEST(r.loss == expected.at("loss").get<double>(), boost::test_tools::tolerance(1e-5));
    BOOST_TEST(r.gradient_norm == expected.at("grad_norm").get<double>(),
               boost::test_tools::tolerance(1e-5));
    BOOST_TEST(r.lr == expected.at("lr").get<double>(), boost::test_tools::tolerance(1e-9));
  }
  std::set<std::string> skip;
  for (const Json& one : json.value("skip", Json::array())) skip.insert(one.get<std::string>());
  size_t compared = 0;
  for (Parameter* p : model->parameters->trained()) {
    if (skip.count(p->name)) continue;
    std::vector<float> expected = floats(file.at("final." + (adapter ? prefix : "") + p->name)),
                       found = p->exact().values();
    size_t n = adapter ? found.size() : std::min<size_t>(251, found.size()),
           columns = size_t(p->shape.columns()), count = size_t(p->shape.rows());
    BOOST_REQUIRE_EQUAL(expected.size(), n);
    double worst = 0;
    for (size_t i = 0; i < n; ++i) {
      size_t at = i * found.size() / n;
      if (p->stored_transposed)
        at = at % count * columns + at / count;  // stored (in, out), ours (out, in)
      worst = std::max(worst, std::abs(double(found[at]) - double(expected[i])));
    }
    BOOST_TEST(worst <= 0.02 * peak,
               name << " " << p->name << ": off by " << worst / peak << " of the rate");
    ++compared;
  }
  BOOST_TEST(compared > 0u);
}

// bf16 is summed by tiles while it lives.
struct SumsByTiles : SumsScope {
  explicit SumsByTiles(bool on = true) : SumsScope(on ? Bf16Sums::tiles : Bf16Sums::pairs) {}
};

struct Folder {
  std::string path =
      (fs::temp_directory_path() / ("afina-test-" + std::to_string(getpid()))).string();
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(training)

BOOST_AUTO_TEST_CASE(five_steps_agree_with_torch_and_peft) {
  for (const char* name : {"llama", "qwen2", "gpt2"}) {
    agrees_with_torch(name, "full", "full");
    agrees_with_torch(name, "lora", "lora:rank=4,alpha=8");
  }
}

BOOST_AUTO_TEST_CASE(digest_depends_on_nothing_it_should_not) {
  Isa best = isa();
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (const char* method : {"full", "lora:rank=4,dropout=0.1"})
      for (const char* name : {"llama", "gpt2"}) {
        std::string expected = digest(name, method, dtype, {});
        auto same = [&](const char* what, const Setting& s) {
          BOOST_TEST(digest(name, method, dtype, s) == expected,
                     name << " " << method << " " << afina::name(dtype) << ": " << what);
        };
        same("one thread", {"", 1});
        same("three threads", {"", 3});
        same("rows one by one", {"", 2, 1});
        same("checkpointed blocks", {"", 2, 2, Checkpointing::block});
        same("the MLP computed again", {"", 2, 2, Checkpointing::mlp});
        for (Isa one : usable_isas()) {
          set_isa(one);
          same(afina::name(one), {});
          set_isa(best);
        }
      }
}

// The other order of bf16's sums has bits of its own, which depend on as little: not on whether the
// processor has AMX.
BOOST_AUTO_TEST_CASE(digest_by_tiles_depends_on_nothing_it_should_not) {
  Isa best = isa();
  for (const char* method : {"full", "lora:rank=4,dropout=0.1"})
    for (const char* name : {"llama", "gpt2"}) {
      const std::string by_pairs = digest(name, method, Dtype::bf16, {});
      SumsByTiles tiles;
      const std::string expected = digest(name, method, Dtype::bf16, {});
      BOOST_TEST(expected != by_pairs);
      auto same = [&](const char* what, const Setting& s) {
        BOOST_TEST(digest(name, method, Dtype::bf16, s) == expected,
                   name << " " << method << " by tiles: " << what);
      };
      same("three threads", {"", 3});
      same("rows one by one", {"", 2, 1});
      same("checkpointed blocks", {"", 2, 2, Checkpointing::block});
      same("the MLP computed again", {"", 2, 2, Checkpointing::mlp});
      for (Isa one : usable_isas()) {
        set_isa(one);
        same(afina::name(one), {});
        set_isa(best);
      }
      use_tiles(false);
      same("without AMX", {});
      use_tiles(true);
    }
}

// The golden bits: these must come out on every machine. They change only with a stated reason.
BOOST_AUTO_TEST_CASE(golden_digests) {
  const std::map<std::string, std::string> golden = {

      {"llama full f32", "6a4450377b53c5e56556c073944b8df6de8615228f4deebab5b2021ecd00aad1"},
      {"llama full bf16", "2527cea9a1911eb71a4a0c71add033e5b905736e8f5aa00727d70e40c3a21049"},
      {"llama lora f32", "692bdc00ac535e998011c2f4882b0cf076a436807fd8aebefd2d9ac6427db2dd"},
      {"llama lora bf16", "34d953fd43a3d5fa55b80853b2b0106669de07f286b35ef68591c7d902e4be96"},
      {"llama full bf16-tiles", "8ad6ff445d341322dbd0295b059d68fb6c9e4b84cf2265c814025a973ea9ac1e"},
      {"llama lora bf16-tiles", "c498f571830a165ac88d6203c7cce6378c7299755bbd91149d77bd2df480228a"},
      {"gpt2 full f32", "0878f35f091b1e0a9313a7bb57e58b166a1b40c307ae3eb6f9f3cb3be7cb20bf"}};
  for (auto& [what, expected] : golden) {
    std::istringstream words(what);
    std::string name, method, dtype;
    words >> name >> method >> dtype;
    SumsByTiles tiles(dtype == "bf16-tiles");
    std::string found = digest(name, method == "full" ? "full" : "lora:rank=4,dropout=0.1",
                               dtype == "f32" ? Dtype::f32 : Dtype::bf16, {});
    BOOST_TEST(found == expected, what << ": the digest is " << found);
  }
}

BOOST_AUTO_TEST_CASE(resumed_equals_uninterrupted) {
  Folder folder;
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
    TrainOptions o;
    o.schedule = {3e-3, rows.batches, 1, Decay::cosine, 0.1};
    std::string whole;
    for (bool stop : {false, true}) {
      auto model = tiny_model("llama", "lora:rank=4,dropout=0.1", dtype);
      auto trainer =
          std::make_unique<Trainer>(model->parameters->trained(), o, model->method.get());
      for (int64_t b = 0; b < rows.batches; ++b) {
        if (stop && b == 3) {
          save_checkpoint(folder.path, *trainer, Json{{"b", b}});
          model = tiny_model("llama", "lora:rank=4,dropout=0.1", dtype);
          trainer = std::make_unique<Trainer>(model->parameters->trained(), o, model->method.get());
          Resumed resumed = resume_checkpoint(folder.path, *trainer);
          BOOST_TEST(resumed.step == 3);
          BOOST_TEST(resumed.extra.at("b").get<int>() == 3);
        }
        step(*trainer, *model, rows, b, rows.rows);
      }
      std::string found = digest_of(std::as_const(*model->parameters).trained());
      if (stop) BOOST_TEST(found == whole);
      whole = found;
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_checkpoint_is_passed_over_and_another_method_refused) {
  Folder folder;
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  TrainOptions o;
  o.schedule = {3e-3, 5, 1, Decay::cosine, 0.1};
  auto model = tiny_model("llama", "lora:rank=4");
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  for (int64_t b = 0; b < 3; ++b) {
    step(trainer, *model, rows, b, 2);
    save_checkpoint(folder.path, trainer, Json::object());
  }
  BOOST_TEST(checkpoint_steps(folder.path) == (std::vector<int64_t>{2, 3}));
  fs::resize_file(folder.path + "/step-00000003.safetensors", 1000);
  Resumed resumed = resume_checkpoint(folder.path, trainer);
  BOOST_TEST(resumed.step == 2);
  BOOST_TEST(resumed.notes.size() == 1u);
  auto other = tiny_model("llama", "lora:rank=4,targets=q_proj");
  Trainer of_other(other->parameters->trained(), o, other->method.get());
  BOOST_CHECK_EXCEPTION(resume_checkpoint(folder.path, of_other), Error, [](const Error& e) {
    return std::string(e.what()).find("same --method") != std::string::npos;
  });
}

// Whole and with its checksum, but not written by a trainer.
BOOST_AUTO_TEST_CASE(a_checkpoint_without_a_description_is_refused) {
  Folder folder;
  auto model = tiny_model("llama", "lora:rank=4");
  TrainOptions o;
  o.schedule = {3e-3, 5, 1, Decay::cosine, 0.1};
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  std::string at = folder.path + "/step-00000003";
  {
    SafetensorsWriter out(at + ".safetensors", {{"format", "afina-checkpoint"}});
    auto state = trainer.state();
    for (auto& [name, tensor] : state) {
      std::vector<int64_t> shape;
      for (int i = 0; i < tensor.shape().rank(); ++i) shape.push_back(tensor.shape()[i]);
      out.declare(name, StoredType::f32, shape);
    }
    for (auto& [name, tensor] : state) {
      std::vector<float> values = tensor.values();
      out.write(name, values.data(), values.size() * sizeof(float));
    }
    out.commit();
  }
  write_text_file(at + ".json",
                  Json{{"step", 3}, {"sha256", sha256_file(at + ".safetensors")}}.dump());
  BOOST_CHECK_EXCEPTION(resume_checkpoint(folder.path, trainer), Error, [](const Error& e) {
    return std::string(e.what()).find("'extra'") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(guards_of_the_trainer) {
  auto model = tiny_model("llama", "full");
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  TrainOptions o;
  o.schedule = {1e-3, 5, 0, Decay::constant, 0.};
  auto says = [](const std::string& words) {
    return
        [words](const Error& e) { return std::string(e.what()).find(words) != std::string::npos; };
  };
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  BOOST_CHECK_EXCEPTION(trainer.step(1, 0, [](size_t, double) { return Loss{}; }), Error,
                        says("no target"));
  // A weight that nothing uses.
  Parameter lost = make_parameter("lost.weight", {2, 2}, {}, true, Dtype::f32, Device::cpu);
  initialise(lost, 1);
  auto with_lost = model->parameters->trained();
  with_lost.push_back(&lost);
  Trainer of_lost(with_lost, o, model->method.get());
  BOOST_CHECK_EXCEPTION(step(of_lost, *model, rows, 0, 2), Error, says("lost.weight"));
  // A value that is not finite is traced to the weight that holds it.
  auto broken = tiny_model("llama", "full");
  Trainer of_broken(broken->parameters->trained(), o, broken->method.get());
  Parameter* norm = broken->parameters->find("model.norm.weight");
  norm->master.data<float>()[3] = std::nanf("");
  BOOST_CHECK_EXCEPTION(step(of_broken, *broken, rows, 0, 2), Error, says("model.norm.weight"));
  BOOST_CHECK_THROW(Trainer({}, o, nullptr), Error);
}

// What is not finite is named by the first operation that gave it, and by the parameter whose
// gradient it is.
BOOST_AUTO_TEST_CASE(guard_nan_names_the_first_operation) {
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  TrainOptions o;
  o.schedule = {1e-3, 5, 0, Decay::constant, 0.};
  auto model = tiny_model("llama", "full");
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  Parameter* up = model->parameters->find("model.layers.1.mlp.up_proj.weight");
  std::vector<float> huge(size_t(up->shape.size()), 3e38f);
  up->assign(huge.data());
  auto checksums = [&] {
    std::vector<uint64_t> all;
    for (Parameter* p : trainer.trained()) all.push_back(checksum(p->master));
    return all;
  };
  auto before = checksums();
  check_error([&] { step(trainer, *model, rows, 0, 2); },
              {"result of operation 'linear' (its call ", "not finite at position",
               "lower the learning rate"});
  BOOST_TEST((checksums() == before));  // and nothing was updated
  for (Parameter* p : trainer.trained()) BOOST_TEST(!p->value.grad().touched(), p->name);

  // Backward alone: values stay small while the slopes grow beyond f32.
  Parameter small = make_parameter("small.weight", {2, 2}, {}, true, Dtype::f32, Device::cpu);
  std::vector<float> values(4, 2e-37f);
  small.assign(values.data());
  Trainer of_small({&small}, o, nullptr);
  auto grown = [&](double first, double second, double third) {
    of_small.step(1, 1, [&](size_t, double) {
      Tensor total = sum(((small.value * first) * second) * third);
      return Loss{total, Tensor::zeros({1}, Dtype::f32)};
    });
  };
  check_error([&] { grown(1e20, 1e10, 1e10); },
              {"step 1", "gradient of 'small.weight'", "not finite at position 0"});
  check_error([&] { grown(1e-10, 1e30, 1e15); },
              {"gradient that comes back to the result of operation 'affine'", "not finite"});
}

BOOST_AUTO_TEST_CASE(memory_of_a_frozen_weight_is_only_the_weight) {
  auto use = [](const char* method) {
    MemoryUse before = memory_use(Device::cpu);
    auto model = tiny_model("llama", method, Dtype::bf16);
    Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
    TrainOptions o;
    o.schedule = {1e-3, 5, 0, Decay::constant, 0.};
    Trainer trainer(model->parameters->trained(), o, model->method.get());
    reset_memory_peak(Device::cpu);
    step(trainer, *model, rows, 0, rows.rows);
    const MemoryUse& now = memory_use(Device::cpu);
    BOOST_TEST(now.now[size_t(Purpose::gradients)] == before.now[size_t(Purpose::gradients)],
               method << ": gradients are held between steps");
    std::array<int64_t, purpose_count> out{};
    for (int i = 0; i < purpose_count; ++i)
      out[size_t(i)] = now.peak[size_t(i)] - before.now[size_t(i)];
    int64_t growths = pool_growths();
    for (int64_t b = 1; b < 4; ++b) step(trainer, *model, rows, b, rows.rows);
    BOOST_TEST(pool_growths() == growths,
               method << ": memory was asked of the system after the first step");
    return out;
  };
  auto full = use("full"), lora = use("lora:rank=2");
  auto at = [](auto& of, Purpose p) { return of[size_t(p)]; };
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  int64_t touched = std::min<int64_t>(80, rows.rows * rows.length) * 32 *
                    4;  // rows of the tied embedding gather beside the head
  BOOST_TEST(at(full, Purpose::optimizer) == 2 * (at(full, Purpose::gradients) - touched));
  BOOST_TEST(at(lora, Purpose::optimizer) == 2 * at(lora, Purpose::gradients));
  BOOST_TEST(at(lora, Purpose::masters) * 5 < at(full, Purpose::masters));
  BOOST_TEST(at(lora, Purpose::optimizer) * 5 < at(full, Purpose::optimizer));
}

BOOST_AUTO_TEST_SUITE_END()
