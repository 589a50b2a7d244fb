// What all runs of a comparison share: the model's files, its tokenizer, and the rows to train on,
// to choose by, to judge by and to retain.
#pragma once
#include "model/files/weights.h"
#include "model/step_inputs.h"
#include "tools/options/options.h"
#include "tools/results/results.h"
#include "tools/runs/evaluate.h"

namespace afina {

class Speed;

struct Workbench {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  std::shared_ptr<ModelFiles> opened;
  Tokenizer tokenizer;
  ChatTemplate chat;
  Samples train, choice, final, retain;  // choice: held-out rows that rates are chosen by; final:
                                         // those that no choice has seen
  std::vector<Example> prompts;          // examples of `final` that are answered before and after
  ModelDescription described;
  std::vector<DataDescription> files;
  std::vector<std::string> notes;
  // Of the untouched model; made once by measure_base.
  Scores before;
  double choice_before = 0;
  std::vector<Generation> generations;            // `after` still empty
  std::map<std::string, Prediction> predictions;  // by method and seed (tools/foresight/predict.h)
  const Speed* speed = nullptr;                   // of this machine, for the times foreseen
};

// Reads everything but the weights. Errors are the data's; a training row among the held-out ones
// is one.
Workbench open_workbench(const ModelOptions& model, const DataOptions& data, const RunOptions& run);
// How rows become the batches of a run's steps.
BatchOptions batch_options(const RunOptions& run, const DataOptions& data, uint64_t seed);
// One step of a run: what is measured, and what is foreseen of it. With `inputs` its batches lie
// where those of earlier steps lay, so that it may be captured.
std::vector<InputRows> rows_of(const std::vector<Batch>& batches);
StepReport train_on(const std::vector<Batch>& batches, Model& model, Trainer& trainer,
                    uint64_t seed, int64_t step, StepInputs* inputs = nullptr);
// What was held when it was most, by purpose.
MemoryBytes memory_at_peak(const MemoryUse& use);
// Does a run look at the held-out rows after this step, counted from 1?
bool looks_after(const RunOptions& run, int64_t step);
// Builds the model as `method` wants it.
std::unique_ptr<Model> build(const Workbench& bench, std::unique_ptr<Method> method, uint64_t seed);
// Loss and answers of the untouched model.
void measure_base(Workbench& bench);
// Greedy answers to the bench's prompts.
std::vector<std::string> answers(Model& model, const Workbench& bench);
// Held-out loss on the final rows and loss on the retention text; losses per row into `examples`
// when given.
Scores score(Model& model, const Workbench& bench, ExampleLosses* examples = nullptr);

}  // namespace afina
