// Looking into a run's folder before anything is written there.
#include "tools/runs/earlier.h"

#include <filesystem>

#include "engine/counted.h"
#include "engine/train/checkpoint.h"
#include "tools/runs/identity.h"
#include "tools/runs/recorder.h"
#include "tools/runs/replay.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

// What is to be written must not meet something of another kind when all is trained.
void require_kinds(const std::string& folder) {
  for (const char* name : {"adapter", "model", "checkpoints"}) {
    const fs::file_status link = fs::symlink_status(folder + "/" + name);
    require(!fs::exists(link) || fs::is_directory(folder + "/" + name), folder, "/", name, ": is ",
            fs::is_symlink(link) ? "a link that leads to no folder" : "no folder",
            ", and one of this name will be written; remove it, or choose another --out");
  }
  for (const char* name :
       {"run.json", "begun.json", "trained.json", "manifest.json", "log.jsonl", ".afina-lock"})
    require(!fs::is_directory(folder + "/" + name), folder, "/", name,
            ": is a folder, and a file of this name will be written; remove it, or choose another "
            "--out");
}

void refuse_foreign(const std::string& folder) {
  for (const char* name : {"results.json", "runs"})
    require(!fs::exists(folder + "/" + name), folder, ": holds a comparison (", name,
            "), and a run is written into a folder of its own; choose another --out");
  for (const char* name :
       {"config.json", "adapter_config.json", "model.safetensors", "model.safetensors.index.json",
        "adapter_model.safetensors", "tokenizer.json"})
    require(!fs::exists(folder + "/" + name), folder, ": holds a model or an adapter (", name,
            "), and a run is written into a folder of its own; choose another --out");
  if (fs::exists(folder + "/run.json") || fs::exists(folder + "/begun.json")) return;
  // Checkpoints alone are of a version that wrote no begun.json.
  if (!checkpoint_steps(folder + "/checkpoints").empty()) return;
  for (const char* name : {"adapter", "model", "checkpoints", "log.jsonl", "manifest.json"})
    require(!fs::exists(folder + "/" + name), folder, ": holds ", name,
            ", which is of no run of afina, as neither run.json nor begun.json lies beside it; "
            "choose another --out");
}

// Does a folder hold a comparison, finished or not? Its runs lie in runs/METHOD/lr-RATE/seed-N.
bool holds_comparison(const fs::path& folder) {
  try {
    if (fs::is_regular_file(folder / "results.json")) {
      read_comparison(folder.string());
      return true;
    }
  } catch (const Error&) { return false; }  // of another program
  std::error_code ignored;
  for (const auto& method : fs::directory_iterator(folder / "runs", ignored))
    for (const auto& rate : fs::directory_iterator(method.path(), ignored))
      if (rate.path().filename().string().starts_with("lr-"))
        for (const auto& seed : fs::directory_iterator(rate.path(), ignored))
          if (seed.path().filename().string().starts_with("seed-")) return true;
  return false;
}

Json part(const std::string& file, const char* key) {
  if (!fs::exists(file)) return {};
  Json whole;
  try {
    whole = parse_json_file(file);
    require(whole.is_object(), file, ": expected an object, as afina writes it");
  } catch (const Error& e) {
    const std::string folder = fs::path(file).parent_path();
    // afina writes such a file beside and renames it, so it was whole once.
    fail(e.what(), "; the file was damaged after it was written: put it back from a copy, or ",
         "remove the folder ", folder, " (its weights too) to train this run again");
  }
  return whole.value(key, Json());
}

std::string described(const Earlier& earlier) {
  if (earlier.is == Earlier::finished) return "a finished run of " + counted(earlier.step, "step");
  if (earlier.step > 0) return "a run that was stopped after step " + std::to_string(earlier.step);
  return "what a run has trained that was stopped before its figures were written";
}

[[noreturn]] void refuse(const std::string& folder, const Earlier& earlier,
                         const std::string& differences, const std::string& what_to_do) {
  fail(folder, ": holds ", described(earlier),
       differences.empty() ? "" : " with other options: " + differences, "; ", what_to_do);
}

}  // namespace

void refuse_within(const std::string& folder) {
  std::error_code ignored;
  const fs::path path = fs::weakly_canonical(folder, ignored);
  const std::string advice =
      ", and what is written there would be taken for a part of it; choose an --out elsewhere";
  for (fs::path above = path.parent_path(); above != above.parent_path();
       above = above.parent_path()) {
    for (const char* name : {"run.json", "begun.json"})
      if (const std::string file = above / name; fs::is_regular_file(file, ignored)) {
        Json identity;
        try {
          identity = part(file, "identity");
        } catch (const Error&) {}  // of another program
        require(!identity.is_object(), folder, ": lies in the folder of a run, ", above.string(),
                advice);
      }
    if (above.filename() == "runs")
      require(!holds_comparison(above.parent_path()), folder, ": lies among the runs of the ",
              "comparison in ", above.parent_path().string(), advice);
  }
}

void refuse_around(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.is_directory(ignored) || entry.path().filename() == "runs") continue;
    const std::string inside = entry.path();
    bool run = false;
    for (const char* name : {"/run.json", "/begun.json"})
      if (fs::is_regular_file(inside + name, ignored)) try {
          run = run || part(inside + name, "identity").is_object();
        } catch (const Error&) {}  // of another program
    require(!run && !holds_comparison(inside), folder, ": holds other results, as ", inside,
            ", and those would then lie within this one; choose an --out beside them");
  }
}

Earlier look_into(const std::string& folder) {
  Earlier earlier;
  if (!fs::exists(folder)) return earlier;
  refuse_foreign(folder);
  require_kinds(folder);
  const std::string begun = folder + "/begun.json", done = folder + "/run.json";
  const Json started = part(begun, "identity"), ended = part(done, "identity");
  require(!fs::exists(done) || ended.is_object(), done,
          ": is not as a run of afina writes it; choose another --out");
  // Where both are there and differ, the run has gone on to more steps and was stopped on the way.
  if (ended.is_object() && (!started.is_object() || started == ended)) {
    const Json run = part(done, "run");
    const Json diverged = run.value("diverged", Json());
    earlier.is = diverged.is_null() ? Earlier::finished : Earlier::diverged;
    earlier.step = diverged.is_null() ? run.value("steps", int64_t(0)) : diverged.get<int64_t>();
    earlier.identity = ended;
    earlier.replay = part(folder + "/manifest.json", "replay");
    earlier.file = done;
    earlier.weights = fs::exists(folder + "/adapter") || fs::exists(folder + "/model");
    return earlier;
  }
  const std::vector<int64_t> steps = checkpoint_steps(folder + "/checkpoints");
  earlier.weights = fs::exists(folder + "/adapter") || fs::exists(folder + "/model");
  if (steps.empty() && !earlier.weights) return earlier;
  earlier.is = Earlier::stopped;
  earlier.step = steps.empty() ? 0 : steps.back();
  earlier.identity = started;
  earlier.replay = part(begun, "replay");
  earlier.file = begun;
  return earlier;
}

std::string why_not_longer(const MethodSpec& method, const Json& now, const Json& then) {
  if (!now.is_object() || !then.is_object()) return "it does not say what it is";
  Json same = then;
  same["steps"] = now.at("steps");
  const int64_t steps = then.value("steps", int64_t(0));
  if (now.at("steps").get<int64_t>() <= steps)
    return "it was begun for " + std::to_string(steps) + " steps, and --steps can only grow";
  const std::string schedule = now.at("schedule").get<std::string>();
  if (schedule != word_of(Decay::constant))
    return "with --schedule " + schedule +
           " the rate of every step depends on --steps, so that more steps are another experiment";
  if (const Json warmup = then.value("warmup", Json()); now.at("warmup") != warmup) {
    same["warmup"] = now.at("warmup");
    if (now == same)
      return "the rate rose in " + warmup.dump() + " steps and would now rise in " +
             now.at("warmup").dump() + "; give --warmup " + warmup.dump();
  }
  std::string others;
  for (auto& [key, value] : now.items())
    if (!same.contains(key) || same.at(key) != value) others += (others.empty() ? "" : ", ") + key;
  if (now != same) return "more than --steps differs (" + others + ")";
  if (make_method(method)->plans_by_steps())
    return "'" + method.name +
           "' plans by the number of steps, so that more are another experiment";
  return {};
}

std::string why_not_longer(const MethodSpec& method, const Json& now, const Earlier& earlier,
                           const std::string& folder) {
  const std::string why = why_not_longer(method, now, earlier.identity);
  if (!why.empty() || earlier.is != Earlier::finished) return why;
  const std::vector<int64_t> saved = checkpoint_steps(folder + "/checkpoints");
  if (!saved.empty() && saved.back() >= earlier.step) return {};
  return "no checkpoint of its last step is there, which a run with --schedule constant and "
         "--save-every keeps";
}

// A finished run that stores weights must still have them.
static void require_weights(const RunPlan& plan) {
  const bool whole = make_method(plan.method)->stored() == Stored::model;
  if (whole && !plan.keep_model) return;
  const std::string file =
      plan.folder + (whole ? "/model/model.safetensors" : "/adapter/adapter_model.safetensors");
  require(fs::exists(file), plan.folder, ": holds a finished run, but its weights are gone: ", file,
          " is missing. Put it back, or remove the folder and train again");
}

Beginning look_for_beginning(const RunPlan& plan, const Workbench& bench) {
  const Earlier earlier = look_into(plan.folder);
  if (earlier.is == Earlier::nothing) return {Beginning::anew, ""};
  const Json now = identity_of(plan, bench);
  const bool known = earlier.identity.is_object();
  if (!known && earlier.is == Earlier::stopped) {  // an older version of afina wrote it
    if (plan.resume) return {Beginning::resumed, ""};
    refuse(plan.folder, earlier, "",
           "go on with the same command and --resume, or choose another --out");
  }
  const bool same = is_same_run(now, earlier.identity, earlier.file);
  if (earlier.is == Earlier::diverged) {
    if (same && plan.resume) return {Beginning::done, ""};
    const bool saved = !checkpoint_steps(plan.folder + "/checkpoints").empty();
    // More steps of it come to the same steps again, and save them again.
    const bool longer = plan.resume && why_not_longer(plan.method, now, earlier.identity).empty();
    require(!earlier.weights && (!saved || longer), plan.folder,
            ": holds a run that diverged at step ", earlier.step, ", with ",
            earlier.weights ? "the weights" : "the checkpoints",
            " that it has stored; choose another --out, or remove the folder");
    return {Beginning::anew, plan.folder + " held a run that diverged at step " +
                                 std::to_string(earlier.step) + ": it begins anew"};
  }
  const std::string differs =
      same ? "" : differences(now, earlier.identity, replay_of(plan, bench), earlier.replay);
  if (same) {
    if (plan.resume && earlier.is == Earlier::finished) require_weights(plan);
    if (plan.resume)
      return {earlier.is == Earlier::finished ? Beginning::done : Beginning::resumed, ""};
    refuse(plan.folder, earlier, "",
           earlier.is == Earlier::finished
               ? "these are its very options: --resume reads its figures back; to run it again "
                 "choose another --out"
               : "go on with the same command and --resume, or choose another --out to begin anew");
  }
  const std::string elsewhere = "choose another --out, or remove the folder";
  if (!plan.resume)
    refuse(plan.folder, earlier, differs,
           why_not_longer(plan.method, now, earlier, plan.folder).empty()
               ? "--resume goes on to more steps, as the rate is constant; or " + elsewhere
               : elsewhere);
  const std::string why = why_not_longer(plan.method, now, earlier, plan.folder);
  if (now.at("steps") == earlier.identity.value("steps", Json()))
    refuse(plan.folder, earlier, differs, elsewhere);
  if (!why.empty())
    refuse(plan.folder, earlier, differs,
           "it cannot go on: " + why + ". " + std::string(1, char(std::toupper(elsewhere[0]))) +
               elsewhere.substr(1));
  return {Beginning::resumed, "the run of " +
                                  counted(earlier.identity.at("steps").get<int64_t>(), "step") +
                                  " in " + plan.folder + " goes on to " + now.at("steps").dump() +
                                  ": at a constant rate these are the same steps as those of "
                                  "one run"};
}

}  // namespace afina
