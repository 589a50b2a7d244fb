// A run executed on the device without bytes.
#include "tools/foresight/predict.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/random.h"
#include "engine/shapes.h"
#include "engine/svd.h"
#include "model/files/save.h"
#include "tools/foresight/speed.h"
#include "tools/options/memory_limit.h"
#include "tools/runs/evaluate.h"
#include "tools/runs/observation.h"
#include "tools/runs/recorder.h"
#include "tools/runs/scores.h"
#include "tools/runs/step.h"

namespace afina {

namespace {

// Kernel calls to execute at most, apart from the first two steps: they take a second or so.
constexpr int64_t most_calls = 400000;

std::shared_ptr<const Samples> borrowed(const Samples& samples) {
  return samples.rows.empty() ? nullptr
                              : std::shared_ptr<const Samples>(std::shared_ptr<void>(), &samples);
}

// While alive, the device without bytes stands for this one.
struct StandsFor {
  explicit StandsFor(Device device) { stand_for(device); }
  ~StandsFor() { stand_for(Device::cpu); }
  StandsFor(const StandsFor&) = delete;
};

std::unique_ptr<Model> build_shapes(const RunShape& shape, const MethodSpec& spec, uint64_t seed) {
  trim_shapes();
  RandomWeights weights(seed);
  return build_model(shape.config, weights, make_method(spec), shape.build(seed));
}

// Of weights that are read where they lie in a mapped file: resident, and in no pool.
int64_t mapped_bytes(const Model& model) {
  int64_t bytes = 0;
  for (const Parameter& p : model.parameters->all)
    if (p.value.blocks() && !p.value.data<void>()) bytes += int64_t(p.value.bytes());
  return bytes;
}

class Foresight {
 public:
  // most: kernel calls to execute, apart from the first two steps.
  Foresight(const RunShape& shape, const MethodSpec& spec, uint64_t seed, const Speed* speed,
            int64_t most)
      : shape_(shape),
        device_(shape.model.predicted_device()),
        scope_(shape.model.scope()),
        speed_(speed),
        model_(build_shapes(shape, spec, seed)),
        look_(look(shape, seed)),
        trainer_(model_->parameters->trained(), shape.run.train(1e-4), model_->method.get()),
        steps_(*model_, trainer_, *shape.train, batch_options(shape.run, shape.data, seed),
               shape.run.steps, found_),
        most_(most) {}

  Prediction go() {
    Dtype dtype = matrix_dtype(shape_.model.dtype);
    CallObserver observer([&](const KernelCall& call) {
      ++calls_;
      if (speed_) seconds_[size_t(PhaseScope::current())] += speed_->seconds(call, dtype);
    });
    count_parameters(*model_, found_);
    found_.storage_bytes = bytes_to_store(*model_, stored_dtype(shape_.model, shape_.run));
    evaluations();
    steps();
    found_.flops.forward += look_.flops.forward;
    found_.flops.backward += look_.flops.backward;
    if (look_.memory.peak() > found_.memory.peak()) found_.memory = look_.memory;
    found_.memory.resident_peak =
        shapes_pool_bytes() + bytes_beside_tensors() + mapped_bytes(*model_);
    return found_;
  }

 private:
  // A look at the data before training: its FLOPs and memory.
  Prediction look(const RunShape& shape, uint64_t seed) {
    Prediction costs;
    look_at_data(*model_, *shape.train, batch_options(shape.run, shape.data, seed), costs);
    return costs;
  }

  // All evaluations of a run, from one of each set of rows; answers to prompts are not predicted.
  void evaluations() {
    // What begins as the untouched model is known to the bit from a few rows, most often.
    double times = model_->method->starts_as_pretrained() ? 0 : 1;
    for (int64_t step = 1; step <= shape_.run.steps; ++step)
      times += evaluates_after(shape_.run, step) ? 1 : 0;
    auto one = [&](const std::shared_ptr<const Samples>& samples) {
      double before = seconds_[int(Phase::evaluation)];
      if (samples) evaluate(*model_, *samples, shape_.run.batch, shape_.data.length);
      return seconds_[int(Phase::evaluation)] - before;
    };
    double choice = one(shape_.choice), last = one(shape_.final), retain = one(shape_.retain);
    seconds_ = {};
    seconds_[int(Phase::evaluation)] = times * (choice + retain) + last;
  }

  void steps() {
    const int64_t all = shape_.run.steps;
    calls_ = 0;
    step(0);
    // The second step is the first that holds all gradients from its beginning.
    int64_t some =
        std::clamp<int64_t>(most_ / std::max<int64_t>(1, calls_), 2, std::max<int64_t>(2, all));
    some = std::min(shape_.equal_steps ? 2 : some, all);
    for (int64_t i = 1; i < some; ++i) step(i * all / some);
    double times = double(all) / double(some);
    found_.flops.forward *= times;
    found_.flops.backward *= times;
    for (int64_t Costs::*count : {&Costs::samples, &Costs::tokens, &Costs::target_tokens})
      found_.*count = int64_t(double(found_.*count) * times);
    found_.steps = all;
    found_.steps_seen = shape_.equal_steps ? all : some;
    if (found_.steps_seen < all) longest();
    found_.seconds = {};
    found_.timed = speed_;
    if (!speed_) return;
    found_.seconds = {times * seconds_[int(Phase::forward)], times * seconds_[int(Phase::backward)],
                      times * seconds_[int(Phase::optimizer)], 0, seconds_[int(Phase::evaluation)]};
    auto waits = [&](Purpose purpose) {
      return speed_->seconds_of_new(found_.memory.of[size_t(purpose)]);
    };
    found_.seconds.forward += waits(Purpose::activations);
    found_.seconds.backward += waits(Purpose::gradients) + waits(Purpose::workspace);
    found_.seconds.optimizer += waits(Purpose::optimizer);
  }

  void step(int64_t number) { longest_seen_ = std::max(longest_seen_, steps_.run(number).length); }

  // Of the steps that were left out, the one with the longest rows, for its memory.
  void longest() {
    int64_t number = -1, length = longest_seen_;
    for (int64_t i = 0; i < std::min<int64_t>(shape_.run.steps, 5000); ++i)
      if (int64_t l = steps_.batches(i)[0].length; l > length) {
        number = i;
        length = l;
      }
    if (number < 0) return;
    const Prediction before = found_;
    const std::array<double, phase_count> seconds = seconds_;
    step(number);
    const MemoryBytes memory = found_.memory;
    found_ = before;
    found_.memory = memory;
    seconds_ = seconds;
  }

  const RunShape& shape_;
  const StandsFor device_;
  const ComputeScope scope_;
  const Speed* speed_;
  std::array<double, phase_count> seconds_{};
  Prediction found_;
  std::unique_ptr<Model> model_;
  Prediction look_;
  Trainer trainer_;
  Steps steps_;
  int64_t most_, calls_ = 0, longest_seen_ = 0;
};

}  // namespace

std::shared_ptr<const Samples> full_rows(int64_t rows, int64_t length, int64_t vocabulary) {
  auto samples = std::make_shared<Samples>();
  for (int64_t i = 0; i < rows; ++i) {
    Sample row;
    for (int64_t j = 0; j <= length; ++j)
      row.tokens.push_back(int32_t((i * length + j) % vocabulary));
    row.trained.assign(size_t(length + 1), 1);
    row.trained[0] = 0;
    row.example = i;
    samples->rows.push_back(std::move(row));
  }
  samples->examples = rows;
  samples->tokens = rows * (length + 1);
  samples->targets = rows * length;
  return samples;
}

RunShape shape_of(const Workbench& bench) {
  std::shared_ptr<const Samples> train(std::shared_ptr<void>(), &bench.train);
  return {bench.opened->config,
          bench.model,
          bench.data,
          bench.run,
          train,
          borrowed(bench.choice),
          borrowed(bench.final),
          borrowed(bench.retain),
          false,
          bench.opened};
}

BuildOptions RunShape::build(uint64_t seed) const {
  BuildOptions options = model.build(seed, Device::shapes);
  options.base.files = files ? files->source.get() : nullptr;
  return options;
}

RunShape shape_without_data(const ModelOptions& model, const DataOptions& data,
                            const RunOptions& run) {
  RunShape shape{
      open_config(model.path).config, model, data, run, nullptr, nullptr, nullptr, nullptr, false};
  run.train(1e-4);  // wrong options are said first
  shape.data.length = std::min(data.samples().length, shape.config.context);
  shape.train = full_rows(run.batch * run.accumulate, shape.data.length, shape.config.vocabulary);
  shape.equal_steps = true;
  if (model.base == BaseForm::file)
    shape.files = std::make_shared<ModelFiles>(open_model(model.path));
  return shape;
}

Prediction predict(const RunShape& shape, const MethodSpec& spec, uint64_t seed,
                   const Speed* speed) {
  return Foresight(shape, spec, seed, speed, most_calls).go();
}

MemoryBytes predict_memory(const RunShape& shape, const MethodSpec& spec, uint64_t seed) {
  RunShape alone = shape;
  alone.choice = alone.final = alone.retain = nullptr;
  return Foresight(alone, spec, seed, nullptr, 0).go().memory;
}

namespace {

// Seconds for each unit of the work m n min(m, n) of a decomposition (m, n).
double seconds_of_decomposition() {
  static const double each = [] {
    const int64_t n = 128;
    std::vector<double> a(size_t(n * n));
    const Random random(0, "decomposition", "timed");
    for (size_t i = 0; i < a.size(); ++i) a[i] = double(random.normal(i));
    double least = HUGE_VAL;
    for (int i = 0; i < 3; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      svd(a, n, n, "timed", {0, 8});
      least = std::min(
          least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return least / double(n * n * n);
  }();
  return each;
}

}  // namespace

double seconds_to_begin(const RunShape& shape, const MethodSpec& spec, uint64_t seed) {
  if (!make_method(spec)->decomposes()) return 0.;
  double work = 0.;
  const auto model = build_shapes(shape, spec, seed);
  for (const Linear* layer : model->parameters->linears)
    if (layer->adapter)
      work +=
          double(layer->in()) * double(layer->out()) * double(std::min(layer->in(), layer->out()));
  return work * seconds_of_decomposition();
}

MemoryBytes memory_of_training(Model& model, const TrainOptions& options, const MemoryUse& before) {
  const std::vector<Parameter*> trained = model.parameters->trained();
  reset_memory_peak(Device::shapes);
  std::unique_ptr<Trainer> trainer;
  if (!trained.empty()) {
    trainer = std::make_unique<Trainer>(trained, options, model.method.get());
    BatchOptions batch;
    batch.batch = 1;
    batch.length = 8;  // the shortest that batches have
    const auto rows = full_rows(1, batch.length, model.config.vocabulary);
    train_on(BatchSource(*rows, batch).next_step(0), model, *trainer, 1, 0);
  }
  const MemoryUse& use = memory_use(Device::shapes);
  MemoryBytes memory;
  for (size_t p = 0; p < memory.of.size(); ++p) memory.of[p] = use.now[p] - before.now[p];
  // Gradients are held within a step alone.
  const size_t gradients = size_t(Purpose::gradients);
  memory.of[gradients] = use.peak[gradients] - before.now[gradients];
  memory.of[size_t(Purpose::activations)] = memory.of[size_t(Purpose::workspace)] = 0;
  return memory;
}

const Prediction& Predictions::of(const MethodSpec& spec, uint64_t seed) {
  std::string key = spec.name + " " + std::to_string(seed);
  for (auto& [option, value] : spec.options) key += " " + option + "=" + value;
  auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  return known_[key] = predict(shape_of(bench_), spec, seed, speed_);
}

}  // namespace afina
