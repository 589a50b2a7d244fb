// A training step of SmolLM2's shape as a share of the processor's own peak, split by operation,
// with memory measured beside the meter.
//
//   bench_step [method] [f32|bf16|bf16-tiles] [rows] [length] [steps] [base] [checkpoint] [model]
//
// Without words: full and lora in each at 4 x 256. A method is full, lora or any other with its
// options (dora:rank=8); base and checkpoint are words of --base and --checkpoint; a model is a
// file or folder with weights, or a folder with a config.json, whose weights are then random.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/bf16_sums.h"
#include "engine/random.h"
#include "engine/threads.h"
#include "engine/train/trainer.h"
#include "model/files/weights.h"
#include "model/model.h"
#include "test/bench/peak.h"
#include "tools/options/groups.h"

using namespace afina;

namespace {

// Seconds: when the program began, and how long after that its first step could begin and was done.
double begin = 0, ready = 0, first_step = 0;

constexpr const char* smollm2 =
    R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", )"
    R"("hidden_size": 576,
  "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, )"
    R"("num_key_value_heads": 3, "vocab_size": 49152,
  "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "rope_theta": 100000, )"
    R"("tie_word_embeddings": true})";

// What an option's word stands for.
template <class E>
E named(const std::string& text) {
  for (auto& [word, value] : WordList<E>::all)
    if (word == text) return value;
  fail("bench_step: unknown word '", text, "'");
}

struct Work {
  std::string method, dtype;
  int64_t rows = 4, length = 256, steps = 3;
  BaseForm base = BaseForm::plain;
  Checkpointing checkpointing = Checkpointing::none;
  std::string model = {};  // empty: SmolLM2's shape
};

// Methods at the sizes of test/reference/peer_bench.py, where they are not the method's defaults.
std::string with_options(const std::string& method) {
  if (method == "lora" || method == "dora") return method + ":rank=16,alpha=32";
  if (method == "delora") return "delora:rank=16";
  return method;
}

Inputs random_rows(int64_t rows, int64_t length, int64_t step, int64_t vocabulary) {
  Random random(1, "bench", uint64_t(step));
  std::vector<int32_t> tokens(size_t(rows * length)), starts(tokens.size(), 0);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = int32_t(random.below(i, uint64_t(vocabulary)));
  std::vector<int32_t> targets(tokens.begin() + 1, tokens.end());
  targets.push_back(0);
  return make_inputs(rows, length, tokens, targets, starts, std::vector<int64_t>(tokens.size(), 0));
}

// FLOPs that the step needs by the usual count: 6 N per token for full fine-tuning (4 N and the
// adapters' 6 for LoRA), head included, and attention forward and backward over the visible keys.
double needed_flops(const Model& model, const Work& w) {
  double frozen = 0, trained = 0, tokens = double(w.rows * w.length);
  for (const Parameter& p : model.parameters->all)
    if (p.shape.rank() > 1) (p.trained ? trained : frozen) += double(p.shape.size());
  const ModelConfig& c = model.config;
  double keys = double(w.rows) * double(w.length) * double(w.length + 1) / 2;
  return tokens * (6 * trained + 4 * frozen) + double(c.layers * c.heads * c.head_dim) * keys * 14;
}

void print_split(double wall) {
  std::vector<std::pair<std::string, SlotTime>> all(profile_times().begin(), profile_times().end());
  std::sort(all.begin(), all.end(),
            [](auto& a, auto& b) { return a.second.seconds > b.second.seconds; });
  double known = 0;
  for (auto& [slot, time] : all) {
    known += time.seconds;
    if (time.seconds > 0.003 * wall)
      std::printf("    %-22s %6.1f %%  %7lld calls\n", slot.c_str(), 100 * time.seconds / wall,
                  (long long)time.calls);
  }
  std::printf("    %-22s %6.1f %%\n", "beside kernels", 100 * (wall - known) / wall);
}

ModelFiles open_files(const std::string& path) {
  if (path.ends_with(".gguf") || std::filesystem::exists(path + "/model.safetensors"))
    return open_model(path);
  ModelFiles files;
  if (path.empty()) files.config = parse_config(Json::parse(smollm2), "bench");
  else files = open_config(path);
  files.source = std::make_unique<RandomWeights>(1);
  return files;
}

void measure(const Work& w) {
  SumsScope sums(w.dtype == "bf16-tiles" ? Bf16Sums::tiles : Bf16Sums::pairs);
  trim_memory();
  int64_t before = peak_resident_bytes(), before_metered = memory_use(Device::cpu).total;
  reset_memory_peak(Device::cpu);
  ModelFiles files = open_files(w.model);
  auto model =
      build_model(files.config, *files.source, make_method(parse_method(with_options(w.method))),
                  {w.dtype == "f32" ? Dtype::f32 : Dtype::bf16,
                   Device::cpu,
                   1,
                   w.checkpointing,
                   {w.base, false, nullptr}});
  TrainOptions options;
  options.schedule = {1e-5, 100, 0, Decay::constant, 0.};
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  ready = seconds_now() - begin;
  std::vector<double> times;
  double phases[phase_count] = {}, wall = 0;
  for (int64_t step = 0; step <= w.steps; ++step) {
    if (step == 1) profile(true);
    Inputs inputs = random_rows(w.rows, w.length, step, files.config.vocabulary);
    double start = seconds_now();
    StepReport r = trainer.step(1, w.rows * w.length,
                                [&](size_t, double scale) { return model->loss(inputs, scale); });
    if (step == 0) first_step = seconds_now() - begin;
    if (step == 0) continue;  // packs frozen weights, takes memory
    times.push_back(seconds_now() - start);
    wall += times.back();
    for (int p = 0; p < phase_count; ++p) phases[p] += r.seconds[p];
  }
  profile(false);
  std::sort(times.begin(), times.end());
  double median = times[times.size() / 2], peak = bench::peak(thread_count(), w.dtype != "f32"),
         rate = needed_flops(*model, w) / median / 1e9;
  const MemoryUse& use = memory_use(Device::cpu);
  double resident = double(peak_resident_bytes() - before),
         metered = double(use.total_peak - before_metered);
  std::printf(
      "%s %s%s%s, %lld x %lld, %d threads: %.0f tokens/s, %.0f GFLOP/s = %.0f %% of the peak of "
      "%.0f\n",
      w.method.c_str(), w.dtype.c_str(), w.base == BaseForm::plain ? "" : " over ",
      w.base == BaseForm::plain ? "" : name(w.base), (long long)w.rows, (long long)w.length,
      thread_count(), double(w.rows * w.length) / median, rate, peak > 0 ? 100 * rate / peak : 0.,
      peak);
  std::printf("  forward %.2f s, backward %.2f s, optimizer %.2f s a step\n",
              phases[0] / double(w.steps), phases[1] / double(w.steps),
              phases[2] / double(w.steps));
  std::printf("  memory: metered %.0f MiB, resident %.0f MiB (%+.1f %%):", metered / 1048576,
              resident / 1048576, 100 * (resident / metered - 1));
  for (int p = 0; p < purpose_count; ++p)
    std::printf(" %s %.0f", name(Purpose(p)), double(use.at_peak[size_t(p)]) / 1048576);
  std::printf("\n");
  print_split(wall);
}

}  // namespace

int main(int count, char** words) {
  begin = seconds_now();
  flush_denormals();
  std::vector<Work> all = {{"full", "bf16"}, {"lora", "bf16"},       {"full", "f32"},
                           {"lora", "f32"},  {"full", "bf16-tiles"}, {"lora", "bf16-tiles"}};
  if (count > 1)
    all = {{words[1], count > 2 ? words[2] : "bf16", count > 3 ? std::atoll(words[3]) : 4,
            count > 4 ? std::atoll(words[4]) : 256, count > 5 ? std::atoll(words[5]) : 3,
            count > 6 ? named<BaseForm>(words[6]) : BaseForm::plain,
            count > 7 ? named<Checkpointing>(words[7]) : Checkpointing::none,
            count > 8 ? words[8] : ""}};
  for (const Work& w : all) measure(w);
  if (all.size() == 1)  // for test/reference/peers.py, which asks the same of other programs
    std::printf(
        "whole process: peak resident %lld MiB, first step begins after %.2f s, done after %.2f "
        "s\n",
        (long long)(peak_resident_bytes() >> 20), ready, first_step);
}
