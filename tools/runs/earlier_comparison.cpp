// Looking into a comparison's folder, and adding to what it holds.
#include "tools/runs/earlier_comparison.h"

#include <algorithm>
#include <filesystem>

#include "tools/results/judgement.h"
#include "tools/runs/identity.h"
#include "tools/runs/judging.h"
#include "tools/runs/rates.h"
#include "tools/runs/replay.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

void refuse_foreign(const std::string& folder) {
  require(!fs::exists(folder + "/runs") || fs::is_directory(folder + "/runs"), folder,
          "/runs: is no folder, and one of this name will be written; remove it, or choose another "
          "--out");
  require(!fs::is_directory(folder + "/results.json"), folder,
          "/results.json: is a folder, and a file of this name will be written; remove it, or "
          "choose another --out");
  for (const char* name : {"run.json", "begun.json", "checkpoints"})
    require(!fs::exists(folder + "/" + name), folder, ": holds a run of 'afina train' (", name,
            "), and a comparison is written into a folder of its own; choose another --out");
  for (const char* name : {"config.json", "adapter_config.json", "model.safetensors",
                           "adapter_model.safetensors", "tokenizer.json"})
    require(!fs::exists(folder + "/" + name), folder, ": holds a model or an adapter (", name,
            "), and a comparison is written into a folder of its own; choose another --out");
  if (fs::exists(folder + "/results.json") || fs::exists(folder + "/runs")) return;
  for (const char* name : {"summary.md", "report.html"})
    require(!fs::is_regular_file(folder + "/" + name), folder, ": holds ", name,
            ", which is of no comparison of afina, as neither results.json nor runs/ lies beside "
            "it; choose another --out");
}

MethodSpec spec_of(const Json& identity) {
  MethodSpec spec;
  spec.name = spec.text = identity.value("method", std::string());
  spec.options =
      identity.value("method_options", Json::object()).get<std::map<std::string, std::string>>();
  return spec;
}

// Of a method in results, whatever its label.
std::string key_of_result(const MethodResult& method) {
  try {
    MethodSpec spec = parse_method(method.spec);
    spec.options.erase("lr");
    return key_of(spec);
  } catch (const Error&) { return method.label; }  // results that another program wrote
}

// What all runs of a comparison share: their identity without what makes them different, and with
// the seed that the records were split by.
Json conditions(Json identity, const Json& replay) {
  for (const char* own : {"method", "method_options", "lr", "seed"}) identity.erase(own);
  if (replay.is_object()) identity["seed"] = replay.at("run").value("seed", Json());
  return identity;
}

bool names(const std::vector<MethodSpec>& asked, const MethodSpec& method) {
  auto same = [&](const MethodSpec& one) { return key_of(one) == key_of(method); };
  return std::any_of(asked.begin(), asked.end(), same);
}

std::string list(const std::vector<MethodResult>& methods) {
  std::string text;
  for (const MethodResult& method : methods) text += (text.empty() ? "" : ", ") + method.label;
  return text;
}

}  // namespace

EarlierComparison::EarlierComparison(const std::string& folder) : folder_(folder) {
  if (!fs::exists(folder)) return;
  refuse_foreign(folder);
  if (const std::string file = folder + "/results.json"; fs::exists(file)) try {
      results_ = read_comparison(file);
    } catch (const Error& e) {
      fail(e.what(),
           "; put the file back from a copy, or remove it: the same command with --resume "
           "then writes it again from the runs in ",
           folder, "/runs");
    }
  if (!fs::exists(folder + "/runs")) return;
  for (auto& entry : fs::recursive_directory_iterator(folder + "/runs")) {
    const fs::path inside = entry.path();
    if (!entry.is_directory() ||
        (!fs::exists(inside / "run.json") && !fs::exists(inside / "begun.json")))
      continue;
    Run run{inside.string(), look_into(inside.string())};
    if (run.earlier.is != Earlier::nothing) runs_.push_back(std::move(run));
  }
  std::sort(runs_.begin(), runs_.end(),
            [](const Run& a, const Run& b) { return a.folder < b.folder; });
}

std::string EarlierComparison::described() const {
  if (results_) return "a finished comparison of " + list(results_->methods);
  const auto stopped = std::count_if(runs_.begin(), runs_.end(), [](const Run& run) {
    return run.earlier.is == Earlier::stopped;
  });
  const auto done = int64_t(runs_.size()) - stopped;
  std::string text = "a comparison that was stopped, with " + std::to_string(done) +
                     (done == 1 ? " finished run" : " finished runs");
  for (const Run& run : runs_)
    if (run.earlier.is == Earlier::stopped)
      return text + " and one that was stopped after step " + std::to_string(run.earlier.step);
  return text;
}

void EarlierComparison::check_run(const Run& run, const Workbench& bench,
                                  const std::vector<MethodSpec>& asked, bool resume) const {
  const Earlier& earlier = run.earlier;
  if (!earlier.identity.is_object()) return;  // of an older version: its own checkpoint will tell
  RunPlan plan;
  plan.method = spec_of(earlier.identity);
  plan.seed = bench.run.seed;
  Json now = identity_of(plan, bench);
  for (const char* own : {"method", "method_options", "lr", "seed"})
    now[own] = earlier.identity.value(own, Json());
  const Json replay = replay_of(plan, bench), ours = conditions(now, replay),
             theirs = conditions(earlier.identity, earlier.replay);
  if (is_same_run(now, earlier.identity, earlier.file) && ours == theirs) return;
  const std::string differs = differences(ours, theirs, replay, earlier.replay);
  std::string why = "choose another --out";
  if (resume && ours.at("steps") != theirs.value("steps", Json())) {
    const std::string reason = earlier.is == Earlier::diverged
                                   ? why_not_longer(plan.method, now, earlier.identity)
                                   : why_not_longer(plan.method, now, earlier, run.folder);
    const std::string label = label_of(plan.method);
    if (reason.empty() && names(asked, plan.method)) return;
    why = reason.empty() ? "to go on to more --steps name every method that it holds, '" + label +
                               "' too; or " + why
                         : reason + "; " + why;
  }
  fail(folder_, ": holds ", described(), " with other options: ", differs, " (", run.folder, "); ",
       why);
}

void EarlierComparison::check(const Workbench& bench, const std::vector<MethodSpec>& asked,
                              bool resume) const {
  if (!results_ && runs_.empty()) return;
  for (const Run& run : runs_) check_run(run, bench, asked, resume);
  // A finished comparison keeps what its results hold; one that was stopped has its runs alone.
  for (const Run& run : runs_) {
    if (results_ || run.earlier.is == Earlier::stopped || !run.earlier.identity.is_object())
      continue;
    const MethodSpec spec = spec_of(run.earlier.identity);
    require(names(asked, spec), folder_, ": holds ", described(), ", among them ", run.folder,
            " of '", label_of(spec),
            "', which would be missing in the results; name this method too, or choose another "
            "--out");
  }
  if (results_) {
    // Two methods of one label could not be told apart.
    for (const MethodResult& before : results_->methods)
      for (const MethodSpec& now : asked)
        require(label_of(now) != before.label || key_of(now) == key_of_result(before), folder_,
                ": holds ", described(), ", where '", before.label, "' is --method ", before.spec,
                "; give --method ", now.text, " another name=");
    const std::string other = "; choose another --out";
    if (bench.judging)
      for (const MethodResult& before : results_->methods)
        for (const RunResult& run : before.runs) {
          const std::string apart = judged_otherwise(run.judgement, asked_of(*bench.judging));
          require(apart.empty(), folder_, ": holds ", described(), " with judged answers, and ",
                  apart, "; give the same --rule, --rules and --judge-rows", other);
        }
    require(results_->model.hash == bench.described.hash, folder_, ": holds ", described(),
            " of the model ", results_->model.path, ", and ", bench.model.path, " is another",
            other);
    for (const DataDescription& now : bench.files)
      for (const DataDescription& then : results_->data)
        require(now.role != then.role || now.hash == then.hash, folder_, ": holds ", described(),
                " on other records: those of role ", now.role, " were of ", then.path, " (",
                then.rows, " records), and are of ", now.path, " (", now.rows, ")", other);
  }
  require(resume, folder_, ": holds ", described(),
          results_ ? "; --resume adds methods, rates and seeds to it, or choose another --out"
                   : "; go on with the same command and --resume, or choose another --out");
}

Json EarlierComparison::replay() const {
  for (const Run& run : runs_)
    if (run.earlier.replay.is_object()) return run.earlier.replay;
  return {};
}

const MethodResult* EarlierComparison::method(const MethodSpec& spec) const {
  if (!results_) return nullptr;
  for (const MethodResult& one : results_->methods)
    if (key_of_result(one) == key_of(spec)) return &one;
  return nullptr;
}

std::vector<double> EarlierComparison::rates(const MethodSpec& spec,
                                             std::vector<double> asked) const {
  const MethodResult* before = method(spec);
  if (!before) return asked;
  std::vector<double> all;
  for (const SearchRow& row : before->search) all.push_back(row.learning_rate);
  if (all.empty()) all.push_back(before->learning_rate);
  for (double rate : asked)
    if (std::find(all.begin(), all.end(), rate) == all.end()) all.push_back(rate);
  return all;
}

int64_t EarlierComparison::seeds(const MethodSpec& spec, int64_t asked) const {
  const MethodResult* before = method(spec);
  return before ? std::max(asked, int64_t(before->runs.size())) : asked;
}

void EarlierComparison::keep(Comparison& comparison) const {
  if (!results_) return;
  std::vector<MethodResult> all;
  for (const MethodResult& before : results_->methods) {
    auto again = std::find_if(
        comparison.methods.begin(), comparison.methods.end(),
        [&](const MethodResult& m) { return key_of_result(m) == key_of_result(before); });
    if (again != comparison.methods.end()) {
      all.push_back(std::move(*again));
      comparison.methods.erase(again);
      continue;
    }
    all.push_back(before);
    for (const std::string& note : results_->notes)
      if (note.starts_with(before.label + ":") || note.starts_with(before.label + ","))
        comparison.notes.push_back(note);
  }
  for (MethodResult& added : comparison.methods) all.push_back(std::move(added));
  comparison.methods = std::move(all);
}

}  // namespace afina
