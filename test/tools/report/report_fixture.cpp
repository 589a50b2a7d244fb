// Makes the figures of fixture_comparison from a few formulas, in the proportions of SmolLM2-135M
// on arithmetic problems.
#include "test/tools/report/report_fixture.h"
#include <algorithm>
#include <cmath>

namespace afina {
namespace {

constexpr int64_t mebi = 1 << 20;
constexpr int64_t step_tokens = 2048;

struct Kind {
  const char* label;
  const char* spec;
  const char* kind;
  const char* folder;
  double rate, gain, forgetting, speed;  // gain and forgetting in nats, speed of learning per step
  int64_t trained;
  double forward, backward, optimizer;  // seconds a step
  MemoryBytes memory;
  int64_t storage;
};

// Repeatable noise in [-1, 1] for step i of a run.
double noise(uint64_t seed, int64_t i) {
  return std::sin(double(seed) * 12.9898 + double(i) * 78.233) * std::cos(double(i * i % 97) * 1.7);
}

double retain_loss(const Kind& kind, uint64_t seed, double progress) {
  return 3.4127 + kind.forgetting * std::pow(progress, 1.3) +
         0.009 * noise(seed * 5 + uint64_t(kind.trained % 7), 3 + int64_t(seed)) * progress;
}

double heldout_loss(const Kind& kind, uint64_t seed, int64_t step) {
  return 1.6831 - kind.gain * (1 - std::exp(-double(step) * kind.speed)) +
         0.011 * noise(seed * 3 + uint64_t(kind.trained % 13), int64_t(seed)) *
             std::min<double>(1, double(step) / 20);
}

void add_curves(const Kind& kind, RunResult& run) {
  double step_seconds = kind.forward + kind.backward + kind.optimizer + 0.02;
  for (int64_t step = 0; step <= run.steps; step++) {
    double seconds = double(step) * step_seconds * (1 + 0.01 * noise(run.seed, 1));
    if (step > 0) {
      double warm = std::min(1.0, double(step) / 10),
             decay = 0.55 + 0.45 * std::cos(3.14159 * double(step) / double(run.steps));
      run.curve.push_back({step, step * step_tokens, seconds,
                           heldout_loss(kind, run.seed, step - 1) + 0.08 * noise(run.seed, step),
                           kind.rate * warm * decay, 1.2 + 0.5 * noise(run.seed + 3, step)});
    }
    if (step % 10 == 0)
      run.evaluations.push_back(
          {step, step * step_tokens, seconds, heldout_loss(kind, run.seed, step),
           retain_loss(kind, run.seed, double(step) / double(run.steps)),
           0.05 * double(step) / double(run.steps), step ? 8. + 20. / double(step) : 0.});
  }
  for (const char* layer : {"model.layers.0.self_attn.q_proj", "model.layers.0.mlp.down_proj"})
    run.changes.push_back({layer, 20., kind.rate * 500., 1.8, 6.5, {0.5, 0.3, 0.02, 0.01}, 1});
}

void add_generations(const Kind& kind, RunResult& run) {
  std::string after = kind.kind == std::string("full")
                          ? "Each pack holds 6 pencils, so 4 packs hold 4 * 6 = 24 pencils.\nShe "
                            "gives away 9, so 24 - 9 = 15 are left.\n#### 15"
                          : "4 packs of 6 pencils are 4 * 6 = 24.\n24 - 9 = 15\n#### 15";
  run.generations = {
      {"Ana buys 4 packs of 6 pencils and gives 9 pencils to her class. How many pencils has she "
       "left?",
       "There are 4 * 6 = 24 pencils.\nAna has 24 - 9 = 15 left.\n#### 15",
       "Ana has 4 packs of 6 pencils. To find the number of pencils she has left, we need to know "
       "how many pencils she had at the "
       "beginning. "
       "Let x be the number of pencils...",
       after},
      {"Un tren recorre 180 km en 3 horas. ¿Cuántos km recorre en 5 horas a la misma velocidad? 🚆",
       "180 / 3 = 60\n60 * 5 = 300\n#### 300",
       "The train travels 180 km in 3 hours, so the train travels 180 km in 3 hours.",
       "180 / 3 = 60 km por hora.\n60 * 5 = 300\n#### 300"}};
}

RunResult make_run(const Kind& kind, uint64_t seed) {
  RunResult run;
  run.name = std::string(kind.folder) + "/seed-" + std::to_string(seed);
  run.folder = "runs/" + run.name;
  run.seed = seed;
  run.learning_rate = kind.rate;
  run.trained_parameters = kind.trained;
  run.total_parameters = 134515008 + (kind.trained == 134515008 ? 0 : kind.trained);
  run.steps = 120;
  run.samples = 120 * 16;
  run.tokens = run.steps * step_tokens;
  run.target_tokens = run.tokens * 62 / 100;
  double steps = double(run.steps);
  run.seconds = {kind.forward * steps,
                 kind.backward * steps,
                 kind.optimizer * steps,
                 0.02 * steps,
                 41.5,
                 6.2,
                 0.8};
  run.memory = kind.memory;
  bool full = kind.trained == 134515008;
  run.flops = {2.0 * 134.5e6 * double(run.tokens),
               (full ? 4.0 : 2.1) * 134.5e6 * double(run.tokens)};
  run.storage_bytes = kind.storage;
  run.digest = std::string("3f9a4c") + char('0' + seed % 10) +
               std::string(kind.folder).substr(0, 4) + std::string(40, 'e') + "51b07d0c8a2f1";
  run.predicted.emplace();
  static_cast<Costs&>(*run.predicted) = run;
  run.predicted->timed = true;
  run.predicted->steps_seen = run.steps;
  run.predicted->seconds.forward *= 1.04;
  run.before = {1.6831, 640, 81230, 3.4127, 120000};
  run.after = {heldout_loss(kind, seed, run.steps), 640, 81230, retain_loss(kind, seed, 1), 120000};
  add_curves(kind, run);
  for (int64_t row = 0; row < 640; row++) {
    run.examples.rows.push_back(row * 2 + 1);
    run.examples.tokens.push_back(60 + row * 37 % 150);
    run.examples.losses.push_back(run.after.heldout + 0.3 * noise(9, row) +
                                  0.08 * noise(seed + 31 * std::string(kind.label).size(), row));
    run.examples.before.push_back(1.6831 + 0.3 * noise(9, row));
  }
  for (int64_t row = 0; row < 50; row++) {
    run.retain_examples.rows.push_back(row);
    run.retain_examples.tokens.push_back(2400);
    run.retain_examples.before.push_back(3.4127 + 0.4 * noise(5, row));
    run.retain_examples.losses.push_back(
        *run.after.retain + 0.4 * noise(5, row) +
        0.03 * noise(seed + 17 * std::string(kind.label).size(), row));
  }
  if (seed == 1) add_generations(kind, run);
  return run;
}

void add_search(const Kind& kind, MethodResult& method) {
  for (double factor : {0.1, 0.3, 1.0, 3.0, 10.0}) {
    double away = std::log10(factor), loss = 1.6831 - kind.gain * std::exp(-1.1 * away * away);
    if (factor == 10) loss = std::nan("");
    method.search.push_back({kind.rate * factor,
                             1,
                             40,
                             40 * step_tokens,
                             40 * (kind.forward + kind.backward),
                             loss,
                             3.4127 + kind.forgetting * std::pow(factor, 0.8),
                             factor == 1,
                             {},
                             {},
                             {}});
    SearchRow& row = method.search.back();
    if (factor == 10) {
      row.diverged = 7;
      row.retain = {};
    } else {
      row.gain = 1.6831 - loss;
      row.forgetting = *row.retain - 3.4127;
    }
  }
}

}  // namespace

Comparison fixture_comparison(int seeds) {
  const Kind kinds[] = {
      {"full",
       "full",
       "full",
       "full",
       3e-5,
       0.4551,
       0.0871,
       0.045,
       134515008,
       0.86,
       1.79,
       0.11,
       {{257 * mebi, 513 * mebi, 513 * mebi, 1026 * mebi, 412 * mebi, 96 * mebi}, 3010 * mebi},
       269060552},
      {"LoRA r 8",
       "lora:rank=8,alpha=16",
       "lora",
       "lora-r8",
       1e-3,
       0.4187,
       0.0312,
       0.04,
       2442240,
       0.93,
       1.21,
       0.004,
       {{261 * mebi, 9 * mebi, 9 * mebi, 19 * mebi, 418 * mebi, 101 * mebi}, 1004 * mebi},
       9787376},
      {"LoRA r 64",
       "lora:rank=64,alpha=128",
       "lora",
       "lora-r64",
       1e-3,
       0.4502,
       0.0524,
       0.05,
       19537920,
       1.02,
       1.38,
       0.02,
       {{294 * mebi, 75 * mebi, 75 * mebi, 149 * mebi, 441 * mebi, 110 * mebi}, 1330 * mebi},
       78171728}};
  Comparison comparison;
  comparison.title = "SmolLM2-135M-Instruct on gsm8k";
  comparison.version = "0.1.0";
  comparison.commit = "94af11c0d8";
  comparison.created = "2026-11-22T18:00:00Z";
  comparison.command =
      "afina compare --model models/SmolLM2-135M-Instruct --data data/gsm8k/train.jsonl --retain "
      "data/wikitext2/test.txt --method "
      "full:lr=1e-5/3e-5/1e-4 --method lora:rank=8,alpha=16 --steps 120 --seeds 3 --dtype bf16";
  comparison.options = {{"steps", "120"},  {"batch", "8"}, {"accumulate", "1"}, {"length", "256"},
                        {"dtype", "bf16"}, {"seed", "1"},  {"threads", "2"}};
  comparison.model = {"SmolLM2-135M-Instruct",
                      "models/SmolLM2-135M-Instruct",
                      "5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c",
                      "llama",
                      134515008,
                      30,
                      576,
                      9,
                      3,
                      1536,
                      49152};
  comparison.data = {
      {"train", "data/gsm8k/train.jsonl", std::string(64, 'a'), 6833, 1450211, 901222, 12},
      {"choice", "data/gsm8k/train.jsonl", std::string(64, 'a'), 320, 66120, 40615, 0},
      {"final", "data/gsm8k/test.jsonl", std::string(64, 'b'), 640, 131900, 81230, 0},
      {"retain", "data/wikitext2/test.txt", std::string(64, 'c'), 470, 120000, 120000, 0}};
  comparison.machine = {"Intel Xeon Platinum 8481C", "avx512bf16", 2, 2, 24ll << 30,
                        "Debian GNU/Linux 12"};
  comparison.notes = {"12 training rows are longer than 256 tokens and were cut."};
  for (const Kind& kind : kinds) {
    MethodResult method{kind.label, kind.spec, kind.kind, {{"learning rates", "searched"}},
                        kind.rate,  {},        {},        "whole model, bf16"};
    if (kind.kind == std::string("lora")) {
      method.options = {{"rank", kind.label + 7}, {"targets", "all"}, {"dropout", "0"}};
      method.stored_as = "adapter, f32";
    }
    add_search(kind, method);
    for (int seed = 1; seed <= seeds; seed++) method.runs.push_back(make_run(kind, uint64_t(seed)));
    comparison.methods.push_back(std::move(method));
  }
  return comparison;
}

Comparison fixture_of(size_t methods, int seeds) {
  Comparison comparison = fixture_comparison(seeds);
  comparison.methods.resize(std::min<size_t>(methods, 3));
  for (size_t i = comparison.methods.size(); i < methods; i++) {
    MethodResult method = comparison.methods[1 + i % 2];
    method.label = "LoRA r " + std::to_string(4 * i) + ", alpha 16, dropout 0.05, targets " +
                   (i % 2 ? "q_proj+k_proj+v_proj" : "all");
    method.spec = "lora:rank=" + std::to_string(4 * i);
    const double more = 0.004 * double(i);
    for (RunResult& run : method.runs) {
      run.name += "-" + std::to_string(i);
      run.after.heldout += more;
      *run.after.retain += more;
      run.trained_parameters += int64_t(i) * 1000000;
      for (EvaluationPoint& point : run.evaluations)
        if (point.step > 0) point.heldout += more;
      for (double& loss : run.examples.losses) loss += more;
    }
    comparison.methods.push_back(std::move(method));
  }
  return comparison;
}

}  // namespace afina
