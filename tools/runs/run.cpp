// A training run: the loop over steps and evaluations, and the guards at its beginning and end.
#include "tools/runs/run.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "engine/files/atomic_file.h"
#include "engine/train/not_finite.h"
#include "model/change.h"
#include "tools/runs/earlier.h"
#include "tools/runs/evaluate.h"
#include "tools/runs/folder_lock.h"
#include "tools/runs/found_rows.h"
#include "tools/runs/guards.h"
#include "tools/runs/identity.h"
#include "tools/runs/interrupt.h"
#include "tools/runs/judging.h"
#include "tools/runs/load.h"
#include "tools/runs/observation.h"
#include "tools/runs/rates.h"
#include "tools/runs/recorder.h"
#include "tools/runs/resumption.h"
#include "tools/runs/scores.h"
#include "tools/runs/unseen_targets.h"
#include "tools/text/format.h"

namespace afina {

namespace {

std::unique_ptr<Model> build_for(const RunPlan& plan, const Workbench& bench, Costs& costs) {
  trim_memory();
  reset_memory_peak(bench.model.usable_device());
  auto model = build(bench, make_method(plan.method), plan.seed);
  look_at_data(*model, bench.train, batch_options(bench.run, bench.data, plan.seed), costs);
  return model;
}

class Loop {
 public:
  Loop(const RunPlan& plan, Workbench& bench)
      : plan_(plan),
        bench_(bench),
        model_(build_for(plan, bench, outcome_.result)),
        trainer_(model_->parameters->trained(), bench.run.train(plan.lr), model_->method.get()),
        steps_(*model_, trainer_, bench.train, batch_options(bench.run, bench.data, plan.seed),
               bench.run.steps, outcome_.result),
        recorder_(plan, bench, *model_),
        resumption_(plan, bench, *model_, trainer_, steps_),
        frozen_(frozen_checksum(*model_)) {
    describe();
  }

  RunOutcome go() {
    InterruptScope signals;
    // Of a finished run that goes on to more steps.
    extends_ = plan_.resume && std::filesystem::exists(plan_.folder + "/run.json");
    recorder_.require_space(trainer_);
    int64_t first = plan_.resume ? resumption_.restore(outcome_) : 0;
    const int64_t steps = bench_.run.steps;
    const bool trained = plan_.resume && !first && resumption_.restore_trained(outcome_);
    if (trained) first = steps;
    if (plan_.resume && (trained || !first)) note_stored(trained);
    result().predicted = plan_.predicted;  // of all steps, also where fewer were asked for before
    if (!first) begin();
    recorder_.begin();
    recorder_.open_log(result());
    for (int64_t step = first; step < steps; ++step) {
      try {
        train(step);
      } catch (const NotFinite& found) {
        diverge(found);
        return std::move(outcome_);
      }
      if (step + 1 < steps && evaluates_after(bench_.run, step + 1)) evaluate_all(step + 1);
      const bool due = bench_.run.save_every > 0 && (step + 1) % bench_.run.save_every == 0;
      const bool stop = step + 1 < steps && (interrupted() || step + 1 == plan_.stop_after);
      if (step + 1 < steps && (due || stop)) save(step + 1);
      if (stop)
        throw Interrupted("interrupted after step " + std::to_string(step + 1) + " of " +
                          std::to_string(steps) + "; go on with the same command and --resume");
    }
    finish(trained);
    outcome_.interrupted = interrupted();
    return std::move(outcome_);
  }

 private:
  RunResult& result() { return outcome_.result; }

  // Adds the seconds that `work` takes.
  template <class Work>
  static void timed(double& seconds, Work work) {
    const double start = seconds_now();
    work();
    seconds += seconds_now() - start;
  }

  void describe() {
    RunResult& r = result();
    r.name = plan_.name;
    r.folder = plan_.folder;
    r.seed = plan_.seed;
    r.learning_rate = plan_.lr;
    count_parameters(*model_, r);
    outcome_.method_options = model_->method->in_force.options;
    warn(unseen_note(*model_, label_of(plan_.method), bench_.unseen, bench_.train.targets,
                     bench_.tokenizer));
    r.before = bench_.before;
    r.predicted = plan_.predicted;
  }

  // Adds a note, once for all runs of a comparison, and says it before the first step.
  void warn(const std::string& note) {
    auto& all = bench_.notes;
    if (note.empty() || std::find(all.begin(), all.end(), note) != all.end()) return;
    all.push_back(note);
    if (plan_.warn) plan_.warn(note);
  }

  // A run that was stopped between storing its weights and writing its figures.
  void note_stored(bool trained) {
    for (const char* name : {"/adapter", "/model"})
      if (const std::string stored = plan_.folder + name; std::filesystem::exists(stored))
        bench_.notes.push_back(
            trained ? "the run was stopped when " + stored +
                          " was stored and its figures were not: they are of these weights, which "
                          "are not trained again"
                    : "the run was stopped when " + stored +
                          " was stored and its figures were not: without a checkpoint "
                          "(--save-every) it is trained again from step 1, to the same weights");
  }

  // Step 0: the untouched model's figures, and the guard that the method has not changed it.
  void begin() {
    if (begins_to_the_bit())
      evaluated(0, bench_.choice_before.mean, bench_.before.retain.value_or(0));
    else evaluate_all(0);
    double found = result().evaluations.back().heldout, base = bench_.choice_before.mean;
    const bool same = found - base < 1e-3 * (1. + base) && base - found < 1e-3 * (1. + base);
    if (!same && trains_what_blocks_would_hold())
      warn(label_of(plan_.method) + " trains matrices of the base, which are held plainly, so it " +
           "begins as another model than " + words_of(bench_.model.storage()) +
           " alone: the held-out loss is " + format_loss(found) + " before the first step, and " +
           format_loss(base) + " without the method");
    else if (model_->method->starts_as_pretrained())
      require(same, plan_.name, ": before the first step the held-out loss is ", found,
              " with the method and ", base, " without it; '", plan_.method.name,
              "' should start out as the pretrained model");
    else if (!same) {
      const std::string why =
          methods().at(plan_.method.name).card.why_not(Promise::starts_as_pretrained);
      warn(label_of(plan_.method) + " begins as another model than the pretrained one" +
           (why.empty() ? "" : " (" + why + ")") + ": the held-out loss is " + format_loss(found) +
           " before the first step, and " + format_loss(base) + " without the method");
    }
  }

  // Does the method begin with the untouched model's losses to the bit, on the first rows? Then it
  // does on all, and the others need not be evaluated again.
  bool begins_to_the_bit() {
    if (!model_->method->starts_as_pretrained()) return false;
    Samples first = bench_.choice;
    first.rows.resize(std::min(first.rows.size(), size_t(bench_.run.batch)));
    Evaluation found;
    timed(result().seconds.evaluation, [&] { found = look(first); });
    return std::equal(found.losses.begin(), found.losses.end(),
                      bench_.choice_before.losses.begin());
  }

  // Matrices of other numbers than the base has in its form.
  bool trains_what_blocks_would_hold() const {
    const BaseStorage base = bench_.model.storage();
    if (same_numbers(base, {})) return false;
    for (const Linear* layer : model_->parameters->linears)
      if (layer->weight.trained) return true;
    for (const Parameter& p : model_->parameters->all)
      if (base.ends && p.trained && !p.added && p.shape.rank() > 1) return true;
    return false;
  }

  void train(int64_t step) {
    StepDone done = steps_.run(step);
    result().curve.push_back(done.point);
    recorder_.log(done);
    if (plan_.progress) plan_.progress(done.point, bench_.run.steps, done.tokens_per_second);
  }

  Evaluation look(const Samples& rows) {
    return evaluate(*model_, rows, bench_.run.batch, bench_.data.length);
  }

  // The losses on the rows for choosing and on the retention text.
  void evaluate_all(int64_t step) {
    Evaluation choice;
    timed(result().seconds.evaluation, [&] {
      choice = look(bench_.choice);
      if (!bench_.retain.rows.empty()) retention_ = look(bench_.retain);
    });
    evaluated(step, choice.mean, retention_.mean);
  }

  void evaluated(int64_t step, double heldout, double retain) {
    EvaluationPoint point;
    point.step = step;
    point.tokens = result().tokens;
    point.seconds = result().seconds.training();
    point.heldout = outcome_.choice = heldout;
    if (!bench_.retain.rows.empty()) point.retain = retain;
    if (bench_.run.watch == Watch::on) watch(point);
    result().evaluations.push_back(point);
    recorder_.log(point);
  }

  // The rank meter: at step 0 nothing has changed, unless the method's own start differs.
  void watch(EvaluationPoint& point) {
    timed(result().seconds.evaluation, [&] {
      const ChangeSummary sum =
          summary_of(layer_changes(*model_, *bench_.opened->source, ChangeDepth::ranks));
      point.change = sum.relative;
      point.effective_rank = sum.effective_rank;
    });
    if (plan_.watched) plan_.watched(point);
  }

  // Unasked only where the decompositions take seconds, and for one seed of each method.
  bool measures_changes() const {
    constexpr double seconds_of_work = 1e9;
    const Watch watch = bench_.run.watch;
    if (watch != Watch::automatic) return watch != Watch::off;
    return plan_.seed == bench_.run.seed && work_of_changes(*model_) <= seconds_of_work;
  }

  void save(int64_t step) {
    timed(result().seconds.saving,
          [&] { recorder_.checkpoint(trainer_, resumption_.state(step, outcome_)); });
  }

  // What was trained comes first, then its figures, then what is only shown: whatever fails, all
  // before it is on disk. stored: it is, by the process that was stopped then.
  void finish(bool stored) {
    RunResult& r = result();
    if (!stored) {
      note_graphs();
      timed(r.seconds.saving, [&] {
        r.digest = digest_of(std::as_const(*model_->parameters).trained());
        recorder_.store(outcome_);
      });
      recorder_.store_state(resumption_.state(bench_.run.steps, outcome_), outcome_);
    }
    require(frozen_checksum(*model_) == frozen_, plan_.name,
            ": a frozen weight changed while training; this is a fault of afina, please report it");
    evaluate_all(bench_.run.steps);
    if (keeps_last_checkpoint(bench_.run)) save(bench_.run.steps);
    timed(r.seconds.evaluation,
          [&] { r.after = score(*model_, bench_, r.examples, r.retain_examples, &retention_); });
    r.examples.before = bench_.before_rows.losses;
    r.retain_examples.before = bench_.before_retain.losses;
    if (bench_.found)
      timed(r.seconds.evaluation, [&] { r.row_findings = found_losses(*model_, bench_); });
    if (!std::isfinite(r.after.heldout)) r.diverged = bench_.run.steps;
    summarise_steps();
    find_unchanged();
    recorder_.write_figures(outcome_);
    if (measures_changes() && !r.diverged)
      timed(r.seconds.evaluation, [&] {
        r.changes = layer_changes(*model_, *bench_.opened->source, ChangeDepth::intruders);
      });
    timed(r.seconds.generation, [&] {
      judge_answers();
      r.generations = bench_.generations;
      std::vector<std::string> said = answers(*model_, bench_, outcome_.notes);
      for (size_t i = 0; i < said.size(); ++i) r.generations[i].after = said[i];
    });
    recorder_.finish(outcome_);
  }

  void judge_answers() {
    if (!bench_.judging || result().diverged) return;
    const Judging& judging = *bench_.judging;
    const Judged after =
        judge_run(*model_, bench_, plan_.name, result().examples.losses, plan_.answered);
    result().judgement = judgement_of(judging, after);
    write_text_file(plan_.folder + "/answers.jsonl",
                    judged_lines(judging.rows, judging.rules, {judging.before, after}));
    for (const Judged* of : {&judging.before, &after})
      for (const std::string& why : of->undecided) outcome_.notes.push_back(why);
  }

  // The run ends here, and with it nothing else: its figures so far are kept and its checkpoints
  // stay. The finished run that it went on from stays as it was.
  void diverge(const NotFinite& found) {
    RunResult& r = result();
    r.diverged = found.step;
    outcome_.why_diverged = found.what();
    outcome_.choice = r.after.heldout = std::numeric_limits<double>::quiet_NaN();
    summarise_steps();
    if (extends_)
      outcome_.notes.push_back("the run of fewer steps in " + plan_.folder + " stays as it was");
    recorder_.finish(outcome_, extends_);
    outcome_.interrupted = interrupted();
  }

  void summarise_steps() { result().step_seconds = step_seconds({&result().curve}); }

  // Notes why no graph was captured, if graphs were requested or matter for speed on this device.
  void note_graphs() {
    std::string why = trainer_.why_no_graphs();
    if (why.empty() ||
        (bench_.run.graph != GraphUse::on && model_->parameters->device != Device::cuda))
      return;
    std::string note = "not every step was captured as a graph: " + why;
    if (std::find(bench_.notes.begin(), bench_.notes.end(), note) == bench_.notes.end())
      bench_.notes.push_back(note);
  }

  // The guard against training that changed nothing. The run is written all the same, and others of
  // a comparison go on: the command says it at its end.
  void find_unchanged() {
    if (bench_.run.steps < 2) return;
    std::string same;
    for (const std::string& name : resumption_.unchanged()) same += " " + name;
    if (same.empty()) return;
    std::ostringstream words;
    words << "trained for " << bench_.run.steps
          << " steps, but these parameters are exactly as they began:" << same
          << "; is the learning rate (" << plan_.lr << ") too small for the dtype?";
    outcome_.unchanged = words.str();
  }

  const RunPlan& plan_;
  Workbench& bench_;
  RunOutcome outcome_;
  std::unique_ptr<Model> model_;
  Trainer trainer_;
  Steps steps_;
  Recorder recorder_;
  Resumption resumption_;
  uint64_t frozen_;
  Evaluation retention_;  // of the last look
  bool extends_ = false;
};

}  // namespace

std::string watch_sentence(const EvaluationPoint& point) {
  std::ostringstream text;
  text << "step " << point.step << ": weights changed by "
       << format_percent(point.change.value_or(0));
  text.precision(3);
  if (point.effective_rank.value_or(0) > 0) text << ", effective rank " << *point.effective_rank;
  return text.str();
}

RunOutcome run_training(const RunPlan& plan, Workbench& bench) {
  const ComputeScope scope = bench.model.scope();
  std::optional<FolderLock> lock;
  if (!plan.locked) lock.emplace(plan.folder);
  const Beginning beginning = look_for_beginning(plan, bench);
  if (beginning.is == Beginning::done) return *finished_run(plan, bench);
  if (!beginning.note.empty()) bench.notes.push_back(beginning.note);
  if (beginning.is == Beginning::anew) {
    std::filesystem::remove_all(checkpoint_folder(plan));
    for (const char* file : {"/run.json", "/manifest.json", "/trained.json"})
      std::filesystem::remove(plan.folder + file);
  }
  return Loop(plan, bench).go();
}

}  // namespace afina
