// One training step: forward and backward over the micro-batches, the gradient's norm, clipping,
// the update.
#include "engine/train/trainer.h"

#include <optional>

#include "engine/ops/adamw.h"
#include "engine/tape.h"
#include "engine/train/complete_gradients.h"
#include "engine/train/not_finite.h"
#include "engine/train/step_graphs.h"

namespace afina {

// One update in progress.
struct Trainer::Step {
  size_t micro_batches;
  const Forward& forward;
  StepReport report;  // step, steps, targets and lr are set; the rest is filled in on the way
  Tensor penalty = {};
  double loss_scale() const { return 1. / double(report.targets); }
};

namespace {

bool finite(double x) { return x - x == 0.; }

// Sums the losses of rows in order, in f64, so that the sum does not depend on the split into
// micro-batches.
double add_losses(double sum, const Tensor& losses) {
  for (double one : losses.values64()) sum += one;
  return sum;
}

// Divides the time of a step among its phases.
class Laps {
 public:
  explicit Laps(StepReport& report) : report_(report) {}
  // Adds the seconds since the last call, or since construction, to the phase.
  void end(Phase phase) {
    double now = seconds_now();
    report_.seconds[int(phase)] += now - last_;
    last_ = now;
  }

 private:
  StepReport& report_;
  double last_ = seconds_now();
};

// The loop over micro-batches: forward, take_losses(losses, whether they are the step's first),
// then backward(tape, loss).
template <class Step, class TakeLosses, class Backward>
void run_micro_batches(const Step& step, Laps& laps, TakeLosses take_losses, Backward backward) {
  for (size_t i = 0; i < step.micro_batches; ++i) {
    Tape tape;
    Loss loss;
    {
      PhaseScope phase(Phase::forward);
      loss = step.forward(i, step.loss_scale());
      take_losses(loss.losses, i == 0);
    }
    laps.end(Phase::forward);
    PhaseScope phase(Phase::backward);
    backward(tape, loss);
    laps.end(Phase::backward);
  }
}

void run_backward(Tape& tape, const Loss& loss) {
  if (loss.total.needs_grad()) tape.backward(loss.total);
}

}  // namespace

uint64_t checksum(const Tensor& t) {
  if (!holds_bytes(t.device())) return 0;
  if (t.blocks()) return checksum_of_blocks(t);
  Tensor host = t.device() == Device::cpu ? t.detached() : t.to(Device::cpu);
  const unsigned char* p = host.data<unsigned char>();
  uint64_t lane[4] = {1, 2, 3, 4}, word;
  size_t n = host.bytes(), i = 0;
  for (; i + 32 <= n; i += 32)
    for (int l = 0; l < 4; ++l) {
      std::memcpy(&word, p + i + 8 * l, 8);
      lane[l] = (lane[l] ^ word) * 0x9E3779B97F4A7C15ull;
      lane[l] ^= lane[l] >> 29;
    }
  for (; i < n; ++i) lane[0] = (lane[0] ^ p[i]) * 0x100000001b3ull;
  uint64_t all = n;
  for (uint64_t l : lane) {
    all = (all ^ l) * 0x9E3779B97F4A7C15ull;
    all ^= all >> 31;
  }
  return all;
}

Trainer::Trainer(std::vector<Parameter*> trained, const TrainOptions& options, StepPart* part)
    : trained_(std::move(trained)),
      options_(options),
      part_(part && part->takes_part() ? part : nullptr) {
  require(!trained_.empty(), "this method trains nothing: no parameter is marked as trained");
  require(!options.apply_as_you_go || options.clip == 0.,
          "--apply-as-you-go updates weights before the norm of all gradients is known, so that it "
          "cannot be clipped to ",
          options.clip, "; add --clip 0, or leave out --apply-as-you-go");
  require(!options.apply_as_you_go || !part_,
          "this method needs all gradients of a step at once, and --apply-as-you-go frees them one "
          "by one; leave out --apply-as-you-go");
  optimizer_ = make_optimizer(options.optimizer, trained_);
  Device device = trained_[0]->master.device();
  if (!options.apply_as_you_go && AsyncStep::possible(*optimizer_, device)) {
    async_ = std::make_unique<AsyncStep>(trained_, *optimizer_);
    graphs_ = std::make_unique<StepGraphs>(device, trained_.size(),
                                           part_ ? GraphUse::off : options.graphs);
  }
  resumed(0);
}

Trainer::~Trainer() = default;

void Trainer::resumed(int64_t steps_done) {
  done_ = steps_done;
  start_checksum_.clear();
  for (Parameter* p : trained_) {
    p->refresh();
    start_checksum_.push_back(checksum(p->master));
  }
}

std::vector<std::string> Trainer::unchanged() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < trained_.size(); ++i)
    if (checksum(trained_[i]->master) == start_checksum_[i] &&
        !(part_ && part_->sets(*trained_[i])))
      names.push_back(trained_[i]->name);
  return names;
}

std::vector<std::pair<std::string, Tensor>> Trainer::state() {
  std::vector<std::pair<std::string, Tensor>> all;
  for (Parameter* p : trained_) all.push_back({p->name, p->master});
  for (auto& one : optimizer_->state()) all.push_back(one);
  if (part_)
    for (auto& one : part_->step_state()) all.push_back(one);
  return all;
}

std::string Trainer::why_no_graphs() const {
  if (part_) return "the method takes part in every step, on the host";
  if (graphs_) return graphs_->why_not();
  if (options_.apply_as_you_go)
    return "weights are updated one by one, as their gradients come (--apply-as-you-go)";
  if (const char* why = afina::why_no_graphs(trained_[0]->master.device())) return why;
  return "the optimizer '" + options_.optimizer.name + "' updates weights one by one";
}

StepReport Trainer::step(size_t micro_batches, int64_t targets, const Forward& forward,
                         const StepKind* kind) {
  require(targets > 0, "step ", done_ + 1,
          " has no target token, so there is nothing to learn from its rows; look at the data with "
          "'afina show'");
  require(!options_.apply_as_you_go || micro_batches == 1,
          "--apply-as-you-go needs steps of one micro-batch, not of ", micro_batches,
          "; use --accumulate 1");
  Step step{micro_batches, forward, {}};
  step.report.step = done_ + 1;
  step.report.targets = targets;
  step.report.lr = options_.schedule.at(done_);
  step.report.steps = options_.schedule.steps;
  try {
    if (async_) run_on_device(step, kind);
    else run_on_host(step);
  } catch (...) {
    if (part_) part_->abandon_step();
    throw;
  }
  if (part_) finish_part(step.report);
  ++done_;
  return step.report;
}

// A step that the host follows: it reads each loss, computes the norm and updates weight by weight.
void Trainer::run_on_host(Step& step) {
  StepReport& report = step.report;
  const bool eager = options_.apply_as_you_go;
  std::optional<CompleteGradients> complete;
  if (eager) complete.emplace(trained_);
  Laps laps(report);
  double sum = 0.;
  auto take_losses = [&](const Tensor& losses, bool) {
    sum = add_losses(sum, losses);
    report.loss = sum * step.loss_scale();
  };
  auto backward = [&](Tape& tape, const Loss& loss) {
    if (!eager) run_backward(tape, loss);
    else if (finite(report.loss)) update_eagerly(step, tape, loss, *complete);
  };
  step.penalty = run_penalty();
  run_micro_batches(step, laps, take_losses, backward);
  complete_part();
  if (step.penalty) report.penalty = step.penalty.item();
  PhaseScope phase(Phase::optimizer);
  if (!eager || !finite(report.loss)) update_all(step);
  laps.end(Phase::optimizer);
}

// The global norm in f64, parameter after parameter; then the update. Throws if loss or norm is not
// finite.
void Trainer::update_all(Step& step) {
  StepReport& report = step.report;
  double squares = finite(report.loss) ? 0. : report.loss;
  if (finite(report.loss))
    for (Parameter* p : trained_) squares += complete_and_square(*p);
  report.gradient_norm = math::sqrt(squares);
  if (!finite(report.loss) || !finite(report.gradient_norm)) {
    drop_gradients();
    fail_not_finite(step);
  }
  if (options_.clip > 0. && report.gradient_norm > options_.clip)
    report.gradient_scale = options_.clip / (report.gradient_norm + 1e-6);
  for (size_t i = 0; i < trained_.size(); ++i) update(i, report.lr, report.gradient_scale);
}

// The backward pass with the updates in it. Their time is moved from the backward phase to the
// optimizer's.
void Trainer::update_eagerly(Step& step, Tape& tape, const Loss& loss,
                             CompleteGradients& complete) {
  StepReport& report = step.report;
  std::vector<double> squares(trained_.size(), 0.);
  auto update_one = [&](size_t i) {
    PhaseScope phase(Phase::optimizer);
    double start = seconds_now();
    squares[i] = complete_and_square(*trained_[i]);
    if (!finite(squares[i]))
      throw NotFinite(report.step, "step " + std::to_string(report.step) + ": the gradient of '" +
                                       trained_[i]->name +
                                       "' is not finite, and with --apply-as-you-go other weights "
                                       "of this step have been updated already; lower the "
                                       "learning rate and go on from the last checkpoint");
    update(i, report.lr, 1.);
    double spent = seconds_now() - start;
    report.seconds[int(Phase::optimizer)] += spent;
    report.seconds[int(Phase::backward)] -= spent;
  };
  if (loss.total.needs_grad())
    tape.backward(loss.total, [&] {
      for (size_t i : complete.take()) update_one(i);
    });
  for (size_t i : complete.missing()) update_one(i);
  double sum = 0.;
  for (double one : squares) sum += one;  // in the order of parameters, as update_all adds them
  report.gradient_norm = math::sqrt(sum);
}

// A step that waits for the device once, at its end. Phases get the seconds of launching their
// work; the wait counts as the optimizer's. The time of a replayed step is divided between forward
// and backward in proportion to their FLOPs.
void Trainer::run_on_device(Step& step, const StepKind* kind) {
  StepReport& report = step.report;
  StepNumbers numbers;
  numbers.loss_scale = step.loss_scale();
  numbers.step = uint64_t(done_);
  numbers.clip = options_.clip;
  optimizer_->number(numbers, report.lr, done_);
  const double start = seconds_now();
  const FlopCount before = flops();
  async_->begin(numbers);
  graphs_->run(kind, [&](WeightTable& table) {
    try {
      launch(step, table);
    } catch (...) {
      drop_gradients();
      throw;
    }
  });
  if (meanwhile_) meanwhile_();
  double waiting = seconds_now();
  StepRecord record = async_->read();
  report.seconds[int(Phase::optimizer)] += seconds_now() - waiting;
  if (graphs_->last_replayed()) {
    double ahead = double(flops().of[int(Phase::forward)] - before.of[int(Phase::forward)]),
           back = double(flops().of[int(Phase::backward)] - before.of[int(Phase::backward)]),
           all = seconds_now() - start;
    double share = ahead + back > 0. ? ahead / (ahead + back) : 1. / 3;
    report.seconds[int(Phase::forward)] = share * all;
    report.seconds[int(Phase::backward)] = (1. - share) * all;
    report.seconds[int(Phase::optimizer)] = 0.;
  }
  report.loss = record.loss * numbers.loss_scale;
  report.gradient_norm = record.norm;
  report.gradient_scale = record.scale;
  if (step.penalty) report.penalty = step.penalty.item();
  if (record.not_finite != 0.) fail_not_finite(step);
}

// Gives the device everything from the first micro-batch to the update; waits for nothing.
void Trainer::launch(Step& step, WeightTable& table) {
  Laps laps(step.report);
  StepScope numbers(trained_[0]->master.device(), async_->device_numbers(), async_->numbers(),
                    table.captured);
  auto take_losses = [&](const Tensor& losses, bool first) { async_->add_loss(losses, first); };
  step.penalty = run_penalty();
  run_micro_batches(step, laps, take_losses, run_backward);
  complete_part();
  PhaseScope phase(Phase::optimizer);
  for (Parameter* p : trained_) complete_gradient(*p);
  async_->update_all(table);
  if (!part_) drop_gradients();
  laps.end(Phase::optimizer);
}

void Trainer::complete_gradient(Parameter& p) {
  p.add_uses();
  if (p.value.grad().touched()) return;
  require(done_ > 0, "no gradient reached the trained parameter '", p.name,
          "' in the first step; nothing in the forward pass uses it");
  p.value.grad().sum();  // zeros: the parameter was not used in this step
}

// Completes a parameter's gradient and returns the sum of its squares.
double Trainer::complete_and_square(Parameter& p) {
  complete_gradient(p);
  Tensor squares({1}, Dtype::f64, p.master.device());
  kernel::squared_norm(squares, p.value.grad().value());
  return squares.item();
}

void Trainer::update(size_t i, double lr, double gradient_scale) {
  optimizer_->update(i, *trained_[i], lr, gradient_scale, done_);
  if (!part_) trained_[i]->value.grad().drop();  // the next step's activations can use the memory
}

void Trainer::drop_gradients() {
  for (Parameter* p : trained_) {
    p->value.grad().drop();
    for (Tensor& use : p->uses) use.grad().drop();
  }
}

// Ends a step whose loss or norm is not finite; no weight has been updated.
void Trainer::fail_not_finite(const Step& step) {
  try {
    find_not_finite(step);
  } catch (const Error& found) { throw NotFinite(step.report.step, found.what()); }
  fail("step ", step.report.step, ": the loss is ", step.report.loss, " and the gradient's norm ",
       step.report.gradient_norm,
       ", yet every tensor is finite when the step runs again; the machine's memory may be at "
       "fault");
}

// Runs the step again and throws at the first tensor that is not finite, in the order in which they
// are computed.
void Trainer::find_not_finite(const Step& step) {
  struct Checking {
    const std::vector<Parameter*>& all;
    explicit Checking(const std::vector<Parameter*>& trained) : all(trained) {
      clear();
      Tape::check_finite(true);
    }
    ~Checking() {
      clear();
      Tape::check_finite(false);
    }
    void clear() {
      for (Parameter* p : all) {
        p->add_uses();
        p->value.grad().clear();
      }
    }
  } checking(trained_);
  for (Parameter* p : trained_) {
    int64_t position = first_not_finite(p->master);
    require(position < 0, "step ", step.report.step, ": the trained weight '", p->name,
            "' holds a value that is not finite at position ", position,
            "; lower the learning rate");
  }
  run_penalty();
  for (size_t i = 0; i < step.micro_batches; ++i) {
    Tape tape;
    Loss loss = step.forward(i, step.loss_scale());
    run_backward(tape, loss);
    for (Parameter* p : trained_) {
      p->add_uses();
      if (!p->value.grad().touched()) continue;
      int64_t position = first_not_finite(p->value.grad().value());
      require(position < 0, "step ", step.report.step, ": the gradient of '", p->name,
              "' is not finite at position ", position, "; lower the learning rate");
    }
  }
}

}  // namespace afina
