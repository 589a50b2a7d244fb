// A model's loss and every gradient on the device beside those on the CPU, layer by layer.
#include <cmath>
#include <cstdio>

#include "engine/ops.h"
#include "engine/random.h"
#include "model/files/weights.h"
#include "model/inputs.h"
#include "model/model.h"
#include "test/bench/gpu/gpu_bench.h"

namespace afina::bench {

namespace {

std::string config_text(bool tiny) {
  std::string wide =
      tiny ? R"("hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 2, )"
             R"("num_key_value_heads": 1, "vocab_size": 60)"
           : R"("hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, )"
             R"("num_key_value_heads": 3, "vocab_size": 4096)";
  return R"({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": )"
         R"("silu", "num_hidden_layers": )" +
         std::string(tiny ? "2" : "6") + ", " + wide +
         R"(, "max_position_embeddings": 512, "rms_norm_eps": 1e-05, "rope_theta": 10000, )"
         R"("tie_word_embeddings": true})";
}

struct Found {
  double loss = 0;
  std::vector<std::pair<std::string, std::vector<float>>> gradients;
};

// A method, over a base in this form.
struct Trial {
  const char* method;
  BaseForm base = BaseForm::plain;
};

Found run(bool tiny, Device device, Dtype dtype, const Trial& trial) {
  RandomWeights source(5);
  auto model = build_model(parse_config(Json::parse(config_text(tiny)), "parity"), source,
                           make_method(parse_method(trial.method)),
                           {dtype, device, 1, Checkpointing::none, {trial.base, true}});
  // LoRA's B begins as zeros, behind which A has no gradient. As small as it becomes in training:
  // large ones would magnify roundings.
  for (Parameter* p : model->parameters->trained())
    if (p->name.find("lora_B") != std::string::npos) {
      Tensor values = random_on({device}, p->shape, Dtype::f32, 7);
      p->master.copy_from(values * 0.1);
      p->refresh();
    }
  const int64_t rows = 2, length = tiny ? 12 : 256;
  Random random(1, "parity", 0);
  std::vector<int32_t> tokens(size_t(rows * length)), starts(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = int32_t(random.below(i, uint32_t(model->config.vocabulary)));
  for (size_t i = 0; i < starts.size(); ++i)
    starts[i] = int64_t(i) % length < length / 3 ? 0 : int32_t(length / 3);  // two documents a row
  std::vector<int32_t> targets(tokens.begin() + 1, tokens.end());
  targets.push_back(-1);
  Inputs inputs = make_inputs(rows, length, tokens, targets, starts,
                              std::vector<int64_t>(tokens.size(), 0), device);
  Tape tape;
  Loss loss = model->loss(inputs, 1. / double(rows * length));
  tape.backward(loss.total);
  Found found;
  found.loss = loss.total.item();
  for (Parameter* p : model->parameters->trained()) {
    p->add_uses();
    found.gradients.push_back({p->name, p->value.grad().value().values()});
  }
  return found;
}

// Root of the sum of squares of the difference over that of the CPU's values.
double off_by(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double d = double(a[i]) - double(b[i]);
    difference += d * d;
    size += double(b[i]) * double(b[i]);
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

}  // namespace

bool check_parity(const Setting& s) {
  bool good = true;
  std::printf(
      "| dtype | method | parameter | gradient off by, relative | may be "
      "|\n|---|---|---|---:|---:|\n");
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (const Trial& trial : {Trial{"full"}, Trial{"lora:rank=8,alpha=16"},
                               Trial{"lora:rank=8,alpha=16", BaseForm::nf4_double}}) {
      const std::string method =
          std::string(trial.method) +
          (trial.base == BaseForm::plain ? "" : std::string(" over ") + afina::name(trial.base));
      Found here = run(s.tiny, s.device, dtype, trial),
            there = run(s.tiny, Device::cpu, dtype, trial);
      double most = dtype == Dtype::f32 ? 2e-4 : 5e-2,
             loss = std::fabs(here.loss - there.loss) / std::fabs(there.loss);
      auto row = [&](const std::string& what, double off, double may) {
        bool fine = off <= may;
        good = good && fine;
        std::printf("| %s | %s | %s | %.1e%s | %.0e |\n", name(dtype), method.c_str(), what.c_str(),
                    off, fine ? "" : " **too far**", may);
      };
      row("(the loss)", loss, dtype == Dtype::f32 ? 1e-5 : 1e-2);
      for (size_t i = 0; i < here.gradients.size(); ++i)
        row(here.gradients[i].first, off_by(here.gradients[i].second, there.gradients[i].second),
            most);
    }
  return good;
}

}  // namespace afina::bench
