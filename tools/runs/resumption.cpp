// What a checkpoint of a run says, written and read.
#include "tools/runs/resumption.h"

#include <cmath>
#include <filesystem>
#include <utility>

#include "data/tokenizer/regex.h"
#include "engine/choices.h"
#include "engine/train/checkpoint.h"
#include "model/files/save.h"
#include "tools/options/kernel_options.h"
#include "tools/runs/earlier.h"
#include "tools/runs/guards.h"
#include "tools/runs/identity.h"
#include "tools/runs/recorder.h"

namespace afina {

Json Resumption::state(int64_t step, const RunOutcome& outcome) const {
  return {{"identity", identity_of(plan_, bench_)},
          {"run", figures_of(outcome.result)},
          {"choice", outcome.choice},
          {"probe", probe(step)},
          {"choices", choices()},
          {"regular_expressions", regex_library()},
          {"unchanged", unchanged()}};
}

int64_t Resumption::restore(RunOutcome& outcome) {
  const std::string folder = checkpoint_folder(plan_);
  Resumed resumed = resume_checkpoint(folder, trainer_);
  std::string damaged;
  for (const std::string& note : resumed.notes) {
    damaged += "\n  " + note;
    bench_.notes.push_back(note);
  }
  require(resumed.step > 0 || resumed.notes.empty(), folder,
          ": no checkpoint is complete:", damaged, "\nRemove the folder to start anew.");
  if (!resumed.step) return 0;
  try {
    return restore_from(resumed.extra, resumed.step, folder, outcome);
  } catch (const JsonError& e) {
    fail(folder, ": the checkpoint of step ", resumed.step,
         " is complete but not as a run writes it (", e.what(),
         "); remove the folder to start anew");
  }
}

bool Resumption::restore_trained(RunOutcome& outcome) {
  const std::string file = trained_file(plan_);
  // A run that keeps its last checkpoint needs the optimizer's state for it.
  if (!std::filesystem::exists(file) || keeps_last_checkpoint(bench_.run)) return false;
  try {
    const Json whole = parse_json_file(file);
    const Json& state = member(whole, "state", file);
    require_same_run(identity_of(plan_, bench_), member(state, "identity", file), file);
    restore_weights();
    const std::string digest = digest_of(std::as_const(*model_.parameters).trained()),
                      expected = get<std::string>(member(state, "run", file), "digest", file);
    require(digest == expected, file, ": what is stored beside it has the digest ", digest,
            ", and what was trained has ", expected);
    restore_from(state, bench_.run.steps, file, outcome);
    outcome.stored_as = get<std::string>(whole, "stored_as", file);
  } catch (const JsonError& e) {
    fail(file, ": is not as a run writes it (", e.what(), "); remove it to train again");
  } catch (const Error& e) {
    fail("the run in ", plan_.folder,
         " was stopped when its weights were stored, and cannot go on from them: ", e.what(),
         ". Remove ", file, " to train it again");
  }
  return true;
}

void Resumption::restore_weights() {
  if (model_.method->stored() == Stored::model)
    load_trained(plan_.folder + "/model/model.safetensors", model_);
  else load_adapter(plan_.folder + "/adapter").apply(model_);
}

int64_t Resumption::restore_from(const Json& extra, int64_t step, const std::string& folder,
                                 RunOutcome& outcome) {
  const Json now = identity_of(plan_, bench_);
  const std::string tables = other_regex_library(extra);
  if (!tables.empty()) bench_.notes.push_back(tables);
  if (!why_not_longer(plan_.method, now, extra.at("identity")).empty())
    require_same_run(now, extra.at("identity"), folder + (tables.empty() ? "" : ": " + tables));
  outcome.result = run_from_json(OrderedJson::parse(extra.at("run").dump()));
  outcome.result.folder = plan_.folder;
  require(int64_t(outcome.result.curve.size()) == step, folder, ": the checkpoint of step ", step,
          " has the figures of ", outcome.result.curve.size(),
          " steps; remove the folder to start anew");
  outcome.choice = number_or_nan(extra.at("choice"));
  // Libraries go on with the algorithms that they had chosen.
  repeat_choices(extra.value("choices", Json::object()), folder);
  const double expected = number_or_nan(extra.at("probe")), found = probe(step);
  require(found == expected || (std::isnan(found) && std::isnan(expected)), folder,
          ": the loss after resuming is ", found, ", when the run was stopped it was ", expected,
          "; model or data are not the same");
  for (const Json& name : extra.at("unchanged")) unchanged_before_.insert(name.get<std::string>());
  restored_ = true;
  return step;
}

// The summed loss of the first row of the next step that has a target. One row costs little beside
// a step.
double Resumption::probe(int64_t step) const {
  PhaseScope phase(Phase::evaluation);
  Batch batch = one_row(steps_.batches(step)[0]);
  Loss loss = model_.loss(inputs_of(batch, plan_.seed, step, model_.parameters->device), 1.);
  double sum = 0;
  for (double one : loss.losses.values64()) sum += one;
  return sum;
}

std::vector<std::string> Resumption::unchanged() const {
  std::vector<std::string> names;
  for (const std::string& name : trainer_.unchanged())
    if (!restored_ || unchanged_before_.count(name)) names.push_back(name);
  return names;
}

}  // namespace afina
