// Runs, models and adapters, opened alike.
#include "tools/runs/subject.h"

#include <algorithm>
#include <filesystem>

#include "model/files/save.h"
#include "tools/runs/replay.h"
#include "tools/runs/workbench.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// A comparison holds its runs in runs/METHOD/lr-RATE/seed-N.
[[noreturn]] void not_a_run(const std::string& folder) {
  std::vector<std::string> runs;
  std::error_code ignored;
  for (fs::recursive_directory_iterator at(folder + "/runs", ignored), end; at != end;
       at.increment(ignored))
    if (at->path().filename() == "run.json") runs.push_back(at->path().parent_path().string());
  std::sort(runs.begin(), runs.end());
  if (!runs.empty())
    fail(folder, ": is a comparison of ", runs.size(), " runs; name one of them, as in ", runs[0]);
  fail(folder, ": no run.json and no manifest.json; a run is a folder as 'afina train' writes it. ",
       "For a model give --model, for an adapter --adapter with it");
}

}  // namespace

std::unique_ptr<Model> Subject::load() {
  return load_model(files, adapter, Dtype::f32, Device::cpu, base);
}

std::unique_ptr<Model> Subject::load_base() {
  return adapter.empty() ? nullptr : load_model(files, "", Dtype::f32, Device::cpu, base);
}

namespace {

// The base and the adapter of a run against what its manifest says of them.
void require_as_trained(const Subject& subject, const std::string& base) {
  const std::string where = subject.run + "/manifest.json";
  const Replay replay = parse_replay(subject.manifest, where);
  if (replay.model.init) return;
  const std::string then =
      get<std::string>(member(subject.manifest, "model", where), "sha256", where + ": model");
  require(hash_of_model(subject.files, replay.run.seed, replay.model.adapter) == then, base,
          ": is another model than the one that ", subject.run,
          " was trained on (its SHA-256 has changed); put that one back, or give this one with "
          "--model and --adapter ",
          subject.adapter);
  const std::string digest = get<std::string>(subject.manifest, "digest", where);
  const AdapterFiles adapter = load_adapter(subject.adapter);
  RandomWeights none(0);
  auto model = build_model(subject.files.config, none, make_method(adapter.method),
                           {Dtype::f32, Device::shapes});  // names and shapes alone
  const std::string found = adapter.trained_digest(*model);
  require(found.empty() || found == digest, subject.adapter,
          ": holds other values than those that were trained, by the digest of ", where,
          "; if they are meant, give them with --model ", base, " and --adapter");
}

}  // namespace

std::string changed_data(const Json& manifest, const Workbench& bench) {
  if (!manifest.contains("data") || !manifest.at("data").is_array()) return "";
  for (const Json& then : manifest.at("data"))
    for (const DataDescription& now : bench.files)
      if (then.value("role", "") == now.role && then.value("sha256", now.hash) != now.hash)
        return now.path + " has changed since it was trained";
  return "";
}

ChatTemplate Subject::chat(const Tokenizer& tokenizer) const {
  return ChatTemplate::choose({"", adapter}, tokenizer);
}

std::vector<int32_t> Subject::stops(const Tokenizer& tokenizer, const ChatTemplate& chat) const {
  std::vector<int32_t> all = stop_tokens(files, tokenizer);
  for (int32_t id : {all.empty() ? tokenizer.eos() : -1, chat.end_of_turn()})
    if (id >= 0 && std::find(all.begin(), all.end(), id) == all.end()) all.push_back(id);
  return all;
}

Subject open_subject(const SubjectOptions& options) {
  if (options.run.empty() == options.model.empty())
    throw UsageError(
        "give either the folder of a run, or --model (with --adapter where there is "
        "one)");
  if (!options.run.empty() && !options.adapter.empty())
    throw UsageError("--adapter goes with --model; a run has its own");
  const BaseForm asked = options.base.value_or(BaseForm::plain);
  if (options.adapter.empty() && (options.base || options.base_ends == OnOff::on))
    throw UsageError(
        "--base is the form of the base that --adapter was trained over; without one leave it out "
        "(a run knows its own)");
  Subject subject;
  subject.model = options.model;
  subject.adapter = options.adapter;
  subject.base = base_storage(asked, options.base_ends);
  if (!options.adapter.empty() && !options.base)
    if (const TrainedOver over = load_adapter(options.adapter).over) subject.base = *over;
  subject.described = options.model;
  if (!options.adapter.empty()) subject.described += " with " + options.adapter;
  if (!options.run.empty()) {
    std::string folder = options.run;
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    if (!exists(folder + "/run.json") || !exists(folder + "/manifest.json")) not_a_run(folder);
    subject.run = subject.described = folder;
    const std::string where = folder + "/manifest.json";
    subject.manifest = parse_json_file(where);
    const std::string base =
        get<std::string>(member(subject.manifest, "model", where), "path", where + ": model");
    const bool whole = exists(folder + "/model"), added = exists(folder + "/adapter");
    require(whole || added, folder, ": holds neither adapter/ nor model/; its weights are gone");
    subject.model = whole ? folder + "/model" : base;
    if (!whole) {
      subject.adapter = folder + "/adapter";
      const ModelOptions trained = parse_replay(subject.manifest, where).model;
      subject.base = base_storage(trained.base, trained.base_ends);
    }
    require(whole || exists(base), folder, ": was trained on ", base,
            ", which is not there; call afina where the path leads to it, or give --model and ",
            "--adapter ", subject.adapter);
  }
  subject.files = open_model(subject.model);
  if (!subject.run.empty() && !subject.adapter.empty()) require_as_trained(subject, subject.model);
  subject.has_tokenizer = subject.files.gguf || exists(subject.files.path + "/tokenizer.json");
  return subject;
}

}  // namespace afina
