// A training run: the loop, what is measured on the way, and what is written at the end.
#include "tools/runs/run.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "engine/choices.h"
#include "engine/files/atomic_file.h"
#include "engine/train/checkpoint.h"
#include "model/files/save.h"
#include "tools/foresight/predict.h"
#include "tools/options/kernel_options.h"
#include "tools/runs/guards.h"
#include "tools/runs/interrupt.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

// The state of one run while it goes.
class Run {
 public:
  Run(const RunPlan& plan, Workbench& bench) : plan_(plan), bench_(bench) {
    trim_memory();
    reset_memory_peak(bench.model.parsed_device());
    model_ = build(bench, make_method(plan.method), plan.seed);
    trainer_ = std::make_unique<Trainer>(model_->parameters->trained(), bench.run.train(plan.lr));
    source_ =
        std::make_unique<BatchSource>(bench.train, batch_options(bench.run, bench.data, plan.seed));
    frozen_ = frozen_checksum(*model_);
    if (trainer_->step_graphs()) {
      inputs_ = std::make_unique<StepInputs>(model_->parameters->device);
      trainer_->meanwhile([this] { send_ahead(); });
    }
    describe();
  }

  RunOutcome go() {
    InterruptScope signals;
    require_space();
    int64_t first = plan_.resume ? resume() : 0;
    if (!first) begin();
    open_log(first);
    const int64_t steps = bench_.run.steps;
    for (int64_t step = first; step < steps; ++step) {
      train_step(step);
      if (looks_after(bench_.run, step + 1)) look(step + 1);
      bool due = bench_.run.save_every > 0 && (step + 1) % bench_.run.save_every == 0;
      const bool stop = step + 1 < steps && (interrupted() || step + 1 == plan_.stop_after);
      if (step + 1 < steps && (due || stop)) save(step + 1);
      if (stop)
        throw Interrupted("interrupted after step " + std::to_string(step + 1) + " of " +
                          std::to_string(steps) + "; go on with the same command and --resume");
    }
    finish();
    outcome_.interrupted = interrupted();
    return std::move(outcome_);
  }

 private:
  RunResult& result() { return outcome_.result; }

  void require_space() {
    int64_t state = 0, bytes = 0;
    for (auto& [name, tensor] : trainer_->state()) state += tensor.size() * int64_t(sizeof(float));
    if (bench_.run.save_every > 0)
      bytes += std::max<int64_t>(0, 3 * state - bytes_in(plan_.folder + "/checkpoints"));
    const bool adapter = !model_->method->peft_config().is_null();
    for (const Parameter& p : model_->parameters->all)
      if (adapter ? p.added : plan_.keep_model)
        bytes += p.shape.size() * int64_t(adapter ? sizeof(float) : size_of(stored_dtype()));
    require_room(plan_.folder, bytes);
  }
  Dtype stored_dtype() const {
    return (bench_.run.store.empty() ? bench_.model.dtype : bench_.run.store) != "f32" ? Dtype::bf16
                                                                                       : Dtype::f32;
  }

  void describe() {
    RunResult& r = result();
    r.name = plan_.name;
    r.folder = plan_.folder;
    r.seed = plan_.seed;
    r.learning_rate = plan_.lr;
    for (const Parameter& p : model_->parameters->all) {
      r.total_parameters += p.shape.size();
      if (p.trained) r.trained_parameters += p.shape.size();
    }
    outcome_.method_options = model_->method->options();
    r.before = bench_.before;
    r.predicted = prediction_of(bench_, plan_.method, plan_.seed);
  }

  // Step 0: the untouched model's figures, and the guard that the method has not changed it.
  void begin() {
    look(0);
    double found = result().evaluations.back().heldout, base = bench_.choice_before;
    if (model_->method->starts_as_pretrained())
      require(found - base < 1e-3 * (1. + base) && base - found < 1e-3 * (1. + base), plan_.name,
              ": before the first step the held-out loss is ", found, " with the method and ", base,
              " without it; '", plan_.method.name, "' should start out as the pretrained model");
  }

  // A look at the rows for choosing and at the retention text.
  void look(int64_t step) {
    double start = seconds_now();
    EvaluationPoint point;
    point.step = step;
    point.tokens = result().tokens;
    point.seconds = result().seconds.training();
    point.heldout = outcome_.choice =
        evaluate(*model_, bench_.choice, bench_.run.batch, bench_.data.length).mean;
    if (!bench_.retain.rows.empty())
      point.retain = evaluate(*model_, bench_.retain, bench_.run.batch, bench_.data.length).mean;
    result().evaluations.push_back(point);
    result().seconds.evaluation += seconds_now() - start;
  }

  void train_step(int64_t step) {
    double start = seconds_now();
    reset_memory_peak(model_->parameters->device);
    FlopCount before = flops();
    std::vector<Batch> batches = next_.empty() ? source_->next_step(step) : std::move(next_);
    next_.clear();
    next_step_ = step + 1;
    int64_t targets = 0, tokens = 0, rows = 0;
    for (const Batch& b : batches) {
      targets += b.target_count;
      tokens += b.token_count;
      rows += b.rows;
    }
    StepReport report = train_on(batches, *model_, *trainer_, plan_.seed, step, inputs_.get());
    RunResult& r = result();
    PhaseSeconds& s = r.seconds;
    s.forward += report.seconds[int(Phase::forward)];
    s.backward += report.seconds[int(Phase::backward)];
    s.optimizer += report.seconds[int(Phase::optimizer)];
    double whole = seconds_now() - start;
    s.other += whole - report.seconds[int(Phase::forward)] - report.seconds[int(Phase::backward)] -
               report.seconds[int(Phase::optimizer)];
    r.flops.forward += double(flops().of[int(Phase::forward)] - before.of[int(Phase::forward)]);
    r.flops.backward += double(flops().of[int(Phase::backward)] - before.of[int(Phase::backward)]);
    r.steps = step + 1;
    r.tokens += tokens;
    r.target_tokens += targets;
    r.samples += rows;
    keep_peak();
    StepPoint point{step + 1, r.tokens, s.training(), report.loss, report.lr, report.gradient_norm};
    r.curve.push_back(point);
    log_ << to_text(log_line(point, double(tokens) / whole), -1) << "\n" << std::flush;
    require(bool(log_), plan_.folder, "/log.jsonl: cannot be written: ", std::strerror(errno),
            "; the run can go on with --resume");
    if (plan_.progress) plan_.progress(point, bench_.run.steps, double(tokens) / whole);
  }

  // While a step runs: the next one's batches are made and uploaded.
  void send_ahead() {
    if (next_step_ >= bench_.run.steps) return;
    next_ = source_->next_step(next_step_);
    inputs_->send_ahead(rows_of(next_), plan_.seed, next_step_);
  }

  static Json log_line(const StepPoint& p, double rate) {
    return {{"step", p.step},           {"loss", p.loss},
            {"lr", p.learning_rate},    {"grad_norm", p.gradient_norm},
            {"tokens", p.tokens},       {"seconds", p.seconds},
            {"tokens_per_second", rate}};
  }

  void keep_peak() {
    MemoryBytes now = memory_at_peak(memory_use(model_->parameters->device));
    now.resident_peak = std::max(result().memory.resident_peak, peak_resident_bytes());
    if (now.peak() < result().memory.peak()) {
      result().memory.resident_peak = now.resident_peak;
      return;
    }
    result().memory = now;
  }

  // What a resumed run must find again: the loss of one row of the next step. One row, so that it
  // costs little beside a step.
  double probe(int64_t step) {
    PhaseScope phase(Phase::evaluation);
    Batch batch = one_row(source_->next_step(step)[0]);
    double sum = 0;
    for (double one :
         model_->loss(inputs_of(batch, plan_.seed, step, model_->parameters->device), 1.)
             .losses.values64())
      sum += one;
    return sum;
  }

  void save(int64_t step) {
    double start = seconds_now();
    Json extra{{"identity", identity_of(plan_, bench_)},
               {"run", Json::parse(to_json(result()).dump())},
               {"choice", outcome_.choice},
               {"probe", probe(step)},
               {"choices", choices()},
               {"unchanged", unchanged()}};
    save_checkpoint(plan_.folder + "/checkpoints", *trainer_, extra);
    result().seconds.saving += seconds_now() - start;
  }

  int64_t resume() {
    std::string folder = plan_.folder + "/checkpoints";
    Resumed resumed = resume_checkpoint(folder, *trainer_);
    std::string damaged;
    for (const std::string& note : resumed.notes) {
      damaged += "\n  " + note;
      bench_.notes.push_back(note);
    }
    require(resumed.step > 0 || resumed.notes.empty(), folder, ": no checkpoint is whole:", damaged,
            "\nRemove the folder to start anew.");
    if (!resumed.step) return 0;
    try {
      return go_on_from(resumed, folder);
    } catch (const JsonError& e) {
      fail(folder, ": the checkpoint of step ", resumed.step,
           " is whole but not as a run writes it (", e.what(),
           "); remove the folder to start anew");
    }
  }
  int64_t go_on_from(const Resumed& resumed, const std::string& folder) {
    Json now = identity_of(plan_, bench_), then = resumed.extra.at("identity");
    for (bool hashes :
         {false,
          true})  // options first: a hash that differs says less than the option it follows from
      for (auto& [key, value] : now.items())
        require((value.is_string() && value.get<std::string>().size() >= 64) != hashes ||
                    then.value(key, Json()) == value,
                folder, ": ", key, " was ", then.value(key, Json()).dump(),
                " when the run was stopped and is ", value.dump(),
                " now; resume with the same options");
    result() = run_from_json(OrderedJson::parse(resumed.extra.at("run").dump()));
    result().folder = plan_.folder;
    outcome_.choice = resumed.extra.at("choice").get<double>();
    repeat_choices(resumed.extra.value("choices", Json::object()),
                   folder);  // libraries go on with the algorithms they had
    double expected = resumed.extra.at("probe").get<double>(), found = probe(resumed.step);
    require(found == expected, folder, ": the loss after resuming is ", found,
            ", when the run was stopped it was ", expected, "; model or data are not the same");
    for (const Json& name : resumed.extra.at("unchanged"))
      unchanged_before_.insert(name.get<std::string>());
    resumed_ = true;
    return resumed.step;
  }

  void open_log(int64_t first) {
    fs::create_directories(plan_.folder);
    std::string whole;
    double before = 0, tokens = 0;
    for (const StepPoint& p : result().curve) {
      double rate = p.seconds > before ? (double(p.tokens) - tokens) / (p.seconds - before) : 0.;
      whole += to_text(log_line(p, rate), -1) + "\n";
      before = p.seconds;
      tokens = double(p.tokens);
    }
    write_text_file(plan_.folder + "/log.jsonl", whole);
    log_.open(plan_.folder + "/log.jsonl", std::ios::app);
    require(bool(log_) && int64_t(result().curve.size()) == first, plan_.folder,
            "/log.jsonl: cannot be written");
  }

  void finish() {
    RunResult& r = result();
    note_graphs();
    require(frozen_checksum(*model_) == frozen_, plan_.name,
            ": a frozen weight changed while training; this is a fault of afina, please report it");
    double start = seconds_now();
    r.after = score(*model_, bench_, &r.examples);
    r.seconds.evaluation += seconds_now() - start;
    start = seconds_now();
    r.generations = bench_.generations;
    std::vector<std::string> said = answers(*model_, bench_);
    for (size_t i = 0; i < said.size(); ++i) r.generations[i].after = said[i];
    r.seconds.generation += seconds_now() - start;
    start = seconds_now();
    r.digest = digest_of(std::as_const(*model_->parameters).trained());
    store();
    r.seconds.saving += seconds_now() - start;
    write_text_file(plan_.folder + "/manifest.json",
                    to_text(manifest_of(plan_, bench_, outcome_)) + "\n");
    Json whole{{"identity", identity_of(plan_, bench_)},
               {"choice", outcome_.choice},
               {"method_options", outcome_.method_options},
               {"stored_as", outcome_.stored_as},
               {"run", Json::parse(to_json(r).dump())}};
    write_text_file(plan_.folder + "/run.json", to_text(whole) + "\n");
    fs::remove_all(plan_.folder + "/checkpoints");
    check_guards();
  }

  // Where graphs were asked for, or the device is fast because of them, it is said why there were
  // none.
  void note_graphs() {
    std::string why = trainer_->why_no_graphs();
    if (why.empty() || (bench_.run.graph != "on" && model_->parameters->device != Device::cuda))
      return;
    std::string note = "not every step was captured as a graph: " + why;
    if (std::find(bench_.notes.begin(), bench_.notes.end(), note) == bench_.notes.end())
      bench_.notes.push_back(note);
  }

  void store() {
    bool adapter = !model_->method->peft_config().is_null();
    std::string folder = plan_.folder + (adapter ? "/adapter" : "/model");
    const Dtype stored = stored_dtype();
    outcome_.stored_as =
        adapter ? "adapter, f32" : std::string("the whole model, ") + afina::name(stored);
    if (adapter) {
      save_adapter(folder, *model_, bench_.model.path);
    } else if (plan_.keep_model) {
      save_model(folder, *model_, stored);
      bench_.tokenizer.save(folder);
    }
    int64_t bytes = 0;
    if (fs::is_directory(folder))
      for (auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".safetensors")
          bytes += int64_t(fs::file_size(entry.path()));
    if (!adapter && !plan_.keep_model) bytes = bytes_to_store(*model_, stored);
    result().storage_bytes = bytes;
  }

  // Trained parameters that are what they were when the run began; the trainer knows this of the
  // time since it was made or resumed.
  std::vector<std::string> unchanged() const {
    std::vector<std::string> names;
    for (const std::string& name : trainer_->unchanged())
      if (!resumed_ || unchanged_before_.count(name)) names.push_back(name);
    return names;
  }

  // Nothing may fail silently: said after everything is on disk.
  void check_guards() {
    if (bench_.run.steps < 2) return;
    std::string same;
    for (const std::string& name : unchanged()) same += " " + name;
    require(same.empty(), plan_.name, ": trained for ", bench_.run.steps,
            " steps, but these parameters are exactly as they began:", same,
            "; is the learning rate (", plan_.lr, ") too small for the dtype?");
  }

  const RunPlan& plan_;
  Workbench& bench_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<BatchSource> source_;
  std::unique_ptr<StepInputs> inputs_;  // on a device that is not waited for
  std::vector<Batch> next_;             // sent ahead, of step next_step_
  int64_t next_step_ = 0;
  std::ofstream log_;
  RunOutcome outcome_;
  uint64_t frozen_ = 0;
  bool resumed_ = false;
  std::set<std::string> unchanged_before_;  // the stop
};

}  // namespace

Json identity_of(const RunPlan& plan, const Workbench& bench) {
  const RunOptions& r = bench.run;
  Schedule s = r.train(plan.lr).schedule;
  Json method = Json::object();
  for (auto& [key, value] : plan.method.options) method[key] = value;
  return {{"method", plan.method.name},
          {"method_options", method},
          {"lr", plan.lr},
          {"seed", plan.seed},
          {"steps", r.steps},
          {"rows_per_step", r.batch * r.accumulate},
          {"length", bench.data.length},
          {"pack", bench.data.packing},
          {"dtype", bench.model.dtype},
          {"schedule", r.schedule},
          {"warmup", s.warmup},
          {"floor", r.floor},
          {"optimizer", r.optimizer},
          {"weight_decay", r.weight_decay},
          {"clip", r.clip},
          {"betas", {r.beta1, r.beta2}},
          {"eps", r.eps},
          {"model", bench.described.hash},
          {"data", bench.train.sha256},
          {"held_out", bench.choice.sha256 + bench.final.sha256},
          {"retain", bench.retain.sha256}};
}

RunOutcome run_training(const RunPlan& plan, Workbench& bench) {
  std::string done = plan.folder + "/run.json";
  if (plan.resume && fs::exists(done)) {
    Json whole = parse_json_file(done);
    if (whole.value("identity", Json()) == identity_of(plan, bench)) {
      RunOutcome outcome;
      outcome.result = run_from_json(OrderedJson::parse(whole.at("run").dump()));
      outcome.choice = whole.at("choice").get<double>();
      outcome.method_options = whole.at("method_options").get<std::map<std::string, std::string>>();
      outcome.stored_as = whole.at("stored_as").get<std::string>();
      return outcome;
    }
  }
  if (!plan.resume) fs::remove_all(plan.folder + "/checkpoints");
  fs::create_directories(plan.folder);
  return Run(plan, bench).go();
}

std::string label_of(const MethodSpec& spec) {
  std::string text = spec.name;
  for (auto& [key, value] : spec.options) text += " " + key + "=" + value;
  return text;
}

std::vector<double> take_rates(MethodSpec& spec, double otherwise) {
  auto given = spec.options.find("lr");
  if (given == spec.options.end()) {
    require(otherwise > 0., "no learning rate for '", spec.text,
            "': give --lr, or lr inside the method, as in --method ", spec.name,
            ":lr=1e-4 (or lr=1e-4/3e-4/1e-3 to search)");
    return {otherwise};
  }
  std::vector<double> rates;
  std::istringstream parts(given->second);
  for (std::string part; std::getline(parts, part, '/');) {
    size_t used = 0;
    double rate = 0;
    try {
      rate = std::stod(part, &used);
    } catch (const std::exception&) {}
    require(used == part.size() && rate > 0. && rate < 1e3, "method '", spec.text, "': lr '", part,
            "' is not a positive number");
    rates.push_back(rate);
  }
  spec.options.erase(given);
  return rates;
}

}  // namespace afina
