// Steps of whole models with random weights, full and LoRA: tokens/s, share of the measured matmul
// rate, peak memory.
#include <cmath>
#include <cstdio>

#include "engine/meter.h"
#include "engine/random.h"
#include "engine/train/trainer.h"
#include "model/files/weights.h"
#include "model/model.h"
#include "model/step_inputs.h"
#include "test/bench/gpu/gpu_bench.h"

namespace afina::bench {

namespace {

struct Trial {
  const char *name, *config, *tiny;
  int64_t length, batch;  // rows to begin with; they are doubled while that makes it quicker
};
const Trial models[] = {
    {"GPT-2 124M",
     R"({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": )"
     R"("gelu_new", "n_embd": 768, "n_layer": 12, "n_head": 12,
         "vocab_size": 50304, "n_positions": 1024, "layer_norm_epsilon": 1e-05, )"
     R"("tie_word_embeddings": true})",
     R"({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": )"
     R"("gelu_new", "n_embd": 32, "n_layer": 1, "n_head": 2,
         "vocab_size": 60, "n_positions": 16, "layer_norm_epsilon": 1e-05, )"
     R"("tie_word_embeddings": true})",
     1024, 32},
    {"SmolLM2 135M",
     R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",)"
     R"( "hidden_size": 576, "intermediate_size": 1536,
         "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, )"
     R"("vocab_size": 49152, "max_position_embeddings": 8192,
         "rms_norm_eps": 1e-05, "rope_theta": 100000, "tie_word_embeddings": true})",
     R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",)"
     R"( "hidden_size": 32, "intermediate_size": 48,
         "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, )"
     R"("vocab_size": 60, "max_position_embeddings": 16,
         "rms_norm_eps": 1e-05, "rope_theta": 100000, "tie_word_embeddings": true})",
     1024, 32},
    {"Llama 3.2 1B shape",
     R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",)"
     R"( "hidden_size": 2048, "intermediate_size": 8192,
         "num_hidden_layers": 16, "num_attention_heads": 32, "num_key_value_heads": 8, )"
     R"("head_dim": 64, "vocab_size": 128256,
         "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "rope_theta": 500000, )"
     R"("tie_word_embeddings": true})",
     nullptr, 2048, 4},
};

struct Outcome {
  double tokens_per_second = 0, share = 0, peak_gib = 0;
  int64_t batch = 0;
};

double needed_flops(const Model& model, int64_t rows, int64_t length) {
  double frozen = 0, trained = 0;
  for (const Parameter& p : model.parameters->all)
    if (p.shape.rank() > 1 && p.name.find("wpe") == std::string::npos)
      (p.trained ? trained : frozen) += double(p.shape.size());
  const ModelConfig& c = model.config;
  double pairs = double(rows) * double(length) * double(length + 1) / 2;
  return double(rows * length) * (6 * trained + 4 * frozen) +
         double(c.layers * c.heads * c.head_dim) * pairs * 14;
}

// Matrices made on the device: a billion normal values of the host would take longer than the
// trial. Those that the host brings into blocks are copied to it.
struct DeviceWeights : WeightSource {
  const Setting& s;
  uint64_t number = 0;
  explicit DeviceWeights(const Setting& setting) : s(setting) {}
  bool has(const std::string&) const override { return true; }
  void read(Parameter& into) override {
    if (into.init.kind != Init::normal) return initialise(into, 1);
    Tensor values =
        random_on(s, into.shape, Dtype::f32, ++number) * (2. * double(into.init.spread));
    if (into.master) {
      into.master.copy_from(values);
      into.refresh();
    } else {
      const Tensor made = values.as(into.value.dtype());
      into.value.copy_from(into.value.device() == s.device ? made : made.to(into.value.device()));
    }
  }
};

// Steps as `afina train` takes them: captured as a graph and replayed, the next rows uploaded while
// a step runs. profiled: three that are not captured, the last one timed by kernel slot.
Outcome measure(const Setting& s, const ModelConfig& config, const std::string& method,
                BaseForm base, int64_t rows, int64_t length, bool profiled = false) {
  DeviceWeights source(s);
  auto model = build_model(config, source, make_method(parse_method(method)),
                           {Dtype::bf16, s.device, 1, Checkpointing::none, {base, false}});
  TrainOptions options;
  options.schedule = {1e-5, 100, 0, Decay::constant, 0.};
  if (profiled) options.graphs = GraphUse::off;
  const int warm = s.tiny ? 0 : profiled ? 2 : 4, timed = s.tiny || profiled ? 1 : 10;
  const size_t each_step = size_t(rows * length);
  std::vector<std::vector<int32_t>> tokens,
      targets;  // made beforehand: it is the steps that are timed
  for (int step = 0; step < warm + timed; ++step) {
    Random random(1, "bench", uint64_t(step));
    std::vector<int32_t> some(each_step);
    for (size_t i = 0; i < each_step; ++i)
      some[i] = int32_t(random.below(i, uint32_t(config.vocabulary)));
    tokens.push_back(some);
    some.erase(some.begin());
    some.push_back(0);
    targets.push_back(some);
  }
  const std::vector<int32_t> starts(each_step, 0);
  const std::vector<int64_t> samples(each_step, 0);
  auto of_step = [&](int step) {
    return std::vector<InputRows>{
        {rows, length, tokens[size_t(step)], targets[size_t(step)], starts, samples}};
  };
  StepInputs inputs(s.device);
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  int next = 1;
  trainer.meanwhile([&] {
    if (next < warm + timed) inputs.send_ahead(of_step(next), 1, next);
  });
  double start = 0;
  reset_memory_peak(s.device);
  for (int step = 0; step < warm + timed; ++step) {
    if (step == warm) {
      wait_for(s.device);
      profile(profiled);
      start = seconds_now();
    }
    next = step + 1;
    inputs.load(of_step(step), 1, step);
    trainer.step(
        1, rows * length, [&](size_t i, double scale) { return model->loss(inputs.of(i), scale); },
        &inputs.kind());
  }
  wait_for(s.device);
  double each = (seconds_now() - start) / timed;
  if (profiled) profile(false);
  return {double(rows * length) / each, needed_flops(*model, rows, length) / each / s.bf16_rate,
          double(memory_use(s.device).total_peak) / double(1 << 30), rows};
}

// Doubles the rows until that gains nothing more or does not fit.
Outcome fill(const Setting& s, const ModelConfig& config, const std::string& method, BaseForm base,
             int64_t rows, int64_t length) {
  Outcome best;
  for (; rows <= 256; rows *= 2) {
    Outcome now;
    try {
      now = measure(s, config, method, base, rows, length);
    } catch (const Error& e) {
      if (!best.batch) throw;
      std::fprintf(stderr, "%lld rows: %s\n", (long long)rows, e.what());
      break;
    }
    bool better = now.tokens_per_second > 1.02 * best.tokens_per_second;
    if (now.tokens_per_second > best.tokens_per_second) best = now;
    if (s.tiny || !better) break;
  }
  return best;
}

void print_profile() {
  double all = 0;
  for (const auto& [slot, time] : profile_times()) all += time.seconds;
  std::printf("| slot | calls | ms | share |\n|---|---:|---:|---:|\n");
  for (const auto& [slot, time] : profile_times())
    std::printf("| %s | %lld | %.3f | %.1f %% |\n", slot.c_str(), (long long)time.calls,
                1e3 * time.seconds, 100 * time.seconds / all);
}

}  // namespace

void one_step(const Setting& s, const std::string& model, const std::string& method, int64_t rows) {
  for (const Trial& m : models)
    if (std::string(m.name).find(model) != std::string::npos) {
      measure(s, parse_config(Json::parse(s.tiny ? m.tiny : m.config), m.name), method,
              BaseForm::plain, rows, s.tiny ? 8 : m.length, true);
      return print_profile();
    }
  fail("no model is called '", model, "'");
}

void bench_steps(const Setting& s, const std::string& only) {
  std::printf(
      "| model | method | rows x length | tokens/s | of the matmul rate | peak memory "
      "|\n|---|---|---:|---:|---:|---:|\n");
  for (const Trial& m : models) {
    if (std::string(m.name).find(only) == std::string::npos || (s.tiny && !m.tiny)) continue;
    ModelConfig config = parse_config(Json::parse(s.tiny ? m.tiny : m.config), m.name);
    int64_t length = s.tiny ? 8 : m.length;
    const std::string full = "full", lora = "lora:rank=16,alpha=32";
    for (const auto& [method, base] :
         {std::pair(full, BaseForm::plain), {lora, BaseForm::plain}, {lora, BaseForm::nf4}}) {
      if (base != BaseForm::plain && &m == models) continue;  // two models tell
      Outcome o = fill(s, config, method, base, s.tiny ? 1 : m.batch, length);
      std::printf("| %s | %s%s | %lld x %lld | %.0f | %.1f %% | %.2f GiB |\n", m.name,
                  method.c_str(), base == BaseForm::plain ? "" : " over nf4", (long long)o.batch,
                  (long long)length, o.tokens_per_second, 100 * o.share, o.peak_gib);
      std::fflush(stdout);
    }
  }
}

}  // namespace afina::bench
