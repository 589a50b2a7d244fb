// Files of a run.
#include "tools/runs/recorder.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "engine/files/atomic_file.h"
#include "engine/files/folder.h"
#include "engine/train/checkpoint.h"
#include "model/files/carry.h"
#include "model/files/end_tokens.h"
#include "model/files/save.h"
#include "tools/runs/guards.h"
#include "tools/runs/identity.h"
#include "tools/runs/replay.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

Json log_line(const StepPoint& p, double rate) {
  return {{"step", p.step},           {"loss", p.loss},
          {"lr", p.learning_rate},    {"grad_norm", p.gradient_norm},
          {"tokens", p.tokens},       {"seconds", p.seconds},
          {"tokens_per_second", rate}};
}

// Tags of TensorBoard; those before a slash are charts under one heading.
using Scalars = std::vector<std::pair<std::string, double>>;
Scalars scalars_of(const StepPoint& p, double rate) {
  return {{"loss/train", p.loss},
          {"learning_rate", p.learning_rate},
          {"grad_norm", p.gradient_norm},
          {"tokens_per_second", rate}};
}
Scalars scalars_of(const EvaluationPoint& p) {
  Scalars all{{"loss/held_out", p.heldout}};
  if (p.retain) all.push_back({"loss/retention", *p.retain});
  if (p.change) all.push_back({"weights/change", *p.change});
  if (p.effective_rank) all.push_back({"weights/effective_rank", *p.effective_rank});
  return all;
}

}  // namespace

std::string checkpoint_folder(const RunPlan& plan) { return plan.folder + "/checkpoints"; }
std::string trained_file(const RunPlan& plan) { return plan.folder + "/trained.json"; }

Dtype stored_dtype(const ModelOptions& model, const RunOptions& run) {
  return run.store.value_or(matrix_dtype(model.dtype));
}

Recorder::Recorder(const RunPlan& plan, const Workbench& bench, Model& model)
    : plan_(plan), bench_(bench), model_(model) {}

void Recorder::require_space(Trainer& trainer) const {
  int64_t state = 0, bytes = 0;
  for (auto& [name, tensor] : trainer.state()) state += tensor.size() * int64_t(sizeof(float));
  if (bench_.run.save_every > 0)
    bytes += std::max<int64_t>(0, 3 * state - bytes_in(checkpoint_folder(plan_)));
  if (model_.method->stored() != Stored::model || plan_.keep_model)
    bytes += bytes_to_store(model_, stored_dtype(bench_.model, bench_.run));
  require_room(plan_.folder, bytes);
}

void Recorder::open_log(const RunResult& run) {
  const std::string path = plan_.folder + "/log.jsonl";
  make_folder(plan_.folder, "choose another --out");
  if (bench_.run.tensorboard)
    events_.emplace(plan_.folder, run.curve.empty() ? 0 : run.curve.back().step);
  std::string lines;
  double seconds = 0, tokens = 0;
  const double now = wall_time_now(), all = run.curve.empty() ? 0 : run.curve.back().seconds;
  for (const StepPoint& p : run.curve) {
    double rate = p.seconds > seconds ? (double(p.tokens) - tokens) / (p.seconds - seconds) : 0.;
    lines += to_text(log_line(p, rate), -1) + "\n";
    if (events_) events_->add(p.step, now - (all - p.seconds), scalars_of(p, rate));
    seconds = p.seconds;
    tokens = double(p.tokens);
  }
  for (const EvaluationPoint& p : run.evaluations)
    if (events_) events_->add(p.step, now - (all - p.seconds), scalars_of(p));
  write_text_file(path, lines);
  log_.open(path, std::ios::app);
  require(bool(log_), path, ": cannot be written: ", std::strerror(errno));
}

void Recorder::log(const StepDone& step) {
  log_ << to_text(log_line(step.point, step.tokens_per_second), -1) << "\n" << std::flush;
  require(bool(log_), plan_.folder, "/log.jsonl: cannot be written: ", std::strerror(errno),
          checkpoint_steps(checkpoint_folder(plan_)).empty()
              ? "; no step was saved (--save-every), so that the run begins anew"
              : "; the run can go on with --resume");
  if (events_)
    events_->add(step.point.step, wall_time_now(), scalars_of(step.point, step.tokens_per_second));
}

void Recorder::log(const EvaluationPoint& point) {
  if (events_) events_->add(point.step, wall_time_now(), scalars_of(point));
}

void Recorder::checkpoint(Trainer& trainer, const Json& extra) const {
  save_checkpoint(checkpoint_folder(plan_), trainer, extra);
}

void Recorder::store(RunOutcome& outcome) const {
  const Stored form = model_.method->stored();
  const bool adapter = form != Stored::model;
  const std::string folder = plan_.folder + (adapter ? "/adapter" : "/model");
  const Dtype dtype = stored_dtype(bench_.model, bench_.run);
  outcome.stored_as = form == Stored::adapter   ? "adapter, f32"
                      : form == Stored::changed ? "the changed weights, f32"
                                                : std::string("the whole model, ") + name(dtype);
  // The template that was learned in, where it is not the model's own: what reads the result finds
  // it beside the weights.
  const std::string chosen = bench_.chat.chosen() ? bench_.chat.source() : "";
  if (adapter) {
    save_adapter(folder, model_, bench_.model.path);
    if (!chosen.empty()) write_text_file(folder + "/chat_template.jinja", chosen);
  } else if (plan_.keep_model) {
    save_model(folder, model_, dtype);
    carry_small_files(bench_.opened->path, folder);
    bench_.tokenizer.save(folder, chosen);
    settle_end_tokens(folder, bench_.tokenizer.eos());
    if (bench_.train.conversations > 0 && bench_.chat.end_of_turn() >= 0)
      add_end_token(folder, bench_.chat.end_of_turn());
  }
  int64_t bytes = 0;
  if (fs::is_directory(folder))
    for (auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == ".safetensors") bytes += int64_t(fs::file_size(entry.path()));
  if (!adapter && !plan_.keep_model) bytes = bytes_to_store(model_, dtype);
  outcome.result.storage_bytes = bytes;
}

void Recorder::store_state(const Json& state, const RunOutcome& outcome) const {
  const bool whole = model_.method->stored() == Stored::model;
  const bool exact = whole
                         ? plan_.keep_model && stored_dtype(bench_.model, bench_.run) == Dtype::f32
                         : !model_.method->takes_part() &&
                               load_adapter(plan_.folder + "/adapter").trained_digest(model_) ==
                                   outcome.result.digest;
  if (!exact) return;
  write_text_file(trained_file(plan_),
                  to_text(Json{{"state", state}, {"stored_as", outcome.stored_as}}) + "\n");
}

bool keeps_last_checkpoint(const RunOptions& run) {
  return run.save_every > 0 && run.schedule == Decay::constant;
}

Json figures_of(const RunResult& run) {
  return Json::parse(to_json(run).dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
}

double number_or_nan(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

void Recorder::begin() const {
  write_text_file(plan_.folder + "/begun.json",
                  to_text(Json{{"identity", identity_of(plan_, bench_)},
                               {"replay", replay_of(plan_, bench_)}}) +
                      "\n");
}

void Recorder::write_figures(const RunOutcome& outcome) const {
  write_text_file(plan_.folder + "/manifest.json",
                  to_text(manifest_of(plan_, bench_, outcome)) + "\n");
  Json whole{{"identity", identity_of(plan_, bench_)},
             {"choice", outcome.choice},
             {"method_options", outcome.method_options},
             {"stored_as", outcome.stored_as},
             {"why_diverged", outcome.why_diverged},
             {"unchanged", outcome.unchanged},
             {"notes", outcome.notes},
             {"run", figures_of(outcome.result)}};
  write_text_file(plan_.folder + "/run.json", to_text(whole) + "\n");
}

void Recorder::finish(const RunOutcome& outcome, bool keep_earlier) const {
  if (!keep_earlier) write_figures(outcome);
  if (!outcome.result.diverged && !keeps_last_checkpoint(bench_.run))
    fs::remove_all(checkpoint_folder(plan_));
  fs::remove(trained_file(plan_));
  fs::remove(plan_.folder + "/begun.json");
}

std::optional<RunOutcome> finished_run(const RunPlan& plan, const Workbench& bench) {
  const std::string path = plan.folder + "/run.json";
  if (!fs::exists(path)) return {};
  Json whole = parse_json_file(path);
  if (!is_same_run(identity_of(plan, bench), whole.value("identity", Json()), path)) return {};
  require(!whole.value("stored_as", std::string()).starts_with("adapter") ||
              !whole.at("run").value("diverged", Json()).is_null() ||
              fs::exists(plan.folder + "/adapter"),
          plan.folder,
          ": its run is finished, but the folder adapter that it stored is missing; put "
          "it back, or remove ",
          path, " to train again");
  RunOutcome outcome;
  outcome.result = run_from_json(OrderedJson::parse(whole.at("run").dump()));
  outcome.choice = number_or_nan(whole.at("choice"));
  outcome.why_diverged = whole.value("why_diverged", std::string());
  outcome.unchanged = whole.value("unchanged", std::string());
  outcome.notes = whole.value("notes", std::vector<std::string>());
  if (outcome.result.generations.empty() && !bench.generations.empty() && !outcome.result.diverged)
    outcome.notes.push_back("no sample answers were made: the process ended before");
  if (bench.judging && outcome.result.judgement.rules.empty() && !outcome.result.diverged)
    outcome.notes.push_back("its answers are not judged, as it was finished before: 'afina judge " +
                            plan.folder + "' does it");
  outcome.method_options = whole.at("method_options").get<std::map<std::string, std::string>>();
  outcome.stored_as = whole.at("stored_as").get<std::string>();
  return outcome;
}

}  // namespace afina
