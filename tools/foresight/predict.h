// What a run will cost, predicted before it begins: memory by purpose, FLOPs, storage and time. The
// run's own code is executed on the device without bytes (engine/shapes.h), so there is no second
// formula of the model.
#pragma once
#include "tools/runs/workbench.h"

namespace afina {

class Speed;

// All that decides what a run costs: what a Workbench holds, but no weights.
struct RunShape {
  ModelConfig config;
  ModelOptions model;
  DataOptions data;  // its length is within the model's context
  RunOptions run;
  std::shared_ptr<const Samples> train;
  std::shared_ptr<const Samples> choice, final, retain;  // nullptr: not looked at
  bool equal_steps = false;                              // every step has the same shapes and masks
  std::shared_ptr<ModelFiles> files = nullptr;           // asked with --base file alone
  // How a run builds its model, on the device without bytes.
  BuildOptions build(uint64_t seed) const;
};
// Synthetic rows: full length, one document each, every token a target, token ids distinct while
// the vocabulary lasts.
std::shared_ptr<const Samples> full_rows(int64_t rows, int64_t length, int64_t vocabulary);
// The runs of a bench, which must outlive the shape.
RunShape shape_of(const Workbench& bench);
// Of a model that may be a config.json alone, without data: every row is full, one document, and
// every token a target.
RunShape shape_without_data(const ModelOptions& model, const DataOptions& data,
                            const RunOptions& run);

// spec: without lr. speed: of this machine, for the time; may be nullptr. Errors are those that the
// run would give: an unknown option, a pattern that matches nothing, a row longer than the context.
Prediction predict(const RunShape& shape, const MethodSpec& spec, uint64_t seed,
                   const Speed* speed = nullptr);
// Memory only, from a few steps; resident_peak is what the whole process needs.
MemoryBytes predict_memory(const RunShape& shape, const MethodSpec& spec, uint64_t seed);
// Seconds, on this machine, of the decompositions with which the method begins
// (Method::decomposes), by one small one that is timed now; 0 where there are none. No part of a
// Prediction.
double seconds_to_begin(const RunShape& shape, const MethodSpec& spec, uint64_t seed);
// Bytes that a model built on the device without bytes needs in training whatever the batch:
// weights, masters, all gradients and the optimizer's state by purpose, activations and workspace
// left out. One step of one short row is executed on it. before: the meter's bytes before the
// model was built.
MemoryBytes memory_of_training(Model& model, const TrainOptions& options, const MemoryUse& before);

// Predictions of the runs of one bench, each made once.
class Predictions {
 public:
  // Both must outlive it. speed: of this machine, for the times; may be nullptr.
  Predictions(const Workbench& bench, const Speed* speed) : bench_(bench), speed_(speed) {}
  // spec: without lr.
  const Prediction& of(const MethodSpec& spec, uint64_t seed);
  const Workbench& bench() const { return bench_; }

 private:
  const Workbench& bench_;
  const Speed* speed_;
  std::map<std::string, Prediction> known_;  // by method and seed
};

}  // namespace afina
