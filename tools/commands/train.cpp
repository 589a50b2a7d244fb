// train: one run by one method.
#include <iostream>
#include <sstream>

#include "engine/files/atomic_file.h"
#include "tools/foresight/prediction_table.h"
#include "tools/foresight/room.h"
#include "tools/foresight/speed.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/report/facts.h"
#include "tools/report/row_findings.h"
#include "tools/results/machine.h"
#include "tools/runs/earlier.h"
#include "tools/runs/folder_lock.h"
#include "tools/runs/found_rows.h"
#include "tools/runs/judging.h"
#include "tools/runs/measuring.h"
#include "tools/runs/rates.h"
#include "tools/runs/run.h"
#include "tools/runs/scores.h"
#include "tools/runs/token_words.h"
#include "tools/text/colour.h"
#include "tools/text/progress.h"
#include "tools/text/wrap.h"

namespace afina {

namespace {

constexpr const char* intro =
    "Fine-tunes a model by one method and writes the adapter (or model), log.jsonl and "
    "manifest.json into --out. The same options give "
    "the\n"
    "same bits alone or inside 'afina compare', stopped and resumed or not, on any number of "
    "threads.\n\n"
    "  afina train --model data/pocket --data data/samples/support.jsonl --method "
    "lora:rank=8,lr=3e-3 --steps 60 --out runs/lora";

struct TrainCommandOptions {
  std::string method, out, findings;
  std::optional<double> lr;
  bool resume = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("method", o.method, Bits::special,
      "the method with its options: full:lr=1e-4, lora:rank=8,lr=1e-3 (required unless --adapter "
      "names what to go on from)",
      naming(Names::methods));
    v("lr", o.lr, Bits::special, "learning rate, unless the method names it");
    v("out,o", o.out, Bits::keep, "folder for everything that is written",
      required.naming(Names::folders));
    v("resume", o.resume, Bits::keep, "continue from the newest checkpoint in --out");
    v("findings", o.findings, Bits::keep, findings_help, naming(Names::files));
  }
};

// A sentence that may be wider than a terminal.
void print_line(const std::string& text) {
  std::cout << filled(text, size_t(stdout_columns()), 2) << "\n";
}

// The losses of rows with findings: in a table, and in report.html of the run's folder.
void show_findings(const RunPlan& plan, const Workbench& bench, const RunResult& r,
                   const std::vector<std::string>& words) {
  if (const std::string note = found_note(bench, r); !note.empty()) print_line("note: " + note);
  if (!r.row_findings) return;
  std::string command = "afina train";
  for (const std::string& word : words) command += " " + word;
  std::cout << "\n" << row_findings_table(*r.row_findings, stdout_columns()) << "\n";
  AtomicFile page(plan.folder + "/report.html");
  page.write(row_findings_page(r, label_of(plan.method), command, utc_now()));
  page.commit();
}

int train(const std::vector<std::string>& words) {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  TrainCommandOptions asked;
  Options options("train", intro);
  options.add("Run", asked);
  options.add("Model", model);
  options.add("Data", data);
  options.add("Training", run);
  if (!begin(options, words)) return 0;
  require_rules(options, run);
  options.not_both("steps", "epochs");
  require(!options.given("epochs") || run.epochs > 0, "--epochs ", run.epochs,
          ": expected more than 0");
  if (asked.method.empty() && model.adapter.empty())
    throw UsageError(
        "afina train: --method is missing (lora:rank=8,lr=1e-3); see 'afina train "
        "--help'");
  const ComputeScope scope = model.scope();
  RunPlan plan;
  plan.folder = asked.out;
  plan.resume = asked.resume;
  plan.method = model.adapter.empty() ? parse_method(asked.method)
                                      : method_of_adapter(model.adapter, asked.method);
  std::vector<double> rates = take_rates(plan.method, asked.lr.value_or(0.));
  require(rates.size() == 1,
          "train takes one learning rate; 'afina compare' searches among several");
  make_method(plan.method);
  plan.lr = rates[0];
  plan.seed = run.seed;
  plan.name = plan.method.name;
  refuse_within(plan.folder);
  refuse_around(plan.folder);
  const FolderLock lock(plan.folder);
  plan.locked = true;
  // Something foreign is said before anything is read.
  measure_as_before(data, look_into(plan.folder).replay);
  Workbench bench = open_workbench(model, data, run, Measured::share);
  run = bench.run;  // with --epochs as steps
  open_found(bench, asked.findings);
  plan.method = with_token_numbers(plan.method, bench.tokenizer);
  if (look_for_beginning(plan, bench).is == Beginning::anew && plan.resume)
    bench.notes.push_back("there was nothing to resume in " + plan.folder +
                          ": the run began at step 1");
  Predictions predictions(bench, Speed::here(std::cout, model.usable_device()));
  require_room(predictions,
               find_memory_limit(options.general().memory_limit, "", model.usable_device()),
               {{plan.method, plan.seed}});
  plan.predicted = predictions.of(plan.method, plan.seed);
  print_line("train: " + bench.train.summary());
  print_line("held out: " + measuring_sentence(bench));
  std::cout << "\n"
            << prediction_table({{label_of(plan.method), *plan.predicted}}, false, stdout_columns())
            << "\n"
            << std::flush;
  measure_base(bench, shown_answers("answers of the untouched model"));
  Progress progress(label_of(plan.method), run.steps);
  plan.answered = shown_answers("answers of the trained model");
  plan.warn = [](const std::string& note) {
    std::cout << "warning: " << note << "\n" << std::flush;
  };
  plan.progress = [&](const StepPoint& p, int64_t, double rate) {
    progress.update(p.step, {p.loss, p.learning_rate, rate});
  };
  plan.watched = [&](const EvaluationPoint& p) { progress.say(watch_sentence(p)); };
  RunOutcome outcome = run_training(plan, bench);
  progress.finish();
  const RunResult& r = outcome.result;
  for (const auto* notes : {&bench.notes, &outcome.notes})
    for (const std::string& note : *notes) print_line("note: " + note);
  print_line(time_sentence(r));
  std::cout << std::flush;
  require(!r.diverged, plan.folder, ": ", label_of(plan.method), " with lr ", plan.lr,
          " diverged at step ", r.diverged.value_or(0), " of ", run.steps, ": ",
          outcome.why_diverged.empty() ? "the held-out loss after it is not finite"
                                       : outcome.why_diverged,
          ". What it did until then is in its folder");
  std::ostringstream losses;
  losses << "held-out loss " << bench.before.heldout << " -> " << r.after.heldout;
  if (r.after.retain)
    losses << ", retention loss " << *bench.before.retain << " -> " << *r.after.retain;
  print_line(losses.str());
  print_line(predicted_sentence(label_of(plan.method), r));
  if (!asked.findings.empty()) show_findings(plan, bench, r, words);
  std::cout << "digest " << r.digest << "\nwritten to " << plan.folder << "\n" << std::flush;
  require(outcome.unchanged.empty(), plan.name, ": ", outcome.unchanged);
  return 0;
}

REGISTER_COMMAND("train", "fine-tune a model by one method", train);

}  // namespace

}  // namespace afina
