// step: one training step, to be looked into.
#include <iostream>

#include "engine/nearest.h"
#include "tools/foresight/room.h"
#include "tools/look/breakpoint.h"
#include "tools/look/look_at.h"
#include "tools/look/own_file.h"
#include "tools/look/step_page.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/rates.h"
#include "tools/runs/token_words.h"
#include "tools/text/format.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Makes one training step and shows what happened in it: every operation in order,
forward, backward and update, with shapes, time, FLOPs, the memory held and what for,
norms of values and gradients, and its lines in the source. Writes one page that opens
offline, with a picture of the memory; a click on an operation shows its histogram,
extreme values, parents and what it saved for backward.

  afina step --model data/pocket --data data/samples/support.jsonl --method full \
    --method lora:rank=8
  afina step --model data/pocket --data data/samples/support.jsonl --method lora:rank=8 --text
  afina step --model data/pocket --data data/samples/support.jsonl --checkpoint block \
    --step 2 --out two.html

The step is the one that 'afina train' would make with the same options, to the bit: it is
made once unwatched, and both results are compared. In the first step LoRA's B is zero, and
so is the gradient of A; --step 2 looks at the next.

With --breakpoint the step runs in gdb and stops where an operation has just run, or just
before its backward pass. Names are those of operations or modules, with the number of the
call after a colon:

  afina step --model data/pocket --data data/samples/support.jsonl --breakpoint attention:2
  afina step --model data/pocket --data data/samples/support.jsonl --breakpoint linear.backward
  afina step --model data/pocket --data data/samples/support.jsonl \
    --breakpoint model.layers.0.mlp.down_proj

A program that was built by 'make debug' shows the operation's variables there;
docs/look-inside.md has a session.)";

constexpr const char* page_mark = "<meta name=\"generator\" content=\"afina step\">";

struct StepCommandOptions {
  std::vector<std::string> methods;
  std::optional<double> lr;
  int64_t number = 1;
  std::string out = "step.html", breakpoint;
  bool text = false, all = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("method", o.methods, Bits::keep,
      "a method with its options, as full or lora:rank=8; several are shown side by side",
      shown("full and lora:rank=8").naming(Names::methods));
    v("lr", o.lr, Bits::keep, "learning rate of the methods that do not name one", shown("1e-4"));
    v("step", o.number, Bits::keep, "which step to look at; those before it are made unwatched");
    v("out,o", o.out, Bits::keep,
      "the page to write; one that this command wrote is written over, anything else is not",
      naming(Names::files));
    v("text", o.text, Bits::keep, "print tables to the terminal instead");
    v("all", o.all, Bits::keep,
      "with --text: list every layer, not only the first of those that are alike");
    v("breakpoint", o.breakpoint, Bits::keep,
      "stop in gdb at an operation or a module, as linear, linear:3 (its third call), "
      "attention.backward or model.layers.0.mlp.down_proj");
  }
};

struct StepCommand : StepCommandOptions {
  ModelOptions model;
  DataOptions data;
  RunOptions run;

  struct Asked {
    MethodSpec spec;
    double lr;
  };
  std::vector<Asked> asked() const {
    std::vector<std::string> texts = methods;
    if (!model.adapter.empty()) {
      require(texts.size() <= 1, "--adapter has one method; give --method at most once");
      const std::string text = texts.empty() ? "" : texts[0];
      return {with_rate(method_of_adapter(model.adapter, text))};
    }
    if (texts.empty()) texts = {"full", "lora:rank=8"};
    if (!breakpoint.empty()) texts.resize(1);
    std::vector<Asked> all;
    for (const std::string& text : texts) all.push_back(with_rate(parse_method(text)));
    return all;
  }
  // Of several rates the first.
  Asked with_rate(MethodSpec spec) const {
    spec = with_token_numbers_of(model.path, spec);
    const double rate = take_rates(spec, lr.value_or(1e-4))[0];
    make_method(spec);
    return {spec, rate};
  }

  StepConditions conditions(const Workbench& bench, const SeenStep& step) const {
    std::string files;
    for (const std::string& file : data.data) files += (files.empty() ? "" : " + ") + file;
    return {model.path,
            files,
            {{"data", files},
             {"step", std::to_string(step.number) + " of " + std::to_string(bench.run.steps)},
             {"batch", std::to_string(run.batch) + " x " + std::to_string(run.accumulate) +
                           " rows of up to " + std::to_string(bench.data.length) + " tokens, " +
                           format_grouped(step.tokens) + " in all, " +
                           format_grouped(step.targets) + " with a target"},
             {"dtype", word_of(model.dtype)},
             {"checkpoint", word_of(model.checkpoint)},
             {"device", name(model.usable_device())}}};
  }

  int look(Workbench& bench, const std::vector<Asked>& all) {
    std::vector<SeenStep> steps;
    for (const Asked& one : all) steps.push_back(look_at_step(bench, one.spec, one.lr, number));
    const StepConditions common = conditions(bench, steps[0]);
    if (text) {
      print_steps(std::cout, steps, common, this->all);
      return 0;
    }
    const std::string page = step_page(steps, common);
    write_own_file(out, page, page_mark);
    for (const SeenStep& step : steps)
      std::cout << step.method << ": " << step.operations.size() << " operations, loss "
                << format_loss(step.loss) << "\n";
    std::cout << "written to " << out << ", " << format_bytes(double(page.size()))
              << "; open it in a browser\n";
    return 0;
  }

  int stop(const Workbench& bench, const Asked& one) {
    const BreakpointAt at = read_breakpoint(breakpoint);
    Breakpoint watcher(at);
    make_step(bench, one.spec, one.lr, number, watcher);
    const std::string close = nearest_word(at.name, watcher.names());
    require(watcher.calls() >= std::max<int64_t>(1, at.call), "--breakpoint ", breakpoint,
            ": the step has ", watcher.calls(), " calls of '", at.name, "'",
            at.backward ? " in its backward pass" : "",
            watcher.calls() || close.empty() ? "" : "; did you mean '" + close + "'?",
            "; 'afina step --text' lists all that run");
    std::cout << "the step is done\n";
    return 0;
  }
};

// Returns if this process is the one to be debugged.
void debug(const std::string& breakpoint, const std::vector<std::string>& words) {
  read_breakpoint(breakpoint);
  if (under_debugger()) return;
#ifdef __OPTIMIZE__
  std::cout << "note: this program was built without what a debugger needs to show variables; "
               "'make debug' builds build-debug/afina, which has it\n";
#endif
  std::vector<std::string> all{"step"};
  all.insert(all.end(), words.begin(), words.end());
  start_debugger(all);
  fail("--breakpoint ", breakpoint,
       ": gdb could not be started; install it (apt-get install gdb), or run the same command in "
       "another debugger, with a breakpoint at the function afina_breakpoint");
}

int step(const std::vector<std::string>& words) {
  StepCommand command;
  Options options("step", intro);
  options.add<StepCommandOptions>("Step", command);
  options.add("Model", command.model);
  options.add("Data", command.data);
  options.add("Training", command.run);
  for (const char* unused : {"eval-every", "save-every", "generations", "rule", "rules",
                             "judge-rows", "judge-tokens", "store", "graph"})
    options.leave_out(unused);
  if (!begin(options, words)) return 0;
  options.not_both("steps", "epochs");
  require(!options.given("epochs") || command.run.epochs > 0, "--epochs ", command.run.epochs,
          ": expected more than 0");
  if (!command.breakpoint.empty()) debug(command.breakpoint, words);
  else if (!command.text) require_own_file(command.out, page_mark);  // before any work
  const ComputeScope scope = command.model.scope();
  const std::vector<StepCommand::Asked> asked = command.asked();
  Workbench bench = open_workbench(command.model, command.data, command.run);
  Predictions predictions(bench, nullptr);
  std::vector<std::pair<MethodSpec, uint64_t>> runs;
  for (auto& one : asked) runs.push_back({one.spec, command.run.seed});
  require_room(predictions,
               find_memory_limit(options.general().memory_limit, "", command.model.usable_device()),
               runs);
  return command.breakpoint.empty() ? command.look(bench, asked) : command.stop(bench, asked[0]);
}

REGISTER_COMMAND("step", "look into one training step, operation by operation", step);

}  // namespace

}  // namespace afina
