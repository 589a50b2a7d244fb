// compare: the same model fine-tuned by several methods under equal conditions, and what each cost,
// learned and forgot.
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "engine/files/atomic_file.h"
#include "tools/foresight/prediction_table.h"
#include "tools/foresight/room.h"
#include "tools/foresight/speed.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/report.h"
#include "tools/results/machine.h"
#include "tools/runs/earlier.h"
#include "tools/runs/earlier_comparison.h"
#include "tools/runs/folder_lock.h"
#include "tools/runs/found_rows.h"
#include "tools/runs/interrupt.h"
#include "tools/runs/judging.h"
#include "tools/runs/measuring.h"
#include "tools/runs/rates.h"
#include "tools/runs/run.h"
#include "tools/runs/scores.h"
#include "tools/runs/token_words.h"
#include "tools/text/colour.h"
#include "tools/text/format.h"
#include "tools/text/progress.h"

namespace afina {

namespace {

namespace fs = std::filesystem;

constexpr const char* intro =
    "Fine-tunes one model by each --method on the same batches in the same order, measures what "
    "each run costs, learns and forgets, and\n"
    "writes results.json, summary.md and report.html (opens offline) to --out.\n\n"
    "  afina compare --model data/pocket --data data/samples/support.jsonl \\\n"
    "      --retain data/samples/general.jsonl \\\n"
    "      --method full:lr=1e-3 --method lora:rank=8,lr=1e-3/3e-3/1e-2 --steps 60 --out "
    "runs/first\n\n"
    "Several rates (lr=1e-4/3e-4/1e-3) are searched: each gets the whole budget, the best held-out "
    "loss is chosen, and the final figures\n"
    "come from rows that the choice never saw. --seeds K repeats the chosen rate with K seeds, for "
    "means and 95 % intervals. A rate that diverges ends its own run only.\n\n"
    "With --resume the same command goes on where it was stopped; and methods, rates and seeds are "
    "added to a comparison that is\n"
    "finished, where all other options are the same: what it holds stays in its results.";

std::string rate_text(double rate) {
  std::ostringstream out;
  out << rate;
  return out.str();
}

struct Compare : ComparisonOptions {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  std::string memory_limit, findings;
  std::map<std::string, std::string> options;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    ComparisonOptions::each(o, v);
    v("findings", o.findings, Bits::keep, findings_help, naming(Names::files));
  }

  RunOutcome run_one(Workbench& bench, Predictions& predictions, const MethodSpec& spec,
                     double rate, uint64_t seed, Overall& overall) const {
    RunPlan plan;
    plan.method = spec;
    plan.lr = rate;
    plan.seed = seed;
    plan.resume = resume;
    plan.keep_model = keep_models;
    plan.predicted = predictions.of(spec, seed);
    plan.name = folder_of(spec) + "/lr-" + rate_text(rate) + "/seed-" + std::to_string(seed);
    plan.folder = out + "/runs/" + plan.name;
    Progress progress(label_of(spec) + ", lr " + rate_text(rate) + ", seed " + std::to_string(seed),
                      bench.run.steps);
    overall.begin();
    progress.part_of(&overall);
    bool seen = false;
    plan.warn = [](const std::string& note) {
      std::cout << "warning: " << note << "\n" << std::flush;
    };
    plan.progress = [&](const StepPoint& p, int64_t steps, double rate_now) {
      if (!seen && p.step > 1) {
        progress.start_from(p.step - 1);
        overall.began_at(double(p.step - 1) / double(steps));
      }
      seen = true;
      progress.update(p.step, {p.loss, p.learning_rate, rate_now});
    };
    plan.watched = [&](const EvaluationPoint& p) { progress.say(watch_sentence(p)); };
    plan.answered = shown_answers("answers of " + label_of(spec));
    RunOutcome outcome = run_training(plan, bench);
    progress.finish();
    for (const std::string& note : outcome.notes)
      bench.notes.push_back(label_of(spec) + ", lr " + rate_text(rate) + ", seed " +
                            std::to_string(seed) + ": " + note);
    if (const std::string note = found_note(bench, outcome.result); !note.empty())
      bench.notes.push_back(label_of(spec) + ", lr " + rate_text(rate) + ", seed " +
                            std::to_string(seed) + ": " + note);
    if (!outcome.unchanged.empty())
      bench.notes.push_back(label_of(spec) + ", lr " + rate_text(rate) + ", seed " +
                            std::to_string(seed) + ": " + outcome.unchanged);
    if (outcome.result.diverged) note_divergence(bench, label_of(spec), outcome);
    if (outcome.interrupted)
      throw Interrupted("interrupted when " + plan.name +
                        " was done; go on with the same command and --resume");
    outcome.result.name = plan.name;
    outcome.result.folder = "runs/" + plan.name;
    return outcome;
  }

  // What a search finds out is no error: the run is over, and the comparison goes on.
  void note_divergence(Workbench& bench, const std::string& label,
                       const RunOutcome& outcome) const {
    const RunResult& r = outcome.result;
    std::string note = label + ", lr " + rate_text(r.learning_rate) + ", seed " +
                       std::to_string(r.seed) + ": diverged at step " +
                       std::to_string(*r.diverged) + " of " + std::to_string(bench.run.steps);
    if (!outcome.why_diverged.empty()) note += ": " + outcome.why_diverged;
    std::cout << note << "\n" << std::flush;
    bench.notes.push_back(std::move(note));
  }

  // in_vain: gets the words of a chosen run that changed nothing.
  MethodResult run_method(Workbench& bench, Predictions& predictions,
                          const EarlierComparison& earlier, const std::string& text,
                          Overall& overall, std::string& in_vain) const {
    MethodSpec spec = parse_method(text);
    std::vector<double> rates = take_rates(spec, lr.value_or(0.));
    rates = earlier.rates(spec, std::move(rates));
    MethodResult method;
    method.label = label_of(spec);
    method.spec = text;
    method.kind = spec.name;
    std::vector<RunOutcome> tried;
    std::optional<size_t> chosen;
    for (double rate : rates) {
      tried.push_back(run_one(bench, predictions, spec, rate, run.seed, overall));
      const RunOutcome& last = tried.back();
      if (!last.result.diverged && std::isfinite(last.choice) &&
          (!chosen || last.choice < tried[*chosen].choice))
        chosen = tried.size() - 1;
    }
    // Where all diverged, the smallest rate stands for the method.
    const size_t best =
        chosen.value_or(size_t(std::min_element(rates.begin(), rates.end()) - rates.begin()));
    if (!tried[best].unchanged.empty()) in_vain = method.label + ": " + tried[best].unchanged;
    method.learning_rate = rates[best];
    method.options = tried[best].method_options;
    method.stored_as = tried[best].stored_as;
    for (size_t i = 0; rates.size() > 1 && i < rates.size(); ++i) {
      const RunResult& r = tried[i].result;
      SearchRow row{rates[i],        run.seed,       r.steps,     r.tokens,  r.seconds.training(),
                    tried[i].choice, r.after.retain, chosen == i, r.diverged};
      if (!r.diverged) row.gain = r.before.heldout - r.after.heldout;
      if (!r.diverged && r.before.retain && r.after.retain)
        row.forgetting = *r.after.retain - *r.before.retain;
      method.search.push_back(row);
    }
    if (chosen && rates.size() > 2 && (best == 0 || best + 1 == rates.size()))
      bench.notes.push_back(method.label + ": the best rate, " + rate_text(rates[best]) +
                            ", is at the edge of those searched; a better one may lie beyond");
    method.runs.push_back(std::move(tried[best].result));
    const int64_t times = chosen ? earlier.seeds(spec, seeds) : 1;
    for (int64_t k = 1; k < times; ++k)
      method.runs.push_back(
          run_one(bench, predictions, spec, rates[best], run.seed + uint64_t(k), overall).result);
    return method;
  }

  // A table of what every method will cost; an Error when one does not fit into memory.
  std::string predicted(Predictions& predictions) const {
    std::vector<std::pair<MethodSpec, uint64_t>> runs;
    std::vector<Predicted> all;
    for (const std::string& text : methods) {
      MethodSpec spec = parse_method(text);
      take_rates(spec, lr.value_or(0.));
      all.push_back({label_of(spec), predictions.of(spec, run.seed)});
      runs.push_back({spec, run.seed});
    }
    require_room(predictions, find_memory_limit(memory_limit, "", model.usable_device()), runs);
    return prediction_table(all, false, stdout_columns());
  }

  // What each run is expected to take, in the order of the runs: predicted seconds where there are
  // some, else all are equal.
  std::vector<double> expected(Predictions& predictions, const EarlierComparison& earlier) const {
    std::vector<double> all;
    for (const std::string& text : methods) {
      MethodSpec spec = parse_method(text);
      const size_t rates = earlier.rates(spec, take_rates(spec, lr.value_or(0.))).size();
      const Prediction& one = predictions.of(spec, run.seed);
      all.insert(all.end(), rates + size_t(earlier.seeds(spec, seeds)) - 1,
                 one.timed ? one.seconds.total() : 0);
    }
    return all;
  }
  static std::string runs_text(const std::vector<double>& expected) {
    double seconds = 0;
    bool timed = true;
    for (double one : expected) {
      seconds += one;
      timed = timed && one > 0;
    }
    return std::to_string(expected.size()) + (expected.size() == 1 ? " run" : " runs") +
           (timed ? ", about " + format_seconds(seconds) : "") + "\n";
  }

  int go(const std::string& command) {
    require(!methods.empty(),
            "no --method; for example --method full:lr=1e-4 --method lora:rank=8,lr=1e-3");
    std::vector<MethodSpec> specs = check_methods();
    refuse_within(out);
    refuse_around(out);
    const FolderLock lock(out);
    const EarlierComparison earlier(out);
    std::cout << "Reading model and data\n" << std::flush;
    const ComputeScope scope = model.scope();
    measure_as_before(data, earlier.replay());
    Workbench bench = open_workbench(model, data, run, Measured::share);
    open_found(bench, findings);
    for (std::string& method : methods) method = with_token_numbers(method, bench.tokenizer);
    specs = check_methods();
    earlier.check(bench, specs, resume);
    Predictions predictions(bench, Speed::here(std::cout, model.usable_device()));
    std::cout << "  train: " << bench.train.summary()
              << "\n  held out: " << measuring_sentence(bench) << "\n\n"
              << predicted(predictions);
    Overall overall("run", expected(predictions, earlier));
    std::cout << runs_text(expected(predictions, earlier)) << "\nEvaluating the untouched model\n"
              << std::flush;
    measure_base(bench, shown_answers("answers of the untouched model"));
    Comparison c;
    c.title = title.empty()
                  ? bench.described.name + " on " + fs::path(data.data.front()).stem().string()
                  : title;
    c.version = version();
    c.commit = afina::commit();
    c.created = utc_now();
    c.command = command;
    c.options = options;
    std::string in_vain;
    for (const std::string& text : methods)
      c.methods.push_back(run_method(bench, predictions, earlier, text, overall, in_vain));
    c.model = bench.described;
    c.data = bench.files;
    c.machine = this_machine();
    c.notes = bench.notes;
    earlier.keep(c);
    const std::vector<std::string> failed = write_comparison(c, out);
    std::cout << "\n" << terminal_table(c, stdout_has_colour(), stdout_columns());
    for (const std::string& note : failed) std::cout << "Note: " << note << "\n";
    if (failed.empty())
      std::cout << "\nReport: " << out << "/report.html (opens in a browser, offline)\n";
    std::cout << std::flush;
    require_some_rate(c);
    require(in_vain.empty(), in_vain, " The results are in ", out);
    return 0;
  }

  // A method whose every rate diverged has no figures to compare: said when all others are written.
  void require_some_rate(const Comparison& c) const {
    std::string without;
    for (const MethodResult& method : c.methods) {
      bool all = !method.runs.empty();
      for (const RunResult& one : method.runs) all = all && one.diverged;
      if (all) without += (without.empty() ? "'" : ", '") + method.label + "'";
    }
    require(without.empty(), "every rate of ", without,
            " diverged; the results of what there is are in ", out,
            ". Give lower rates: with --resume they are added, as in lr=1e-5/1e-4");
  }

  // The methods without rates. A wrong one, or two that are the same or called the same, are said
  // before any work is done.
  std::vector<MethodSpec> check_methods() const {
    std::vector<MethodSpec> specs;
    std::map<std::string, std::string> folders, in_force, called;
    for (const std::string& text : methods) {
      MethodSpec spec = parse_method(text);
      for (std::set<std::string> names; double rate : take_rates(spec, lr.value_or(0.)))
        require(names.insert(rate_text(rate)).second, "method '", text, "': two rates are ",
                rate_text(rate), " as their folder is named; name each rate once");
      const MethodSpec whole = make_method(spec)->in_force;
      std::string all = whole.name;
      for (auto& [key, value] : whole.options) all += " " + key + "=" + value;
      for (const auto& [known, what] : {std::pair{&folders, folder_of(spec)}, {&in_force, all}}) {
        auto [place, fresh] = known->emplace(what, text);
        require(fresh, "--method ", text, ": is the same method as --method ", place->second,
                "; name it once, with all its rates, as in --method ", spec.name, ":lr=1e-4/3e-4");
      }
      auto [place, fresh] = called.emplace(label_of(spec), text);
      require(fresh, "--method ", text, ": is called '", label_of(spec), "' as is --method ",
              place->second, "; give one of them another name, as in name=", spec.name, "-2");
      specs.push_back(spec);
    }
    return specs;
  }
};

int compare(const std::vector<std::string>& words) {
  Compare c;
  Options options("compare", intro);
  options.add("Comparison", c);
  options.at("out").required = true;
  options.add("Model", c.model);
  options.add("Data", c.data);
  options.add("Training", c.run);
  options.leave_out("adapter");
  if (!begin(options, words)) return 0;
  require_rules(options, c.run);
  options.not_both("steps", "epochs");
  require(!options.given("epochs") || c.run.epochs > 0, "--epochs ", c.run.epochs,
          ": expected more than 0");
  c.options = options.readable();
  c.memory_limit = options.general().memory_limit;
  require(c.seeds >= 1, "--seeds ", c.seeds, ": expected at least 1");
  std::string command = "afina compare";
  for (const std::string& word : words)
    command += " " + (word.find_first_of(" *'\"$") == std::string::npos ? word : "'" + word + "'");
  return c.go(command);
}

REGISTER_COMMAND("compare",
                 "fine-tune one model by several methods under equal conditions, and report",
                 compare);

}  // namespace

}  // namespace afina
