// A run gone through on the device without bytes.
#include "tools/foresight/predict.h"

#include <algorithm>

#include "engine/scratch.h"
#include "engine/shapes.h"
#include "model/files/save.h"
#include "tools/foresight/speed.h"

namespace afina {

namespace {

// Kernel calls that are gone through at most, but for two steps: a second or so.
constexpr int64_t most_calls = 400000;
// Kernels' own room (engine/scratch.h), which the meter does not count: what a few threads were
// seen to take.
constexpr int64_t kernel_room = 16 << 20;

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

class Foresight {
 public:
  // most: kernel calls that are gone through, but for two steps.
  Foresight(const RunShape& shape, const MethodSpec& spec, uint64_t seed, const Speed* speed,
            int64_t most)
      : shape_(shape),
        device_(shape.model.foreseen_device()),
        seed_(seed),
        speed_(speed),
        most_(most) {
    trim_shapes();
    RandomWeights weights(seed);
    model_ = build_model(
        shape.config, weights, make_method(spec),
        {shape.model.parsed_dtype(), Device::shapes, seed, shape.model.parsed_checkpoint()});
    trainer_ = std::make_unique<Trainer>(model_->parameters->trained(), shape.run.train(1e-4),
                                         model_->method.get());
    source_ =
        std::make_unique<BatchSource>(*shape.train, batch_options(shape.run, shape.data, seed));
  }

  Prediction go() {
    Dtype dtype = shape_.model.parsed_dtype();
    CallObserver observer([&](const KernelCall& call) {
      ++calls_;
      if (speed_) seconds_[size_t(PhaseScope::current())] += speed_->seconds(call, dtype);
    });
    describe();
    evaluations();
    steps();
    found_.memory.resident_peak = shapes_pool_bytes() + bytes_beside_tensors();
    return found_;
  }

 private:
  void describe() {
    for (const Parameter& p : model_->parameters->all) {
      found_.total_parameters += p.shape.size();
      if (p.trained) found_.trained_parameters += p.shape.size();
    }
    const std::string& stored = shape_.run.store.empty() ? shape_.model.dtype : shape_.run.store;
    found_.storage_bytes = bytes_to_store(*model_, stored != "f32" ? Dtype::bf16 : Dtype::f32);
    found_.steps = shape_.run.steps;
  }

  // All looks at held-out rows and retention text of a run, from one of each; answers to prompts
  // are not foreseen.
  void evaluations() {
    double looks = 1;
    for (int64_t step = 1; step <= shape_.run.steps; ++step)
      looks += looks_after(shape_.run, step) ? 1 : 0;
    auto one = [&](const std::shared_ptr<const Samples>& samples) {
      double before = seconds_[int(Phase::evaluation)];
      if (samples) evaluate(*model_, *samples, shape_.run.batch, shape_.data.length);
      return seconds_[int(Phase::evaluation)] - before;
    };
    double choice = one(shape_.choice), last = one(shape_.final), retain = one(shape_.retain);
    seconds_ = {};
    seconds_[int(Phase::evaluation)] = looks * (choice + retain) + last + retain;
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
    found_.tokens = int64_t(double(found_.tokens) * times);
    found_.steps_seen = shape_.equal_steps ? all : some;
    if (speed_)
      found_.seconds = PhaseSeconds{
          times * seconds_[int(Phase::forward)], times * seconds_[int(Phase::backward)],
          times * seconds_[int(Phase::optimizer)], 0, seconds_[int(Phase::evaluation)]};
    if (found_.steps_seen < all) longest();
  }

  void step(int64_t number) {
    reset_memory_peak(Device::shapes);
    FlopCount before = flops();
    std::vector<Batch> batches = source_->next_step(number);
    for (const Batch& b : batches) found_.tokens += b.token_count;
    train_on(batches, *model_, *trainer_, seed_, number);
    longest_seen_ = std::max(longest_seen_, batches[0].length);
    found_.flops.forward +=
        double(flops().of[int(Phase::forward)] - before.of[int(Phase::forward)]);
    found_.flops.backward +=
        double(flops().of[int(Phase::backward)] - before.of[int(Phase::backward)]);
    keep_peak();
  }

  // Of the steps that were passed over, the one with the longest rows, for its memory.
  void longest() {
    int64_t found = -1, length = longest_seen_;
    for (int64_t i = 0; i < std::min<int64_t>(shape_.run.steps, 5000); ++i)
      if (int64_t l = source_->next_step(i)[0].length; l > length) {
        found = i;
        length = l;
      }
    if (found < 0) return;
    Flops flops = found_.flops;
    int64_t tokens = found_.tokens;
    step(found);
    found_.flops = flops;
    found_.tokens = tokens;
  }

  void keep_peak() {
    const MemoryUse& use = memory_use(Device::shapes);
    if (use.total_peak > found_.memory.peak()) found_.memory = memory_at_peak(use);
  }

  const RunShape& shape_;
  const StandsFor device_;
  uint64_t seed_;
  const Speed* speed_;
  std::array<double, phase_count> seconds_{};
  std::unique_ptr<Model> model_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<BatchSource> source_;
  Prediction found_;
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
          false};
}

RunShape shape_without_data(const ModelOptions& model, const DataOptions& data,
                            const RunOptions& run) {
  RunShape shape{
      open_config(model.path).config, model, data, run, nullptr, nullptr, nullptr, nullptr, false};
  run.train(1e-4);  // wrong options are said first
  shape.data.length = std::min(data.samples().length, shape.config.context);
  shape.train = full_rows(run.batch * run.accumulate, shape.data.length, shape.config.vocabulary);
  shape.equal_steps = true;
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

const Prediction& prediction_of(Workbench& bench, const MethodSpec& spec, uint64_t seed) {
  std::string key = spec.name + " " + std::to_string(seed);
  for (auto& [option, value] : spec.options) key += " " + option + "=" + value;
  auto known = bench.predictions.find(key);
  if (known != bench.predictions.end()) return known->second;
  return bench.predictions[key] = predict(shape_of(bench), spec, seed, bench.speed);
}

int64_t bytes_beside_tensors() {
  int64_t kernels = std::max<int64_t>(0, kernel_room - int64_t(scratch_bytes()));
  return std::max<int64_t>(8 << 20, resident_bytes() - pool_bytes()) + kernels;
}

}  // namespace afina
