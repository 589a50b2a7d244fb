// What a comparison found, as plain data, and its JSON form (results.json, described in
// docs/results-schema.md).
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>
#include "engine/device.h"
#include "engine/files/json_value.h"
#include "model/change.h"
#include "tools/results/machine.h"
#include "tools/results/row_findings.h"
#include "tools/results/statistics.h"

namespace afina {

inline constexpr int results_schema_version = 3;

// A number that may be NaN or infinite (a run that diverged) is null in JSON and NaN when read
// back.

struct StepPoint {     // one optimizer step
  int64_t step = 0;    // 1 is the first update
  int64_t tokens = 0;  // read so far, this step included
  double seconds = 0;  // of training so far, evaluation not counted
  double loss = 0;     // mean over the step's target tokens, before the update
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
};

struct EvaluationPoint {  // one look at the held-out rows (and the retention text); step 0 is the
                          // untouched model
  int64_t step = 0;
  int64_t tokens = 0;
  double seconds = 0;  // of training so far, evaluation not counted
  double heldout = 0;  // mean loss per target token
  std::optional<double> retain;
  // Where the run was watched (--watch on): what changed in the weights so far (model/change.h),
  // the norm of the change over that of the weights, and the mean effective rank.
  std::optional<double> change = {}, effective_rank = {};
};

struct Scores {        // the figures at one moment, before or after training
  double heldout = 0;  // mean loss per target token over the final rows, which no choice ever saw
  int64_t heldout_rows = 0;
  int64_t heldout_tokens = 0;  // target tokens
  std::optional<double> retain;
  int64_t retain_tokens = 0;
};

struct ExampleLosses {  // per held-out (or retention) row, same order in every method and seed;
                        // empty when not recorded
  std::vector<int64_t> rows;        // index in the held-out file or set
  std::vector<int64_t> tokens;      // target tokens of the row
  std::vector<double> losses;       // mean over the row's target tokens
  std::vector<double> before = {};  // the same of the untouched model; empty when not recorded
};

struct MemoryBytes {  // by purpose, at the moment of training when the sum was greatest
  std::array<int64_t, purpose_count> of{};
  int64_t resident_peak = 0;  // of the whole process, as the system reports it; 0: not measured
  int64_t peak() const { return std::accumulate(of.begin(), of.end(), int64_t(0)); }
};

struct PhaseSeconds {
  double forward = 0;
  double backward = 0;
  double optimizer = 0;  // clipping included
  double other = 0;      // batches, logging: the rest of training
  double evaluation = 0;
  double generation = 0;
  double saving = 0;
  double training() const { return forward + backward + optimizer + other; }
  double total() const { return training() + evaluation + generation + saving; }
};

struct Flops {  // as executed over the whole run, a multiply-add counted as two
  double forward = 0;
  double backward = 0;
  double total() const { return forward + backward; }
};

// How much of the machine training got: wall time alone would compare a busy hour with an idle one.
struct MachineUse {
  double processor_seconds = 0;  // user and system time of the whole process
  double thread_seconds = 0;  // wall seconds times the threads to compute with: the most it could
                              // have got
  double load = 0;            // the system's load average over a minute, mean over training
  double share() const { return thread_seconds > 0 ? processor_seconds / thread_seconds : 0; }
};

// Of the steps' wall times: a busy minute moves the sum and hardly the median.
struct StepSeconds {
  double lower_quartile = 0, median = 0, upper_quartile = 0;
};

// What a run costs, or a run so far, or a run as predicted.
struct Costs {
  int64_t trained_parameters = 0;
  int64_t total_parameters = 0;  // of the model with what the method added
  int64_t steps = 0;
  int64_t samples = 0;        // rows trained on, repeats counted
  int64_t tokens = 0;         // read in training
  int64_t target_tokens = 0;  // that carried loss
  PhaseSeconds seconds;
  MachineUse machine_use;
  StepSeconds step_seconds;
  MemoryBytes memory;
  Flops flops;
  int64_t storage_bytes =
      0;  // of what must be stored to deploy it (the adapter, or the whole model)
  double tokens_per_second() const {
    return seconds.training() > 0 ? double(tokens) / seconds.training() : 0;
  }
};

struct Generation {  // one prompt, greedily answered by the untouched and by the trained model
  std::string prompt;
  std::string reference;  // the answer in the data; may be empty
  std::string before;
  std::string after;
};

// Verdicts of one rule (tools/runs/rules.h) on the answers before and after training, one a judged
// row: 1 passed, 0 failed, NaN: it asks nothing of the row, or could not be applied.
struct RuleVerdicts {
  std::string name, asks;  // asks: in words
  std::vector<double> before, after;
};
// Answers to held-out rows, judged; empty without rules (--rule, --rules).
struct Judgement {
  std::vector<int64_t> rows;        // as in ExampleLosses, whose losses are of the same rows
  std::vector<std::string> places;  // of the records, as in "held_out.jsonl, line 7"
  std::vector<RuleVerdicts> rules;
};

// What was predicted of a run before it began (tools/foresight/predict.h). resident_peak is
// approximate; of the seconds forward, backward, optimizer and evaluation are predicted.
struct Prediction : Costs {
  bool timed = false;      // are the seconds known? Not where the machine was not measured
  int64_t steps_seen = 0;  // steps executed for it: all (then FLOPs are exact), or as many, evenly
                           // spaced, as are quick
};

struct RunResult : Costs {  // one training run: a method, a learning rate, a seed
  std::string name;         // unique in the comparison, for example "lora-r16/seed-1"
  std::string folder;       // relative to results.json
  uint64_t seed = 0;
  double learning_rate = 0;
  std::string digest;  // SHA-256 of all trained values; empty when the run diverged in a step
  std::optional<int64_t> diverged;  // the step whose loss or gradient was not finite, or the last
                                    // one where only the loss after it is not
  std::optional<Prediction> predicted;
  Scores before;
  Scores after;
  std::vector<StepPoint> curve;
  std::vector<EvaluationPoint> evaluations;
  ExampleLosses examples;         // after training
  ExampleLosses retain_examples;  // of the retention text
  std::vector<Generation> generations;
  Judgement judgement;                      // of answers to the held-out rows
  std::optional<RowFindings> row_findings;  // of training rows, with --findings
  std::vector<LayerChange> changes;  // of the weights, at the end; empty: not measured, or none
};

struct SearchRow {  // one learning rate tried
  double learning_rate = 0;
  uint64_t seed = 0;
  int64_t steps = 0;
  int64_t tokens = 0;
  double seconds = 0;
  double heldout = 0;  // on the rows for choosing; not finite when the run diverged
  std::optional<double> retain;
  bool chosen = false;
  std::optional<int64_t> diverged;  // at this step
  // On the final rows, which the choice does not see: held-out loss before - after, and retention
  // loss after - before. Missing where it diverged, or was not measured.
  std::optional<double> gain = {}, forgetting = {};
};

struct MethodResult {
  std::string label;                           // unique, as people read it: "full", "lora r=16"
  std::string spec;                            // as given to --method: "lora:rank=16,alpha=32"
  std::string kind;                            // the method's registered name: "full", "lora"
  std::map<std::string, std::string> options;  // all of the method's options, defaults included
  double learning_rate = 0;                    // chosen by the search, or given
  std::vector<SearchRow> search;               // empty when the rate was given
  std::vector<RunResult> runs;                 // one a seed
  std::string stored_as;  // what storage_bytes counts, in words: "adapter, bf16"
};

struct ModelDescription {
  std::string name;
  std::string path;
  std::string hash;  // SHA-256 of the weights
  std::string architecture;
  int64_t parameters = 0;
  int64_t layers = 0, dim = 0, heads = 0, kv_heads = 0, ffn_dim = 0, vocabulary = 0;
};

struct DataDescription {
  std::string role;  // "train", "choice" (held-out rows for choosing), "final" (held-out rows for
                     // the figures) or "retain"
  std::string path;
  std::string hash;  // SHA-256 of the file
  int64_t rows = 0;
  int64_t tokens = 0;
  int64_t target_tokens = 0;
  int64_t truncated = 0;  // rows cut to the length
};

// A comparison that a merged one was made of (tools/results/merge.h).
struct Source {
  std::string path;  // of its folder, as it was named
  std::string created, version, commit, command;
  Machine machine;
  std::vector<std::string> runs;  // the names of the runs that are taken from it
};

// A run of another program on other data, taken in beside a comparison: shown, never compared.
// What the program does not record stays empty.
struct ForeignResult {
  std::string name;     // the experiment, as that program names it
  std::string program;  // "PEFT 0.21.2, method_comparison"
  std::string path;     // of the file
  std::string created;
  std::string model, method, dtype, machine;
  std::optional<int64_t> seed, steps, batch, samples, tokens;
  std::optional<double> learning_rate;
  std::optional<int64_t> trained_parameters, total_parameters, storage_bytes;
  std::optional<int64_t> memory_peak, memory_mean;  // bytes that the accelerator had reserved
  std::optional<double> training_seconds;           // of the steps alone
  std::optional<double> tokens_per_second;
  std::optional<double> train_loss;  // mean over the last steps, nats per token
  std::optional<double> accuracy;    // share of right answers on its test set
  std::optional<double> forgetting;  // loss on general text after - before
};

struct Comparison {
  std::string title;
  std::string version;
  std::string commit;
  std::string created;                         // UTC, ISO 8601
  std::string command;                         // the command line, to run it again
  std::map<std::string, std::string> options;  // every option of the comparison, defaults included
  ModelDescription model;
  std::vector<DataDescription> data;
  Machine machine;
  std::vector<MethodResult>
      methods;  // the first one of kind "full" (else the first) is the reference of all ratios
  std::vector<std::string>
      notes;  // warnings a reader must see: rows truncated, a rate at the edge of its search, ...
  std::vector<Source> sources;         // of a merged one; else empty
  std::vector<ForeignResult> foreign;  // other programs' results; mostly empty
};

// What follows from a method's runs. The intervals of losses are over rows and seeds
// (over_rows_and_runs) where the losses of each row were recorded, else over seeds. Seconds and
// FLOPs are means over seeds, memory is that of the run with the largest peak, storage and
// parameters are the largest (they hardly vary).
struct MethodSummary : Costs {
  Estimate heldout, retain;  // after training
  Estimate gain;             // held-out loss before - after: what was learned
  Estimate forgetting;       // retention loss after - before
  Estimate throughput;       // tokens per second of training
  Estimate training_seconds, processor_seconds, final_train_loss;
  bool diverged = false;  // some seed ended with a loss that is not finite
};
MethodSummary summarise(const MethodResult& method);

// Held-out loss of `method` minus that of `reference` on the same rows: negative is better than the
// reference.
struct PairedDifference {
  std::string method, reference;
  Estimate overall;  // the difference of the held-out losses, per target token, over the seeds that
                     // both have, with its interval over rows and seeds
  Estimate retain;   // the same of the retention loss: how much more it forgot
  Estimate over_examples;  // per row the mean over seeds, then Student t over rows: would other
                           // questions give the same order?
  Estimate over_seeds;  // per seed the difference of the final losses, then Student t over seeds:
                        // would another run?
  double better_share = 0;  // share of rows where the method's loss is lower
};
// All methods against the reference. Where the rows were not recorded or differ, over_examples is
// unknown (count 0) and overall is over seeds alone.
std::vector<PairedDifference> paired_differences(const Comparison& comparison);

size_t reference_method(const Comparison& comparison);

// What a reader must know before comparing wall times: one sentence when the runs got shares of
// the machine that differ by more than a tenth, or when all of them shared it with other programs;
// nothing when the machine was theirs.
std::vector<std::string> timing_notes(const Comparison& comparison);
// Quartiles of the times between the steps of these curves, pooled; zeros where there is no step.
StepSeconds step_seconds(const std::vector<const std::vector<StepPoint>*>& curves);

OrderedJson to_json(const Comparison& comparison);
OrderedJson to_json(const RunResult& run);
OrderedJson to_json(const Machine& machine);
OrderedJson to_json(const Prediction& prediction);
// Unknown, missing and mistyped keys, and another schema version, are Errors that name the place.
Comparison comparison_from_json(const OrderedJson& json);
RunResult run_from_json(const OrderedJson& json);

// Writes results.json, then summary.md and report.html into the folder, which must exist
// (tools/report/report.h has the pieces). Returns what could not be made of the last two, and why:
// the figures are on disk by then. An Error when results.json cannot be written.
std::vector<std::string> write_comparison(const Comparison& comparison, const std::string& folder);
// Writes summary.md and report.html alone, and returns the same.
std::vector<std::string> write_views(const Comparison& comparison, const std::string& folder);
// Reads folder/results.json or the file itself.
Comparison read_comparison(const std::string& path);

}  // namespace afina
