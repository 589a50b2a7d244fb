// SmolLM2-135M-Instruct from its GGUF file against transformers: weights, logits and greedy tokens;
// with AFINA_LONG_TESTS=1 also perplexity and five steps of training. Skipped with a word where the
// model is absent (AFINA_SMOLLM2, or models/smollm2-135m-instruct/*.gguf).
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "data/tokenizer/tokenizer.h"
#include "engine/train/trainer.h"
#include "model/generate.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

std::string model_path() {
  if (const char* named = std::getenv("AFINA_SMOLLM2")) return named;
  std::filesystem::path folder = AFINA_SOURCE_DIR "/models/smollm2-135m-instruct";
  if (std::filesystem::is_directory(folder))
    for (auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".gguf") return entry.path().string();
  return "";
}
bool long_tests() {
  const char* set = std::getenv("AFINA_LONG_TESTS");
  return set && *set && std::string(set) != "0";
}
// Says why when it is false.
bool ready(bool lengthy) {
  if (model_path().empty())
    std::cout << "skipped: no SmolLM2 (tools/get-smollm2 fetches it, AFINA_SMOLLM2 names it)\n";
  else if (lengthy && !long_tests())
    std::cout << "skipped: minutes long, AFINA_LONG_TESTS=1 runs it\n";
  else return true;
  return false;
}
Json reference() {
  static const Json all = parse_json_file(AFINA_SOURCE_DIR "/test/stored/smollm2.json");
  return all;
}
std::unique_ptr<Model> smollm2(const std::string& method = "lora:rank=1,targets=q_proj") {
  return tiny_model(model_path(), method);
}

std::vector<float> seventeen(const std::vector<float>& all) {
  std::vector<float> out;
  size_t n = std::min<size_t>(17, all.size());
  for (size_t i = 0; i < n; ++i) out.push_back(all[i * all.size() / n]);
  return out;
}
double norm_of(const std::vector<float>& values) {
  double sum = 0.;
  for (float v : values) sum += double(v) * double(v);
  return std::sqrt(sum);
}

double log_sum_exp(const float* logits, size_t n) {
  double top = *std::max_element(logits, logits + n), sum = 0.;
  for (size_t i = 0; i < n; ++i) sum += std::exp(double(logits[i]) - top);
  return top + std::log(sum);
}

void check_prompt(Model& model, const Json& prompt) {
  Tensor all = model.logits(make_inputs(prompt["ids"].get<std::vector<int32_t>>()));
  std::vector<float> values = all.values();
  double tolerance = 1e-4 * prompt["largest"].get<double>();
  size_t vocabulary = size_t(all.columns());
  for (const Json& row : prompt["rows"]) {
    const float* logits = values.data() + row["position"].get<size_t>() * vocabulary;
    auto near = [&](const Json& ids, const Json& expected) {
      for (size_t i = 0; i < ids.size(); ++i)
        BOOST_TEST(
            std::fabs(double(logits[ids[i].get<size_t>()]) - expected[i].get<double>()) < tolerance,
            row["position"] << ", token " << ids[i]);
    };
    near(row["top_ids"], row["top"]);
    near(row["ids"], row["logits"]);
    BOOST_TEST(std::fabs(log_sum_exp(logits, vocabulary) - row["logsumexp"].get<double>()) <
               tolerance);
  }
}

// lora_A by the reference's formula: see test/reference/README.md.
void set_reference_start(Model& model) {
  for (Parameter& p : model.parameters->all) {
    if (!p.name.ends_with("lora_A.weight")) continue;
    uint64_t h = 0xcbf29ce484222325ull;
    for (char c : "base_model.model." + p.name) h = (h ^ uint8_t(c)) * 0x100000001b3ull;
    std::vector<float> values(size_t(p.shape.size()));
    float bound = float(1. / std::sqrt(double(p.shape[1])));
    for (size_t i = 0; i < values.size(); ++i) {
      uint64_t z = h + (i + 1) * 0x9E3779B97F4A7C15ull;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
      z ^= z >> 31;
      values[i] = (float(z >> 40) * 0x1p-23f - 1.f) * bound;
    }
    p.assign(values.data());
  }
}

void check_training(const std::string& method, const Json& run, const Json& ids) {
  auto model = smollm2(method);
  set_reference_start(*model);
  TrainOptions options;
  options.schedule.peak = run["lr"];
  options.schedule.decay = Decay::constant;
  options.optimizer.beta2 = 0.95;
  options.optimizer.weight_decay = 0.1;
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  auto batch = [&](size_t step) {
    std::vector<int32_t> tokens, targets;
    for (const Json& row : ids[step]) {
      auto one = row.get<std::vector<int32_t>>();
      tokens.insert(tokens.end(), one.begin(), one.end());
      targets.insert(targets.end(), one.begin() + 1, one.end());
      targets.push_back(-1);
    }
    return plain_inputs(int64_t(ids[step].size()), tokens, targets);
  };
  auto near = [](double found, const Json& expected, double tolerance) {
    return std::fabs(found / expected.get<double>() - 1.) < tolerance;
  };
  for (size_t step = 0; step < run["steps"].size(); ++step) {
    StepReport report =
        trainer.step(1, 254, [&](size_t, double scale) { return model->loss(batch(step), scale); });
    BOOST_TEST(near(report.loss, run["steps"][step]["loss"], 1e-4),
               method << " step " << step << ": loss " << report.loss);
    BOOST_TEST(near(report.gradient_norm, run["steps"][step]["grad_norm"], 1e-4),
               method << " step " << step << ": norm " << report.gradient_norm);
  }
  BOOST_TEST(near(model->loss(batch(0), 1. / 254).total.item(), run["final_loss"], 1e-4));
  for (auto& [name, expected] : run["final"].items()) {
    std::string ours = name.starts_with("base_model.model.") ? name.substr(17) : name;
    std::vector<float> found = seventeen(model->parameters->find(ours)->exact().values());
    auto samples = expected.is_object() ? expected["samples"] : expected;
    // AdamW turns a gradient that is nearly zero, and so mostly rounding, into a step of its own:
    // single values may be off by more than their tensor is in the mean.
    double rate = run["lr"], sum = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      double off = std::fabs(double(found[i]) - samples[i].get<double>());
      BOOST_TEST(off < 0.1 * rate, name << " " << i << ": off by " << off / rate << " of the rate");
      sum += off;
    }
    BOOST_TEST(sum < 0.02 * rate * double(found.size()), name << ": off by "
                                                              << sum / rate / double(found.size())
                                                              << " of the rate in the mean");
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(smollm2_model)

BOOST_AUTO_TEST_CASE(weights_and_logits_agree_with_transformers) {
  if (!ready(false)) return;
  BOOST_TEST(open_model(model_path()).hashes().begin()->second == reference()["model_sha256"]);
  auto model = smollm2();
  Json all = reference();
  for (auto& [name, expected] : all["weights"].items()) {
    std::vector<float> values = model->parameters->find(name)->exact().values();
    BOOST_TEST(seventeen(values) == expected["samples"].get<std::vector<float>>(), name);
    BOOST_TEST(std::fabs(norm_of(values) / expected["norm"].get<double>() - 1.) < 1e-6, name);
  }
  for (auto& [name, prompt] : all["prompts"].items())
    BOOST_TEST_CONTEXT(name) check_prompt(*model, prompt);
  GenerateOptions options;
  options.most = 24;
  auto found = generate(*model, all["prompts"]["chat"]["ids"].get<std::vector<int32_t>>(), options);
  BOOST_TEST(found.tokens == all["greedy"]["new_ids"].get<std::vector<int32_t>>());
}

BOOST_AUTO_TEST_CASE(perplexity_agrees_with_transformers) {
  if (!ready(true)) return;
  const char* text = std::getenv("AFINA_WIKITEXT2");
  if (!text) {
    std::cout << "skipped: AFINA_WIKITEXT2 does not name the test text of wikitext2\n";
    return;
  }
  ModelFiles files = open_model(model_path());
  Json expected = reference()["wikitext2"];
  std::vector<int32_t> ids =
      Tokenizer::from_gguf(files.gguf->metadata(), model_path()).encode(read_text_file(text));
  BOOST_TEST(int64_t(ids.size()) == expected["tokens_of_the_whole_text"].get<int64_t>());
  auto model = smollm2();
  double total = 0.;
  for (size_t w = 0; w < 16; ++w) {
    std::vector<int32_t> tokens(ids.begin() + long(512 * w), ids.begin() + long(512 * (w + 1))),
        targets(tokens.begin() + 1, tokens.end());
    targets.push_back(-1);
    double loss = model->loss(plain_inputs(1, tokens, targets), 1.).total.item();
    BOOST_TEST(std::fabs(loss / expected["window_losses"][w].get<double>() - 1.) < 1e-4,
               "window " << w << ": " << loss);
    total += loss;
  }
  BOOST_TEST(std::fabs(std::exp(total / expected["predicted"].get<double>()) /
                           expected["perplexity"].get<double>() -
                       1.) < 1e-4);
}

BOOST_AUTO_TEST_CASE(training_agrees_with_pytorch_and_peft) {
  if (!ready(true)) return;
  Json training = reference()["training"];
  check_training("lora:rank=16,alpha=32", training["lora"], training["input_ids"]);
  check_training("full", training["full"], training["input_ids"]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
