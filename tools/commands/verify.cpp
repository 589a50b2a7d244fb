// verify: a run done again from its manifest, whole and stopped half-way, and compared bit for bit.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "model/files/save.h"
#include "model/files/weights.h"
#include "tools/options/command.h"
#include "tools/options/kernel_options.h"
#include "tools/options/options.h"
#include "tools/runs/identity.h"
#include "tools/runs/interrupt.h"
#include "tools/runs/replay.h"
#include "tools/runs/scores.h"
#include "tools/text/progress.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

constexpr const char* intro =
    "Runs a finished run again from its manifest.json and compares every bit of what was trained: "
    "once from beginning to end, and once\n"
    "stopped half-way and resumed. Model and data must be at the same paths, relative to the "
    "current "
    "folder. The run itself is not changed.\n\n"
    "  afina verify runs/lora\n"
    "  afina verify runs/first/runs/full/lr-0.001/seed-1 --stop-after 10";

// A folder of our own, gone when we are.
struct Scratch {
  std::string path;
  explicit Scratch(const std::string& p) : path(p) {
    require(!fs::exists(path), path,
            ": is there already; verify works in a folder of its own and removes it. Remove it, or "
            "name another with --scratch");
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

struct VerifyOptions {
  std::string folder, scratch;
  std::optional<int64_t> stop_after_given;
  bool whole_only = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("run", o.folder, Bits::keep, "folder of the run; '--run' may be left out",
      required.naming(Names::folders));
    v("stop-after", o.stop_after_given, Bits::keep,
      "step after which the second time is stopped; half of the steps unless given");
    v("whole-only", o.whole_only, Bits::keep,
      "only from beginning to end, not stopped and resumed");
    v("scratch", o.scratch, Bits::keep,
      "folder to work in, removed afterwards; verify inside the run's unless given",
      naming(Names::folders));
  }
};

struct Verify : VerifyOptions {
  int64_t stop_after = 0;
  Json manifest;
  Replay replay;

  // Model and data must be what they were: otherwise another digest would say nothing.
  void check_identity(const RunPlan& plan, const Workbench& bench) const {
    Json now = identity_of(plan, bench);
    const std::string tables = other_regex_library(manifest);
    const Json& then = member(manifest, "run", folder + "/manifest.json");
    for (auto& [key, value] : now.items())
      require(then.value(key, Json()) == value, folder, ": ", key, " was ",
              then.value(key, Json()).dump(), " and is ", value.dump(), " now: this is another ",
              key == "model" || key == "data" ? "file" : "setting",
              ", so the run cannot be repeated with it", tables.empty() ? "" : "; ", tables);
  }

  // What is stored must be what was trained.
  void check_adapter(const std::string& expected) const {
    std::string file = folder + "/adapter/adapter_model.safetensors";
    if (!fs::exists(file)) return;
    AdapterFiles adapter = load_adapter(folder + "/adapter");
    ModelFiles files = open_model(replay.model.path);
    RandomWeights none(0);
    auto model = build_model(files.config, none, make_method(replay.method),
                             {Dtype::f32, Device::shapes});  // names and shapes alone
    const std::string found = adapter.trained_digest(*model);
    if (found.empty()) {
      std::cout << "adapter on disk      holds what the trained weights make, not these\n";
      return;
    }
    require(found == expected, file,
            ": holds other values than those that were trained, by the digest of ", folder,
            "/manifest.json");
    std::cout << "adapter on disk      " << expected << "  the same\n";
  }

  // The first step whose loss differs, to know where to look.
  std::string first_difference(const std::string& other) const {
    std::ifstream a(folder + "/log.jsonl"), b(other + "/log.jsonl");
    for (std::string x, y; std::getline(a, x) && std::getline(b, y);) {
      Json one = parse_json(x, folder + "/log.jsonl"), two = parse_json(y, other + "/log.jsonl");
      if (one.value("loss", Json()) != two.value("loss", Json()))
        return "; the loss differs first in step " + one.value("step", Json()).dump() + ": " +
               one.value("loss", Json()).dump() + " then, " + two.value("loss", Json()).dump() +
               " now";
    }
    return "; the losses of all steps are the same";
  }

  std::string run_again(Workbench& bench, const std::string& name, int64_t stop) const {
    RunPlan plan;
    plan.name = replay.method.name;
    plan.folder = scratch + "/" + name;
    plan.method = replay.method;
    plan.lr = replay.lr;
    plan.seed = replay.seed;
    plan.keep_model = false;
    plan.stop_after = stop;
    check_identity(plan, bench);
    Progress progress(name, replay.run.steps);
    plan.progress = [&](const StepPoint& p, int64_t, double rate) {
      progress.update(p.step, {p.loss, p.learning_rate, rate});
    };
    if (stop > 0) {
      try {
        run_training(plan, bench);
        fail(folder, ": the run was not stopped after step ", stop);
      } catch (const Interrupted&) {
        if (interrupted()) throw;  // by Ctrl-C, not by us
      }
      plan.stop_after = 0;
      plan.resume = true;
    }
    std::string digest = run_training(plan, bench).result.digest;
    progress.finish();
    return digest;
  }

  int go() {
    std::string where = folder + "/manifest.json";
    require(fs::exists(where), folder,
            ": no manifest.json; give the folder of a finished run, as 'afina train' writes it");
    manifest = parse_json_file(where);
    replay = parse_replay(manifest, where);
    // Where it ran: another device gives other bits.
    replay.model.device = parse_word<DeviceChoice>("device", manifest.value("device", "cpu"));
    if (const std::string tables = other_regex_library(manifest); !tables.empty())
      std::cout << "note: " << tables << '\n';
    repeat_choices(manifest.value("choices", Json::object()), where);
    const std::string expected = get<std::string>(manifest, "digest", where);
    require(!expected.empty(), folder, ": the run diverged, so that there is nothing to verify");
    stop_after = stop_after_given.value_or(replay.run.steps / 2);
    require(
        whole_only || replay.run.steps == 1 || (stop_after >= 1 && stop_after < replay.run.steps),
        "--stop-after ", stop_after, ": expected 1 to ", replay.run.steps - 1);
    std::cout << "the run              " << expected << "\n" << std::flush;
    check_adapter(expected);
    replay.run.samples = 0;
    replay.run.save_every = 0;
    replay.run.eval_every = replay.run.steps;
    const ComputeScope scope = replay.model.scope();
    Workbench bench = open_workbench(replay.model, replay.data, replay.run);
    measure_base(bench);
    Scratch working(scratch);
    bool same = compare(bench, "whole", "done again", 0, expected);
    if (!whole_only && replay.run.steps > 1)
      same &= compare(bench, "resumed", "resumed after " + std::to_string(stop_after), stop_after,
                      expected);
    std::cout << (same ? "verified: every bit is the same\n" : "NOT verified\n");
    return same ? 0 : 1;
  }

  bool compare(Workbench& bench, const std::string& name, std::string title, int64_t stop,
               const std::string& expected) const {
    std::string found = run_again(bench, name, stop);
    title.resize(std::max<size_t>(title.size() + 1, 21), ' ');
    std::cout << title << found
              << (found == expected ? "  the same"
                                    : "  ANOTHER" + first_difference(scratch + "/" + name))
              << "\n"
              << std::flush;
    return found == expected;
  }
};

int verify(const std::vector<std::string>& words) {
  Verify command;
  Options options("verify", intro);
  options.add("Run", command);
  options.may_lead("run");
  if (!begin(options, words)) return 0;
  while (command.folder.size() > 1 && command.folder.back() == '/') command.folder.pop_back();
  if (command.scratch.empty()) command.scratch = command.folder + "/verify";
  return command.go();
}

REGISTER_COMMAND("verify", "run a run again and compare every bit", verify);

}  // namespace

}  // namespace afina
