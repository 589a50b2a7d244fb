// plan: what a comparison would cost, predicted without reading a weight.
#include <filesystem>
#include <iostream>

#include "engine/files/folder.h"
#include "tools/foresight/budget.h"
#include "tools/foresight/prediction_table.h"
#include "tools/foresight/room.h"
#include "tools/foresight/speed.h"
#include "tools/look/own_file.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/results/json_fields.h"
#include "tools/results/machine.h"
#include "tools/runs/judging.h"
#include "tools/runs/measuring.h"
#include "tools/runs/rates.h"
#include "tools/runs/run.h"
#include "tools/runs/token_words.h"
#include "tools/runs/unseen_targets.h"
#include "tools/text/colour.h"
#include "tools/text/format.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    "Predicts what 'afina compare' would cost with the same options: memory at its peak, by "
    "purpose, FLOPs, time and storage. The same\n"
    "code runs forward, backward and update on tensors that have shapes and no bytes, so a model "
    "may be larger than this machine, and a\n"
    "folder with only a config.json is enough. Without --data every row is full and one document, "
    "and every token is a target.\n\n"
    "  afina plan --model data/pocket --data data/samples/support.jsonl --method full --method "
    "lora:rank=16\n"
    "  afina plan --model data/configs/llama-3-8b --method full --method lora:rank=16 --dtype bf16 "
    "--batch 1 --length 2048 --budget 24G\n\n"
    "With --budget the exit status is 0 when every method fits, 3 when one does not but a change "
    "that was tried makes it fit, and 4 when\n"
    "nothing that was tried does. (1: an error. 2: a wrong command line.)";

constexpr const char* plan_mark = "\"afina plan\"";

struct PlanOptions {
  std::string budget;
  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("budget", o.budget, Bits::keep,
      "memory that is available, as 8G: reports what fits, and what to change where a method does "
      "not");
  }
};

struct Plan : ComparisonOptions {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  PlanOptions asked;
  std::string memory_limit;
  OrderedJson found = OrderedJson::object();

  RunShape shape() {
    require(run.epochs == 0 || !data.data.empty(),
            "--epochs: how many steps an epoch has follows from the data; give --data, or --steps");
    if (data.data.empty()) return shape_without_data(model, data, run);
    if (!model.init) weights = weights_of(model.path);
    model.init = true;  // of the model's files no weights are read but the two tables of tokens
    bench = std::make_unique<Workbench>(open_workbench(model, data, run, Measured::share));
    run = bench->run;  // with --epochs as steps
    std::cout << "train: " << bench->train.summary() << "\nheld out: " << measuring_sentence(*bench)
              << "\n";
    return shape_of(*bench);
  }

  // The model's files with their weights; null where there is a config alone.
  static std::unique_ptr<ModelFiles> weights_of(const std::string& path) {
    try {
      return std::make_unique<ModelFiles>(open_model(path));
    } catch (const Error&) { return nullptr; }
  }

  std::vector<MethodSpec> specs() const {
    std::vector<std::string> all = methods;
    if (all.empty()) all = {"full", "lora:rank=16"};
    std::vector<MethodSpec> out;
    for (const std::string& text : all) {
      out.push_back(with_token_numbers_of(model.path, parse_method(text)));
      runs.push_back(int64_t(take_rates(out.back(), lr.value_or(1e-4)).size()) + seeds - 1);
      make_method(out.back());
    }
    return out;
  }

  void print_conditions(const RunShape& s) const {
    const ModelConfig& c = s.config;
    std::cout << model.path << ": " << c.architecture << ", " << c.layers << " layers of width "
              << c.dim << ", vocabulary " << format_grouped(c.vocabulary) << "\n"
              << run.steps << " steps of " << run.batch << " x " << run.accumulate << " rows of "
              << (data.data.empty() ? "" : "up to ") << s.data.length << " tokens, "
              << word_of(model.dtype) << ", checkpoint " << word_of(model.checkpoint) << "\n\n";
  }

  // 0, 3 or 4, and what may be changed.
  int judge(const RunShape& s, const std::vector<MethodSpec>& specs,
            const std::vector<Predicted>& all, int64_t bytes) {
    int status = 0;
    for (size_t i = 0; i < specs.size(); ++i) {
      int64_t needed = all[i].prediction.memory.resident_peak;
      OrderedJson& json = found["methods"][i];
      json["fits"] = needed <= bytes;
      if (needed <= bytes) {
        std::cout << "\n" << all[i].label << " fits in " << format_bytes(double(bytes)) << ".\n";
        continue;
      }
      std::cout << "\n"
                << all[i].label << " does not fit in " << format_bytes(double(bytes)) << ". ";
      bool fits = false;
      json["attempts"] = OrderedJson::array();
      std::vector<Attempt> tried = attempts(s, specs[i], run.seed, bytes);
      for (const Attempt& a : tried) {
        json["attempts"].push_back({{"options", a.options},
                                    {"same_result", a.same_result},
                                    {"bytes", a.memory.resident_peak},
                                    {"fits", a.fits}});
        fits = fits || a.fits;
      }
      std::cout << ways_out(tried);
      status = std::max(status, fits ? 3 : 4);
    }
    return status;
  }

  int go() {
    if (!out.empty()) require_own_file(file_of_out(), plan_mark);
    const ComputeScope scope = model.scope();
    std::vector<MethodSpec> all_specs = specs();
    RunShape s = shape();
    print_conditions(s);
    const Device device = model.predicted_device();
    const Speed* speed = Speed::here(std::cout, device);
    std::vector<Predicted> all;
    found = {{"schema", "afina plan"},
             {"schema_version", 1},
             {"model", model.path},
             {"options", options},
             {"methods", OrderedJson::array()}};
    for (size_t i = 0; i < all_specs.size(); ++i) {
      all.push_back({label_of(all_specs[i]), predict(s, all_specs[i], run.seed, speed)});
      found["methods"].push_back({{"label", all.back().label},
                                  {"runs", runs[i]},
                                  {"prediction", to_json(all.back().prediction)}});
    }
    std::cout << prediction_table(all, true, stdout_columns());
    if (speed) std::cout << "Times by " << speed->described() << ".\n";
    print_whole(all);
    print_beginnings(s, all_specs);
    print_unseen(s, all_specs);
    if (device != Device::cpu)
      std::cout << "\nOn " << name(device) << "; times are predicted for the CPU only.\n";
    MemoryLimit room = device != Device::cuda || present(device)
                           ? find_memory_limit(memory_limit, "", device)
                           : MemoryLimit();
    if (room.bytes && asked.budget.empty())
      std::cout << "\nFree memory here: " << format_bytes(double(room.bytes)) << " (" << room.set_by
                << ")\n";
    int status =
        asked.budget.empty() ? 0 : judge(s, all_specs, all, parse_bytes(asked.budget, "budget"));
    if (!out.empty()) write();
    return status;
  }

  // What is not in the table: the decompositions that some methods begin with.
  void print_beginnings(const RunShape& s, const std::vector<MethodSpec>& specs) {
    for (size_t i = 0; i < specs.size(); ++i) {
      const double seconds = seconds_to_begin(s, specs[i], run.seed);
      if (seconds <= 0) continue;
      std::cout << "\n"
                << label_of(specs[i])
                << ": not counted above are the decompositions before the first step, about "
                << format_seconds(seconds) << " on this machine\n";
      found["methods"][i]["seconds_to_begin"] = seconds;
    }
  }
  // The guard that a run has against targets that pretraining never saw, where there are data and
  // weights: two tables are read.
  void print_unseen(const RunShape& s, const std::vector<MethodSpec>& specs) {
    if (!bench || !weights) return;
    auto built = [&](std::unique_ptr<Method> method) {
      RandomWeights none(run.seed);
      return build_model(s.config, none, std::move(method), s.build(run.seed));
    };
    const std::vector<UnseenTarget> unseen =
        unseen_targets(*weights->source, *built(std::make_unique<Untouched>()), bench->train);
    for (const MethodSpec& spec : specs)
      if (const std::string note = unseen_note(*built(make_method(spec)), label_of(spec), unseen,
                                               bench->train.targets, bench->tokenizer);
          !note.empty())
        std::cout << "\nnote: " << note << "\n";
  }

  // Every rate that is searched and every seed is a run.
  void print_whole(const std::vector<Predicted>& all) const {
    int64_t count = 0;
    double seconds = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const Prediction& one = all[i].prediction;
      count += runs[i];
      seconds += one.timed ? double(runs[i]) * one.seconds.total() : 0;
    }
    if (count == int64_t(all.size()) && all.size() < 2) return;
    std::cout << "\nThe whole comparison: " << count << " runs";
    if (seconds > 0) std::cout << ", about " << format_seconds(seconds);
    std::cout << "\n";
  }

  std::string file_of_out() const { return out.ends_with(".json") ? out : out + "/plan.json"; }

  void write() const {
    const std::string file = file_of_out();
    if (file != out) make_folder(out, "choose another --out");
    write_own_file(file, found.dump(1) + "\n", plan_mark);
    std::cout << "\nwritten to " << file << "\n";
  }

  std::map<std::string, std::string> options;
  std::unique_ptr<Workbench> bench;
  std::unique_ptr<ModelFiles> weights;
  mutable std::vector<int64_t> runs;  // of each method: rates searched and further seeds
};

int plan(const std::vector<std::string>& words) {
  Plan p;
  Options options("plan", intro);
  options.add("Plan", p.asked);
  options.add("Comparison", p);
  options.at("out").help = "file (.json) or folder (for plan.json) to write the prediction to";
  options.add("Model", p.model);
  options.add("Data", p.data);
  options.at("data").required = false;
  options.add("Training", p.run);
  options.leave_out("adapter");
  if (!begin(options, words)) return 0;
  require_rules(options, p.run);
  options.not_both("steps", "epochs");
  require(!options.given("epochs") || p.run.epochs > 0, "--epochs ", p.run.epochs,
          ": expected more than 0");
  p.options = options.in_force();
  p.memory_limit = options.general().memory_limit;
  if (!p.asked.budget.empty()) parse_bytes(p.asked.budget, "budget");
  return p.go();
}

REGISTER_COMMAND("plan", "predict memory, FLOPs, time and storage of a comparison, without weights",
                 plan);

}  // namespace

}  // namespace afina
