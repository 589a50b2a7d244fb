// Steps of a tiny model on a GPU: what tests of the step share.
#pragma once
#include "engine/random.h"
#include "engine/train/checkpoint.h"
#include "engine/train/step_graphs.h"
#include "model/step_inputs.h"
#include "test/cuda/gpus.h"
#include "test/model/tiny.h"

namespace afina::gpu_steps {

// What is trained and how.
struct Job {
  Device device = Device::emulated;
  std::string method = "full";
  Dtype dtype = Dtype::f32;
  int64_t micro_batches = 1;
  GraphUse graphs = GraphUse::on;
  double clip = 0.05;
  bool ahead =
      false;  // each step's batches are uploaded while the step before runs; all of one length then
  int64_t window = 0;  // of attention, in tokens; 0: none
  BaseStorage base{};
};

// A model as small as one can be that has all there is: emulated steps are slow.
// window: of a Mistral, which sees so many keys; 0: a Llama, which sees all.
inline ModelConfig smallest(int64_t window = 0) {
  Json config = {{"model_type", window ? "mistral" : "llama"},
                 {"hidden_act", "silu"},
                 {"hidden_size", 16},
                 {"num_hidden_layers", 1},
                 {"num_attention_heads", 2},
                 {"num_key_value_heads", 1},
                 {"intermediate_size", 24},
                 {"vocab_size", 32},
                 {"max_position_embeddings", 64},
                 {"rms_norm_eps", 1e-5},
                 {"rope_theta", 10000.},
                 {"tie_word_embeddings", true}};
  if (window) config["sliding_window"] = window;
  return parse_config(config, "smallest");
}

// A run on random rows: two a micro-batch, in packed documents; which tokens, how many targets and
// where documents begin differ from step to step.
class Training {
 public:
  explicit Training(const Job& job) : job_(job) { restart(); }
  // A model as it was at first, without what was learned.
  void restart() {
    TrainOptions options;
    options.schedule = {3e-3, 8, 1, Decay::cosine, 0.1};
    options.optimizer.weight_decay = 0.1;
    options.clip = job_.clip;
    options.graphs = job_.graphs;
    trainer.reset();
    inputs_ = std::make_unique<StepInputs>(job_.device);
    RandomWeights weights(5);
    model = build_model(smallest(job_.window), weights, make_method(parse_method(job_.method)),
                        {job_.dtype, job_.device, 1, Checkpointing::none, job_.base});
    trainer = std::make_unique<Trainer>(model->parameters->trained(), options, model->method.get());
  }
  // The next step, on rows of `length` tokens.
  StepReport step(int64_t length = 16) {
    int64_t number = trainer->steps_done(), count = 0;
    std::vector<Rows> rows = step_rows(number, length);
    for (const Rows& r : rows)
      for (int32_t t : r.targets) count += t >= 0;
    inputs_->load(as_input(rows), 3, number);
    if (job_.ahead)
      trainer->meanwhile([=, this] {
        inputs_->send_ahead(as_input(step_rows(number + 1, length)), 3, number + 1);
      });
    auto forward = [&](size_t i, double scale) {
      Loss loss = model->loss(inputs_->of(i), scale);
      if (look) look(loss);
      return loss;
    };
    StepReport report = trainer->step(size_t(job_.micro_batches), count, forward, &inputs_->kind());
    said.push_back(report.loss);
    said.push_back(report.gradient_norm);
    return report;
  }
  void steps(int count) {
    while (count--) step();
  }
  std::string digest() const { return digest_of(std::as_const(*model->parameters).trained()); }

  std::unique_ptr<Model> model;
  std::unique_ptr<Trainer> trainer;
  std::vector<double> said;               // losses and norms
  std::function<void(const Loss&)> look;  // called in the forward pass, when set

 private:
  struct Rows {
    int64_t length;
    std::vector<int32_t> tokens, targets, starts;
    std::vector<int64_t> samples;
  };
  static std::vector<InputRows> as_input(const std::vector<Rows>& rows) {
    std::vector<InputRows> of;
    for (const Rows& r : rows)
      of.push_back({2, r.length, r.tokens, r.targets, r.starts, r.samples});
    return of;
  }
  std::vector<Rows> step_rows(int64_t step, int64_t length) const {
    std::vector<Rows> rows;
    for (int64_t i = 0; i < job_.micro_batches; ++i)
      rows.push_back(rows_of(step * job_.micro_batches + i, length));
    return rows;
  }
  Rows rows_of(int64_t number, int64_t length) const {
    Rows r;
    r.length = length;
    const int64_t document = 4 + 2 * (number % 3);
    Random random(9, "rows", uint64_t(number));
    for (int64_t i = 0; i < 2 * length; ++i) {
      r.tokens.push_back(int32_t(random.below(uint64_t(2 * i), 32)));
      r.targets.push_back(
          (i + number) % (3 + number % 3) ? int32_t(random.below(uint64_t(2 * i + 1), 32)) : -1);
      r.starts.push_back(int32_t(i % length / document * document));
      r.samples.push_back(number * 2 + i / length);
    }
    return r;
  }
  Job job_;
  std::unique_ptr<StepInputs> inputs_;
};

}  // namespace afina::gpu_steps
