// What all runs of a comparison share: the model's files, its tokenizer, and the rows to train on,
// to choose by, to judge by and to retain.
#pragma once
#include "data/batches.h"
#include "model/files/weights.h"
#include "tools/options/groups.h"
#include "tools/results/results.h"
#include "tools/runs/evaluate.h"

namespace afina {

struct Judging;     // tools/runs/judging.h
struct FoundBench;  // tools/runs/found_rows.h

// A target token of the training rows that pretraining never saw, and how often it is one.
struct UnseenTarget {
  int32_t id = 0;
  int64_t count = 0;
};

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
  // Of the untouched model; made once by measure_base (tools/runs/scores.h).
  Scores before;
  ExampleLosses before_rows, before_retain;  // row by row
  Evaluation choice_before;
  std::vector<UnseenTarget> unseen;            // tools/runs/unseen_targets.h
  std::vector<Generation> generations;         // `after` still empty
  std::vector<std::string> train_places = {};  // of records, as Sample::example counts in `train`
  std::shared_ptr<Judging> judging = {};       // nullptr: no rules to judge answers by
  std::shared_ptr<FoundBench> found = {};      // nullptr: no findings to show beside losses
  int64_t held_out_records = 0;                // of which some may not be measured on
};

// How much is measured where options do not say: all that may be, or no more than a share of the
// run (tools/runs/measuring.h).
enum class Measured : uint8_t { all, share };
// Reads everything but the weights. Errors are the data's; a training row among the held-out ones
// is one. The options of the bench say what is measured.
Workbench open_workbench(const ModelOptions& model, const DataOptions& data, const RunOptions& run,
                         Measured measured = Measured::all);
// SHA-256 of a model: its config, its weights (random ones by their seed) and the adapter that
// training went on from, "" for none.
std::string hash_of_model(const ModelFiles& files, uint64_t seed, const std::string& adapter);
// Builds the model as `method` wants it, with the values of --adapter where one is named.
std::unique_ptr<Model> build(const Workbench& bench, std::unique_ptr<Method> method, uint64_t seed);
// The model that training starts from: untouched, or with the adapter of --adapter.
std::unique_ptr<Model> build_start(const Workbench& bench);
// The method of --adapter with what --method says of it, which may be empty: a learning rate, and
// options that the adapter does not hold. An Error where the two differ.
MethodSpec method_of_adapter(const std::string& folder, const std::string& method);
}  // namespace afina
