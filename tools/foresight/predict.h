// What a run will hold, compute, store and take, foreseen before it begins: the run itself, on the
// device without bytes (engine/shapes.h). There is no second formula of the model: what the code
// does is what is counted.
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
};
// As many full rows as a step has: one document each, everything to be learnt, tokens all different
// as long as there are enough.
std::shared_ptr<const Samples> full_rows(int64_t rows, int64_t length, int64_t vocabulary);
// Of a bench that outlives it.
RunShape shape_of(const Workbench& bench);
// Of a model that may be a config.json alone, without data: every row is full, one document, and
// every token a target.
RunShape shape_without_data(const ModelOptions& model, const DataOptions& data,
                            const RunOptions& run);

// spec: without lr. speed: of this machine, for the time; may be nullptr. Errors are those that the
// run would give: an unknown option, a pattern that matches nothing, a row longer than the context.
Prediction predict(const RunShape& shape, const MethodSpec& spec, uint64_t seed,
                   const Speed* speed = nullptr);
// Memory alone, from a few steps: memory.resident_peak is what must be there.
MemoryBytes predict_memory(const RunShape& shape, const MethodSpec& spec, uint64_t seed);
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

// What this process holds beside tensors: program, tokenizer, data, and room for kernels to work
// in.
int64_t bytes_beside_tensors();

}  // namespace afina
