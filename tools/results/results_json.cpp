// The JSON form of results: every struct lists its fields once, for writing and for reading.
#include <filesystem>
#include "engine/error.h"
#include "engine/files/json.h"
#include "tools/results/figures.h"
#include "tools/results/found_fields.h"
#include "tools/results/json_fields.h"
#include "tools/results/judgement.h"
#include "tools/results/results.h"

namespace afina {

static const char* const schema_name = "afina comparison";

template <class Io>
void fields(Io& io, StepPoint& point) {
  io("step", point.step);
  io("tokens", point.tokens);
  io("seconds", point.seconds);
  io("loss", point.loss);
  io("learning_rate", point.learning_rate);
  io("gradient_norm", point.gradient_norm);
}

template <class Io>
void fields(Io& io, EvaluationPoint& point) {
  io("step", point.step);
  io("tokens", point.tokens);
  io("seconds", point.seconds);
  io("heldout", point.heldout);
  io("retain", point.retain);
  io.added("change", point.change);
  io.added("effective_rank", point.effective_rank);
}

template <class Io>
void fields(Io& io, LayerChange& change) {
  io("layer", change.layer);
  io("base_norm", change.base_norm);
  io("norm", change.norm);
  io("stable_rank", change.stable_rank);
  io("effective_rank", change.effective_rank);
  io("spectrum", change.spectrum);
  io("intruders", change.intruders);
}

template <class Io>
void fields(Io& io, Scores& scores) {
  io("heldout", scores.heldout);
  io("heldout_rows", scores.heldout_rows);
  io("heldout_tokens", scores.heldout_tokens);
  io("retain", scores.retain);
  io("retain_tokens", scores.retain_tokens);
}

template <class Io>
void fields(Io& io, ExampleLosses& examples) {
  io("rows", examples.rows);
  io("tokens", examples.tokens);
  io("losses", examples.losses);
  io.added("before", examples.before);
}

template <class Io>
void fields(Io& io, Prediction& prediction) {
  io("memory", prediction.memory);
  io("flops", prediction.flops);
  io.optional("seconds", prediction.seconds, prediction.timed);
  io("storage_bytes", prediction.storage_bytes);
  io("trained_parameters", prediction.trained_parameters);
  io("total_parameters", prediction.total_parameters);
  io("steps", prediction.steps);
  io("steps_seen", prediction.steps_seen);
  io("tokens", prediction.tokens);
}

template <class Io>
void fields(Io& io, Generation& sample) {
  io("prompt", sample.prompt);
  io("reference", sample.reference);
  io("before", sample.before);
  io("after", sample.after);
}

template <class Io>
void fields(Io& io, RuleVerdicts& rule) {
  io("name", rule.name);
  io("asks", rule.asks);
  io("before", rule.before);
  io("after", rule.after);
}

template <class Io>
void fields(Io& io, Judgement& judgement) {
  io("rows", judgement.rows);
  io("places", judgement.places);
  io("rules", judgement.rules);
}

static OrderedJson share_json(const ShareEstimate& share) {
  if (!share.known()) return {};
  return {{"mean", share.share},
          {"interval_95", {share.low, share.high}},
          {"count", share.runs},
          {"rows", share.rows}};
}

// Of one run: the share of right answers, as other programs record it.
static OrderedJson accuracy_json(const RunResult& run) {
  std::vector<std::string> names;
  for (const RuleVerdicts& rule : run.judgement.rules) names.push_back(rule.name);
  const std::string rule = accuracy_rule(names);
  if (rule.empty()) return {};
  MethodResult one;
  one.runs = {run};
  return share_json(passed_after(one, rule));
}

// The keys that PEFT's method_comparison writes, so that scripts made for those files find them
// here.
static OrderedJson train_info(const RunResult& run) {
  OrderedJson metrics = OrderedJson::array();
  size_t at = 0;
  for (const EvaluationPoint& point : run.evaluations) {
    while (at + 1 < run.curve.size() && run.curve[at].step < point.step) at++;
    OrderedJson metric = {{"step", point.step},
                          {"total tokens", point.tokens},
                          {"train time", JsonWriter::write(point.seconds)},
                          {"valid loss", JsonWriter::write(point.heldout)}};
    if (!run.curve.empty() && point.step > 0)
      metric["train loss"] = JsonWriter::write(run.curve[at].loss);
    if (point.retain && run.before.retain)
      metric["forgetting"] = JsonWriter::write(*point.retain - *run.before.retain);
    metrics.push_back(std::move(metric));
  }
  return {{"accelerator_memory_max", run.memory.peak()},
          {"train_time", JsonWriter::write(run.seconds.training())},
          {"file_size", run.storage_bytes},
          {"num_trainable_params", run.trained_parameters},
          {"num_total_params", run.total_parameters},
          {"metrics", std::move(metrics)}};
}

template <class Io>
void fields(Io& io, RunResult& run) {
  io("name", run.name);
  io("folder", run.folder);
  io("seed", run.seed);
  io("learning_rate", run.learning_rate);
  cost_fields(io, run);
  io("digest", run.digest);
  io.added("diverged", run.diverged);
  io("predicted", run.predicted);
  io("before", run.before);
  io("after", run.after);
  io.columns("curve", run.curve);
  io.columns("evaluations", run.evaluations);
  io("examples", run.examples);
  io.added("retain_examples", run.retain_examples);
  io("generations", run.generations);
  if (Io::reading || !run.judgement.rules.empty()) {  // where answers were judged alone
    io.added("judgement", run.judgement);
    io.derived("accuracy", Io::reading ? OrderedJson() : accuracy_json(run));
  }
  // With --findings alone.
  if (Io::reading || run.row_findings) io.added("row_findings", run.row_findings);
  io.added("changes", run.changes);
  io.derived("train_info", Io::reading ? OrderedJson() : train_info(run));
}

template <class Io>
void fields(Io& io, SearchRow& row) {
  io("learning_rate", row.learning_rate);
  io("seed", row.seed);
  io("steps", row.steps);
  io("tokens", row.tokens);
  io("seconds", row.seconds);
  io("heldout", row.heldout);
  io("retain", row.retain);
  io("chosen", row.chosen);
  io.added("diverged", row.diverged);
  io.added("gain", row.gain);
  io.added("forgetting", row.forgetting);
}

static OrderedJson estimate_json(const Estimate& estimate) {
  if (!estimate.known()) return {};
  OrderedJson interval = estimate.has_interval() ? OrderedJson{JsonWriter::write(estimate.low()),
                                                               JsonWriter::write(estimate.high())}
                                                 : OrderedJson();
  return {{"mean", JsonWriter::write(estimate.mean)},
          {"interval_95", interval},
          {"count", estimate.count},
          {"rows", estimate.rows}};
}

static OrderedJson summary_json(const MethodResult& method) {
  MethodSummary summary = summarise(method);
  OrderedJson json = OrderedJson::object();
  for (const LossFigure& figure : loss_figures())
    json[figure.key] = estimate_json(summary.*figure.of);
  json["diverged"] = summary.diverged;
  Comparison one;
  one.methods = {method};
  const std::vector<std::string> rules = judged_rules(one);
  if (rules.empty()) return json;
  const std::string accuracy = accuracy_rule(rules);
  json["accuracy"] = accuracy.empty() ? OrderedJson() : share_json(passed_after(method, accuracy));
  OrderedJson judged = OrderedJson::object();
  for (const std::string& rule : rules)
    judged[rule] = {{"before", share_json(passed_before(method, rule))},
                    {"after", share_json(passed_after(method, rule))},
                    {"change", share_json(passed_change(method, rule))}};
  json["judged"] = judged;
  return json;
}

template <class Io>
void fields(Io& io, MethodResult& method) {
  io("label", method.label);
  io("spec", method.spec);
  io("kind", method.kind);
  io("options", method.options);
  io("learning_rate", method.learning_rate);
  io("stored_as", method.stored_as);
  io.derived("summary", Io::reading ? OrderedJson() : summary_json(method));
  io("search", method.search);
  io("runs", method.runs);
}

template <class Io>
void fields(Io& io, ModelDescription& model) {
  io("name", model.name);
  io("path", model.path);
  io("hash", model.hash);
  io("architecture", model.architecture);
  io("parameters", model.parameters);
  io("layers", model.layers);
  io("dim", model.dim);
  io("heads", model.heads);
  io("kv_heads", model.kv_heads);
  io("ffn_dim", model.ffn_dim);
  io("vocabulary", model.vocabulary);
}

template <class Io>
void fields(Io& io, DataDescription& data) {
  io("role", data.role);
  io("path", data.path);
  io("hash", data.hash);
  io("rows", data.rows);
  io("tokens", data.tokens);
  io("target_tokens", data.target_tokens);
  io("truncated", data.truncated);
}

template <class Io>
void fields(Io& io, Machine& machine) {
  io("cpu", machine.cpu);
  io("isa", machine.isa);
  io("threads", machine.threads);
  io("cores", machine.cores);
  io("memory_bytes", machine.memory_bytes);
  io("system", machine.system);
}

template <class Io>
void fields(Io& io, Source& source) {
  io("path", source.path);
  io("created", source.created);
  io("version", source.version);
  io("commit", source.commit);
  io("command", source.command);
  io("machine", source.machine);
  io("runs", source.runs);
}

template <class Io>
void fields(Io& io, ForeignResult& result) {
  io("name", result.name);
  io("program", result.program);
  io("path", result.path);
  io("created", result.created);
  io("model", result.model);
  io("method", result.method);
  io("dtype", result.dtype);
  io("machine", result.machine);
  io("seed", result.seed);
  io("steps", result.steps);
  io("batch", result.batch);
  io("samples", result.samples);
  io("tokens", result.tokens);
  io("learning_rate", result.learning_rate);
  io("trained_parameters", result.trained_parameters);
  io("total_parameters", result.total_parameters);
  io("storage_bytes", result.storage_bytes);
  io("memory_peak", result.memory_peak);
  io("memory_mean", result.memory_mean);
  io("training_seconds", result.training_seconds);
  io("tokens_per_second", result.tokens_per_second);
  io("train_loss", result.train_loss);
  io("accuracy", result.accuracy);
  io("forgetting", result.forgetting);
}

static OrderedJson paired_json(const Comparison& comparison) {
  OrderedJson all = OrderedJson::array();
  for (const PairedDifference& pair : paired_differences(comparison))
    all.push_back({{"method", pair.method},
                   {"reference", pair.reference},
                   {"overall", estimate_json(pair.overall)},
                   {"retain", estimate_json(pair.retain)},
                   {"over_examples", estimate_json(pair.over_examples)},
                   {"over_seeds", estimate_json(pair.over_seeds)},
                   {"better_share", JsonWriter::write(pair.better_share)}});
  return all;
}

template <class Io>
void fields(Io& io, Comparison& comparison) {
  io("title", comparison.title);
  io("version", comparison.version);
  io("commit", comparison.commit);
  io("created", comparison.created);
  io("command", comparison.command);
  io("options", comparison.options);
  io("model", comparison.model);
  io("data", comparison.data);
  io("machine", comparison.machine);
  io("notes", comparison.notes);
  io.derived("timing_notes",
             Io::reading ? OrderedJson() : JsonWriter::write(timing_notes(comparison)));
  io.derived("paired_differences", Io::reading ? OrderedJson() : paired_json(comparison));
  io("methods", comparison.methods);
  // Of merged comparisons alone.
  if (Io::reading || !comparison.sources.empty()) io.added("sources", comparison.sources);
  if (Io::reading || !comparison.foreign.empty()) io.added("foreign", comparison.foreign);
}

OrderedJson to_json(const RunResult& run) { return JsonWriter::write(run); }
OrderedJson to_json(const Machine& machine) { return JsonWriter::write(machine); }
OrderedJson to_json(const Prediction& prediction) { return JsonWriter::write(prediction); }

OrderedJson to_json(const Comparison& comparison) {
  OrderedJson json = {{"schema", schema_name}, {"schema_version", results_schema_version}};
  json.update(JsonWriter::write(comparison));
  return json;
}

RunResult run_from_json(const OrderedJson& json) {
  RunResult run;
  JsonReader::read(json, run, "run");
  return run;
}

Comparison comparison_from_json(const OrderedJson& json) {
  bool ours = json.is_object() && json.contains("schema") && json["schema"] == schema_name;
  require(ours, "results: expected a comparison of afina, an object with \"schema\": \"",
          schema_name, "\"");
  OrderedJson version = json.contains("schema_version") ? json["schema_version"] : OrderedJson();
  require(version == results_schema_version, "results: schema version ", version.dump(),
          ", this program reads ", results_schema_version,
          "; use the version of afina that wrote the file");
  OrderedJson rest = json;
  rest.erase("schema");
  rest.erase("schema_version");
  Comparison comparison;
  JsonReader::read(rest, comparison, "results");
  return comparison;
}

Comparison read_comparison(const std::string& path) {
  std::string file = std::filesystem::is_directory(path) ? path + "/results.json" : path;
  OrderedJson json = parse_json_file(file);
  try {
    return comparison_from_json(json);
  } catch (const Error& error) { fail(file, ": ", error.what()); }
}

}  // namespace afina
