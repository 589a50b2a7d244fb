// gradcheck: are the gradients of a model, a method and data the slopes of the loss?
#include <cstdio>
#include <iostream>
#include <sstream>

#include "tools/look/slopes.h"
#include "tools/look/stats.h"
#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/rates.h"
#include "tools/runs/token_words.h"
#include "tools/text/colour.h"
#include "tools/text/progress.h"
#include "tools/text/table.h"
#include "tools/text/wrap.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Compares the gradient of each trained parameter with the slope of the loss, in f64, on
your own model, method and data: all elements of small parameters, a few of large ones
chosen by --seed. A slope is a central difference; the table shows for each parameter
its worst element, the worst parameter first.

  afina gradcheck --model data/pocket --data data/samples/support.jsonl --method lora:rank=8
  afina gradcheck --model data/pocket --data data/samples/support.jsonl --method full \
    --elements 1 \
    --length 64 --checkpoint block

Trained weights are moved by some noise first (--move), because what begins at zero hides
gradients: with LoRA's B at zero, A has none. The allowed difference is --tolerance of the
gradient, plus what rounding of the loss does to the slope, plus, where these do not
suffice, a tenth of what the slope changes by when its step is doubled. A gradient that is
wrong by a hundred-thousandth is found, unless it is smaller than rounding.

The exit status is 0 when every difference is allowed, and 3 when one is not. (1: an error.
2: a wrong command line.))";

struct GradcheckOptions : SlopeOptions {
  std::string method;
  int64_t rows = 20;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("method", o.method, Bits::keep,
      "the method with its options: full, lora:rank=8 (required unless --adapter names one)",
      naming(Names::methods));
    v("elements", o.elements, Bits::keep,
      "elements to check of each parameter; of one that has no more, all");
    v("tolerance", o.tolerance, Bits::keep, "relative difference that is allowed");
    v("move", o.move, Bits::keep,
      "standard deviation of the noise that trained weights are moved by before; 0: none");
    v("rows", o.rows, Bits::keep, "parameters to list");
  }
};

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

void print(const std::vector<ParameterSlope>& all, int64_t rows) {
  Table table("w");
  table.add({"Parameter", "Gradient", "Slope", "Difference", "Of allowed"});
  for (size_t i = 0; i < std::min(all.size(), size_t(std::max<int64_t>(1, rows))); ++i) {
    const ParameterSlope& p = all[i];
    std::vector<int64_t> extents;
    std::string shape = p.shape.substr(1, p.shape.size() - 2);
    for (size_t from = 0; from < shape.size();) {
      const size_t to = std::min(shape.find(", ", from), shape.size());
      extents.push_back(std::stoll(shape.substr(from, to - from)));
      from = to + 2;
    }
    table.add({p.name + "\n" + index_text(Shape(extents), p.at) + ", checked " +
                   std::to_string(p.checked) + " of " + format_grouped(p.size),
               number(p.gradient), number(p.slope), number(p.gradient - p.slope),
               p.share() < 1e299 ? format_percent(p.share()) : "not finite"});
  }
  table.print(std::cout, size_t(stdout_columns()));
  if (all.size() > size_t(rows)) std::cout << "... and " << all.size() - size_t(rows) << " more\n";
}

int gradcheck(const std::vector<std::string>& words) {
  GradcheckOptions asked;
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  run.batch = 1;  // slopes need many passes: a small batch has the same gradients to check
  data.length = 128;
  Options options("gradcheck", intro);
  options.add("Check", asked);
  options.add("Model", model);
  options.add("Data", data);
  options.add("Training", run);
  for (const char* unused :
       {"dtype",       "device",      "pack-frozen",     "retain", "retain-tokens", "steps",
        "epochs",      "schedule",    "warmup",          "floor",  "weight-decay",  "clip",
        "optimizer",   "beta1",       "beta2",           "eps",    "eval-every",    "save-every",
        "generations", "store",       "apply-as-you-go", "graph",  "rule",          "rules",
        "judge-rows",  "judge-tokens"})
    options.leave_out(unused);
  if (!begin(options, words)) return 0;
  if (asked.method.empty() && model.adapter.empty())
    throw UsageError(
        "afina gradcheck: --method is missing (full, lora:rank=8); see 'afina gradcheck --help'");
  model.device = DeviceChoice::cpu;
  MethodSpec spec = model.adapter.empty()
                        ? with_token_numbers_of(model.path, parse_method(asked.method))
                        : method_of_adapter(model.adapter, asked.method);
  take_rates(spec, 1e-4);
  asked.seed = run.seed;
  if (!options.given("on-too-long")) data.on_too_long = OnTooLong::cut;
  const ComputeScope scope = model.scope();
  Workbench bench = open_workbench(model, data, run);
  SlopeCheck check(bench, spec, asked);
  std::cout << model.path << ", " << spec.text << ", in f64: loss " << number(check.loss())
            << " on " << check.tokens() << " tokens\n\n"
            << std::flush;
  std::unique_ptr<Progress> progress;
  const std::vector<ParameterSlope> all = check.go([&](int64_t done, int64_t of) {
    if (!progress) progress = std::make_unique<Progress>("gradcheck", of);
    progress->update(done);
  });
  if (progress) progress->finish();
  print(all, asked.rows);
  int64_t wrong = 0, checked = 0;
  for (const ParameterSlope& p : all) {
    wrong += p.share() > 1.;
    checked += p.checked;
  }
  std::cout << "\n";
  std::ostringstream said;
  if (wrong)
    said << wrong << " of " << all.size()
         << " parameters have a gradient that is not the slope of the loss";
  else
    said << "every gradient is the slope: " << checked << " elements of " << all.size()
         << " parameters, the worst at " << format_percent(all[0].share()) << " of what is allowed";
  std::cout << filled(said.str(), size_t(stdout_columns()), 2) << "\n";
  return wrong ? 3 : 0;
}

REGISTER_COMMAND("gradcheck", "compare gradients with slopes of the loss, in f64", gradcheck);

}  // namespace

}  // namespace afina
