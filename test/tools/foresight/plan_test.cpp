// Plans beside what happens: whole runs on the pocket model, budgets and their exit status, configs
// without weights.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <utility>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "test/scratch.h"
#include "tools/foresight/room.h"
#include "tools/foresight/speed.h"
#include "tools/options/command.h"
#include "tools/runs/run.h"
#include "tools/runs/step.h"

using namespace afina;

namespace {

const std::string source = AFINA_SOURCE_DIR;
using Words = std::vector<std::string>;

struct Ran {
  int status;
  std::string out, err;
};
Ran run(const Words& words) {
  std::ostringstream out, err;
  auto *was_out = std::cout.rdbuf(out.rdbuf()), *was_err = std::cerr.rdbuf(err.rdbuf());
  int status = run_program(words);
  std::cout.rdbuf(was_out);
  std::cerr.rdbuf(was_err);
  return {status, out.str(), err.str()};
}
Words joined(Words all, const Words& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
void check_has(const std::string& text, std::initializer_list<std::string> words) {
  for (auto& word : words)
    BOOST_CHECK_MESSAGE(text.find(word) != text.npos, "'" << word << "' is not in: " << text);
}

// Every run of blanks as one: columns are as wide as what stands in them.
std::string squeezed(std::string text) {
  text.erase(
      std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }),
      text.end());
  return text;
}

// A short run on the pocket model with random weights.
const Words pocket = {"--model",
                      source + "/data/pocket",
                      "--init",
                      "--data",
                      source + "/data/samples/support.jsonl",
                      "--limit",
                      "40",
                      "--held-out",
                      "6",
                      "--on-too-long",
                      "cut",
                      "--on-problem",
                      "skip",
                      "--steps",
                      "2",
                      "--generations",
                      "0"};

// Trains and compares the prediction with the measured figures.
void check_run(const Words& options) {
  ScratchFolder scratch;
  std::string what;
  for (auto& word : options) what += word + " ";
  Ran ran = run(joined(joined({"train", "--out", scratch / "run"}, pocket), options));
  BOOST_REQUIRE_MESSAGE(ran.status == 0, ran.err);
  check_has(ran.out, {"Predicted", "Memory, peak in training", "FLOPs, total", "predicted"});
  Json result = parse_json_file(scratch / "run/run.json").at("run"),
       prediction = result.at("predicted");
  double measured = result.at("memory").at("peak").get<double>(),
         predicted = prediction.at("memory").at("peak").get<double>();
  BOOST_TEST(std::fabs(predicted - measured) <= 0.02 * measured,
             what << ": " << predicted << " predicted, " << measured << " measured");
  BOOST_TEST(prediction.at("flops") == result.at("flops"),
             what << prediction.at("flops") << result.at("flops"));
  for (const char* key :
       {"storage_bytes", "trained_parameters", "total_parameters", "tokens", "steps"})
    BOOST_TEST(prediction.at(key) == result.at(key), what << key << ": " << prediction.at(key)
                                                          << " predicted, " << result.at(key)
                                                          << " found");
  BOOST_TEST(prediction.at("steps_seen") == prediction.at("steps"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plans)

BOOST_AUTO_TEST_CASE(runs_cost_what_was_predicted) {
  check_run({"--method", "full:lr=1e-3", "--batch", "4", "--length", "64"});
  check_run({"--method", "full:lr=1e-3", "--batch", "2", "--accumulate", "2", "--length", "128",
             "--dtype", "bf16", "--checkpoint", "block"});
  check_run({"--method", "lora:rank=8,dropout=0.1,lr=1e-3", "--batch", "2", "--length", "128",
             "--pack", "off"});
  check_run({"--method", "lora:rank=4,targets=q_proj+v_proj,lr=1e-3", "--batch", "4", "--length",
             "64", "--dtype", "bf16"});
  check_run({"--method", "lora:rank=4,lr=1e-3", "--batch", "2", "--length", "64", "--base",
             "nf4-double", "--base-ends", "on"});
  check_run({"--method", "lora:rank=16,lr=1e-3", "--batch", "2", "--length", "64", "--pack-frozen",
             "on", "--store", "bf16"});
  check_run({"--method", "full:lr=1e-3", "--batch", "2", "--length", "64", "--store", "bf16",
             "--retain", source + "/data/samples/general.jsonl", "--retain-tokens", "500"});
}

BOOST_AUTO_TEST_CASE(plan_takes_the_options_of_compare_and_says_the_same) {
  ScratchFolder scratch;
  Words options = joined(pocket, {"--method", "full", "--method", "lora:rank=8", "--lr", "1e-3",
                                  "--batch", "2", "--length", "64", "--seeds", "1"});
  Ran planned = run(joined({"plan", "--out", scratch / "plan"}, options)),
      compared = run(joined({"compare", "--out", scratch / "runs"}, options));
  BOOST_REQUIRE_MESSAGE(planned.status == 0, planned.err);
  BOOST_REQUIRE_MESSAGE(compared.status == 0, compared.err);
  Json plan = parse_json_file(scratch / "plan/plan.json"),
       results = parse_json_file(scratch / "runs/results.json");
  for (size_t i = 0; i < 2; ++i) {
    Json prediction = plan.at("methods")[i].at("prediction"),
         of_run = results.at("methods")[i].at("runs")[0].at("predicted");
    for (const char* key : {"flops", "storage_bytes", "trained_parameters", "tokens"})
      BOOST_TEST(prediction.at(key) == of_run.at(key), key);
    BOOST_TEST(prediction.at("memory").at("peak") == of_run.at("memory").at("peak"));
  }
  check_has(compared.out, {"Predicted", "LoRA r 8"});
  for (const char* file : {"runs/summary.md", "runs/report.html"})
    check_has(read_text_file(scratch / file), {"redicted", "measured"});
}

BOOST_AUTO_TEST_CASE(decompositions_before_the_first_step_are_estimated_apart) {
  const Words model = {"plan", "--model", source + "/data/pocket"};
  const Ran ran = run(joined(model, {"--method", "lora:rank=2,start=pissa", "--method",
                                     "lora:rank=2", "--method", "osf:targets=q_proj"}));
  BOOST_REQUIRE_MESSAGE(ran.status == 0, ran.err);
  check_has(ran.out, {"LoRA r 2, start pissa: not counted above are the decompositions",
                      "OSF, targets q_proj: not counted"});
  BOOST_TEST(ran.out.find("LoRA r 2: not counted") == std::string::npos);
}

// --device cuda or emulated is predicted whether the device is there or not.
BOOST_AUTO_TEST_CASE(a_gpu_is_predicted_without_one) {
  if (!built_for(Device::emulated)) return;
  ScratchFolder scratch;
  write_text_file(
      scratch / "config.json",
      R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
      "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, )"
      R"("num_key_value_heads": 1, "intermediate_size": 48,
      "vocab_size": 96, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": )"
      R"(10000, "tie_word_embeddings": true})");
  ModelOptions options;
  DataOptions data;
  RunOptions run_options;
  options.path = scratch / "";
  options.dtype = Precision::bf16;
  options.device = DeviceChoice::emulated;
  data.length = 16;
  run_options.batch = 2;
  run_options.steps = 2;
  RunShape shape = shape_without_data(options, data, run_options);
  for (const char* method : {"full", "lora:rank=4"}) {
    double predicted = double(predict(shape, parse_method(method), 1).memory.peak());
    BOOST_TEST(int(stood_for()) == int(Device::cpu));
    const int64_t before = memory_use(Device::emulated).total;
    RandomWeights weights(1);
    auto model = build_model(shape.config, weights, make_method(parse_method(method)),
                             {Dtype::bf16, Device::emulated, 1, Checkpointing::none});
    Trainer trainer(model->parameters->trained(), run_options.train(1e-4), model->method.get());
    BatchSource source(*shape.train, batch_options(run_options, shape.data, 1));
    reset_memory_peak(Device::emulated);
    for (int64_t step = 0; step < 2; ++step)
      train_on(source.next_step(step), *model, trainer, 1, step);
    double measured = double(memory_use(Device::emulated).total_peak - before);
    BOOST_TEST(std::fabs(predicted - measured) <= 0.02 * measured,
               method << ": " << predicted << " predicted, " << measured << " measured");
    options.device = DeviceChoice::cpu;
    RunShape there = shape_without_data(options, data, run_options);
    BOOST_TEST(double(predict(there, parse_method(method), 1).memory.peak()) != predicted,
               method << ": predicted as on the CPU");
    options.device = DeviceChoice::emulated;
  }
  if (built_for(Device::cuda)) {
    Ran planned =
        run({"plan", "--model", source + "/data/configs/gpt2", "--device", "cuda", "--batch", "1"});
    BOOST_TEST(planned.status == 0, planned.err);
    check_has(planned.out,
              {"Memory, peak in training", "On cuda; times are predicted for the CPU only"});
    BOOST_TEST(planned.out.find("Tokens per second") == planned.out.npos);
  }
}

BOOST_AUTO_TEST_CASE(configs_alone_are_enough) {
  const std::pair<const char*, int64_t> known[] = {
      {"smollm2-135m", 134515008}, {"gpt2", 124439808},        {"llama-3.2-1b", 1235814400},
      {"mistral-7b", 7248023552},  {"qwen2.5-7b", 7615616512}, {"llama-3-8b", 8030261248},
      {"llama-3-70b", 70553706496}};
  ModelOptions model;
  DataOptions data;
  RunOptions run_options;
  model.dtype = Precision::bf16;
  run_options.batch = 1;
  for (auto [name, parameters] : known) {
    model.path = source + "/data/configs/" + name;
    RunShape shape = shape_without_data(model, data, run_options);
    Prediction full = predict(shape, parse_method("full"), 1),
               lora = predict(shape, parse_method("lora:rank=16"), 1);
    BOOST_TEST(full.total_parameters == parameters, name);
    BOOST_TEST(full.trained_parameters == parameters, name);
    // bf16 weight, f32 master, gradient and two moments: at least 18 bytes a parameter; of the
    // frozen 2.
    BOOST_TEST(full.memory.peak() > 18 * parameters, name);
    BOOST_TEST(lora.memory.peak() > 2 * parameters, name);
    BOOST_TEST(lora.memory.peak() < full.memory.peak() / 3, name);
    BOOST_TEST(full.storage_bytes - 2 * parameters < 1 << 20, name);
  }
  Ran large = run({"plan", "--model", source + "/data/configs/llama-3-70b", "--dtype", "bf16",
                   "--batch", "1", "--budget", "24G"});
  BOOST_TEST(large.status == 4);
  check_has(large.out, {"80 layers", "70.55 B", "TiB", "does not fit in 24.0 GiB",
                        "Nothing that was tried fits"});
  check_has(run({"plan", "--model", source + "/data/configs/gpt2/config.json"}).out,
            {"gpt2", "124.4 M"});
  Ran none = run({"plan", "--model", source + "/data/samples"});
  BOOST_TEST(none.status == 1);
  check_has(none.err, {"config.json"});
}

BOOST_AUTO_TEST_CASE(budgets_say_what_fits) {
  ScratchFolder scratch;
  Words words = {"plan", "--model", source + "/data/pocket", "--method",
                 "full", "--out",   scratch / "plan.json"};
  // The process is predicted with what it holds already, which in these tests may be more than the
  // run's own, and grows from plan to plan where a sanitizer keeps what was freed: shares are of
  // that at the time.
  auto budget = [&](double share) {
    BOOST_TEST(run(words).status == 0);
    Json memory =
        parse_json_file(scratch / "plan.json").at("methods")[0].at("prediction").at("memory");
    return std::to_string(int64_t(memory.at("resident_peak").get<double>() -
                                  memory.at("peak").get<double>() * (1. - share)));
  };
  auto with_budget = [&](const std::string& bytes) {
    return run(joined(words, {"--budget", bytes}));
  };
  Ran fits = with_budget(budget(1.1)), not_so = with_budget(budget(0.5)), never = with_budget("1M");
  BOOST_TEST(fits.status == 0);
  check_has(fits.out, {"full fits in"});
  BOOST_TEST(not_so.status == 3);
  check_has(not_so.out, {"full does not fit in", "What may be changed", "--accumulate",
                         "--checkpoint mlp", "--checkpoint block", "--apply-as-you-go --clip 0",
                         "--dtype bf16", "--method lora:rank=8", "(the same result)"});
  BOOST_TEST(never.status == 4);
  Json found = parse_json_file(scratch / "plan.json").at("methods")[0];
  BOOST_TEST(found.at("fits") == false);
  std::vector<std::string> tried;
  for (const Json& attempt : found.at("attempts")) tried.push_back(attempt.at("options"));
  auto was_tried = [&](const std::string& options) {
    return std::count(tried.begin(), tried.end(), options) == 1;
  };
  BOOST_TEST(
      was_tried("--checkpoint block --dtype bf16 --method lora:rank=8 --batch 1 --accumulate 8"));
  BOOST_TEST(tried.back() ==
             "--checkpoint block --apply-as-you-go --clip 0 --dtype bf16 --method lora:rank=8 "
             "--base nf4 --base-ends on");
  BOOST_TEST(run(joined(words, {"--budget", "1M", "--clip", "0"})).status ==
             4);  // nothing to clip: the same result
  Json unclipped = parse_json_file(scratch / "plan.json").at("methods")[0];
  BOOST_TEST(std::any_of(
      unclipped.at("attempts").begin(), unclipped.at("attempts").end(), [](const Json& attempt) {
        return attempt.at("options") == "--apply-as-you-go" && attempt.at("same_result") == true;
      }));
  // What is said to fit, fits.
  BOOST_TEST(run(joined(words, {"--budget", budget(0.5), "--checkpoint", "block", "--batch", "1",
                                "--accumulate", "8"}))
                 .status == 0);
  Ran wrong = run(joined(words, {"--budget", "8X"}));
  BOOST_TEST(wrong.status == 1);
  check_has(wrong.err, {"--budget '8X'", "8G"});
}

BOOST_AUTO_TEST_CASE(costs_of_products_are_found_again) {
  Speed::ProductCost made{3e-6, 4e-12, 2e-10, 5e-10, 0}, found;
  std::vector<Speed::Product> measured;
  for (double m : {64., 1024.})
    for (double n : {16., 576., 4096.})
      for (double k : {16., 576., 1536.}) measured.push_back({m, n, k, made.seconds(m, n, k)});
  found = Speed::fit(measured);
  for (const Speed::Product& p : measured)
    BOOST_TEST(std::fabs(found.seconds(p.m, p.n, p.k) / p.seconds - 1) < 0.02);
}

// Only that it works and is kept: how near it comes is measured on a quiet machine
// (docs/results/plan.md).
BOOST_AUTO_TEST_CASE(a_machine_is_measured_once) {
  ScratchFolder cache;
  setenv("XDG_CACHE_HOME", (cache / "cache").c_str(), 1);
  setenv("AFINA_PROFILE", "on", 1);
  Words words = {"plan", "--model", source + "/data/pocket", "--steps", "5"};
  Ran first = run(words), again = run(words);
  setenv("AFINA_PROFILE", "off", 1);
  Ran without = run(words);
  BOOST_TEST(first.status == 0, first.err);
  check_has(first.out, {"Measuring once", "profile.json", "Time, training", "Tokens per second"});
  BOOST_TEST(again.out.find("Measuring") == std::string::npos);
  BOOST_TEST(without.out.find("Time, training") == std::string::npos);
  Json kept = parse_json_file(cache / "cache/afina/profile.json");
  BOOST_REQUIRE(kept.size() == 1u);
  Speed read = Speed::from_json(OrderedJson::parse(kept.begin()->dump()));
  BOOST_TEST(Json::parse(read.json().dump()) == *kept.begin());
}

BOOST_AUTO_TEST_CASE(too_little_memory_is_said_before_anything_is_done) {
  ScratchFolder scratch;
  Words words = joined({"train", "--out", scratch / "run", "--method", "full:lr=1e-3", "--batch",
                        "8", "--length", "256"},
                       pocket);
  // Room for what is there already and a little more.
  int64_t beside = bytes_beside_tensors();
  Ran ran = run(joined(words, {"--memory-limit", std::to_string(beside + (60 << 20))}));
  BOOST_TEST(ran.status == 1);
  check_has(ran.err, {"memory: full", "--memory-limit", "The largest part is activations",
                      "What may be changed", "--accumulate", "fits"});
  BOOST_TEST(!std::filesystem::exists(scratch / "run/run.json"));
  Ran wrong = run(joined(words, {"--memory-limit", "lots"}));
  BOOST_TEST(wrong.status != 0);
  check_has(wrong.err, {"--memory-limit 'lots'"});
}

BOOST_AUTO_TEST_CASE(methods_say_what_they_cost_on_a_model) {
  const std::string model = source + "/data/pocket";
  Ran all = run({"methods", "--model", model});
  BOOST_TEST(all.status == 0, all.err);
  // 3 x 128 x 128 + ... of six blocks: the count of data/pocket itself; LoRA's A and B of rank 8.
  check_has(squeezed(all.out),
            {"full 1,443,456 100 % 1.00× 1.00×", "lora 116,736 7.5 %",
             "\nbitfit does not fit here: method 'bitfit' trains biases",
             "\nc3a does not fit here: method 'c3a': a block of 256 does not divide"});
  Ran one = run({"methods", "lora", "--model", model, "--batch", "2"});
  check_has(one.out, {"Formula", "B A x", "A step of 2 rows of 256 tokens", "full  ", "lora  "});
  BOOST_TEST(one.out.find("dora ") == one.out.npos);
  Ran document = run({"methods", "--markdown", "--model", model});
  check_has(document.out,
            {"| full | 1,443,456 | 100 % | 1.00× | 1.00× |", "`bitfit` does not fit"});
  Ran cards = run({"methods", "--markdown"});
  check_has(cards.out, {"| [lora](#lora) | `y = W x + b + alpha/rank B A x` |", "\n### lora\n"});
  BOOST_TEST(run({"methods", "--model", source + "/nowhere"}).status == 1);
}

BOOST_AUTO_TEST_SUITE_END()
