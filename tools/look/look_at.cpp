// A training step, made several times to be looked at.
#include "tools/look/look_at.h"

#include "tools/look/step_watcher.h"
#include "tools/runs/observation.h"
#include "tools/runs/step.h"

namespace afina {

namespace {

struct Made {
  StepDone done;
  std::string digest;
  Costs costs;
};

// Builds the model, runs the steps before this one, then this one before the eyes of
// `watcher(model)`, which may be null.
Made make(const Workbench& bench, const MethodSpec& spec, double lr, int64_t number,
          const std::function<Watcher*(const Model&)>& watcher) {
  require(number >= 1 && number <= bench.run.steps, "--step ", number, ": expected 1 to ",
          bench.run.steps, ", the number of steps (--steps)");
  auto model = build(bench, make_method(spec), bench.run.seed);
  RunOptions run = bench.run;
  run.graph = GraphUse::off;  // a captured step shows no operations
  Made made;
  look_at_data(*model, bench.train, batch_options(run, bench.data, run.seed), made.costs);
  Trainer trainer(model->parameters->trained(), run.train(lr), model->method.get());
  Steps steps(*model, trainer, bench.train, batch_options(run, bench.data, run.seed), run.steps,
              made.costs);
  for (int64_t i = 0; i + 1 < number; ++i) steps.run(i);
  made.costs = {};
  {
    Watcher* looks = watcher(*model);
    const Watching watching(looks);
    made.done = steps.run(number - 1);
  }
  made.digest = digest_of(std::as_const(*model->parameters).trained());
  return made;
}

}  // namespace

void make_step(const Workbench& bench, const MethodSpec& spec, double lr, int64_t number,
               Watcher& watcher) {
  make(bench, spec, lr, number, [&](const Model&) { return &watcher; });
}

namespace {

// Each operation's least seconds of two passes over the same step.
void keep_least(std::vector<SeenOperation>& kept, const std::vector<SeenOperation>& other) {
  require(kept.size() == other.size(), "the step had ", kept.size(), " operations and then ",
          other.size(), "; this is an error in the program");
  for (size_t i = 0; i < kept.size(); ++i)
    if (other[i].seconds < kept[i].seconds) {
      kept[i].seconds = other[i].seconds;
      kept[i].kernels = other[i].kernels;
    }
}

}  // namespace

SeenStep look_at_step(const Workbench& bench, const MethodSpec& spec, double lr, int64_t number) {
  constexpr int passes = 3;
  constexpr double enough = 10;  // seconds
  const Made unwatched =
      make(bench, spec, lr, number, [](const Model&) -> Watcher* { return nullptr; });
  auto look = [&](bool values) {
    std::unique_ptr<StepWatcher> watcher;
    const Made made = make(bench, spec, lr, number, [&](const Model& model) {
      watcher = std::make_unique<StepWatcher>(model, values);
      return watcher.get();
    });
    require(made.digest == unwatched.digest && made.done.point.loss == unwatched.done.point.loss,
            "looking at the step changed it: a loss of ", made.done.point.loss, " and weights ",
            made.digest, " instead of ", unwatched.done.point.loss, " and ", unwatched.digest,
            "; this is an error in the program");
    return watcher->take();
  };
  const double start = seconds_now();
  std::vector<SeenOperation> timed = look(false).operations;
  for (int pass = 1; pass < passes && seconds_now() - start < enough; ++pass)
    keep_least(timed, look(false).operations);
  SeenStep step = look(true);
  for (SeenOperation& op : step.operations) op.seconds = 1e30;
  keep_least(step.operations, timed);
  step.method = spec.text;
  step.number = number;
  step.tokens = unwatched.costs.tokens;
  step.targets = unwatched.costs.target_tokens;
  step.loss = unwatched.done.point.loss;
  step.gradient_norm = unwatched.done.point.gradient_norm;
  step.lr = unwatched.done.point.learning_rate;
  step.digest = unwatched.digest;
  return step;
}

}  // namespace afina
