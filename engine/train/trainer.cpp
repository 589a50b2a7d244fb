// One training step: forward and backward over the micro-batches, the gradient's norm, clipping,
// the update.
#include "engine/train/trainer.h"

#include "engine/ops/adamw.h"
#include "engine/tape.h"
#include "engine/train/step_graphs.h"

namespace afina {

namespace {

bool finite(double x) { return x - x == 0.; }

// Adds up the rows' losses in order, in f64, so that the sum does not depend on the split into
// micro-batches.
double add_losses(double sum, const Tensor& losses) {
  for (double one : losses.values64()) sum += one;
  return sum;
}

}  // namespace

uint64_t checksum(const Tensor& t) {
  if (!holds_bytes(t.device())) return 0;
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

Trainer::Trainer(std::vector<Parameter*> trained, const TrainOptions& options)
    : trained_(std::move(trained)), options_(options) {
  require(!trained_.empty(), "this method trains nothing: no parameter is marked as trained");
  require(!options.apply_as_you_go || options.clip == 0.,
          "--apply-as-you-go moves weights before the norm of the whole gradient is known, so that "
          "it cannot be clipped to ",
          options.clip, "; add --clip 0, or leave it out");
  optimizer_ = make_optimizer(options.optimizer, trained_);
  Device device = trained_[0]->master.device();
  if (!options.apply_as_you_go && DeviceStep::possible(*optimizer_, device)) {
    device_ = std::make_unique<DeviceStep>(trained_, *optimizer_);
    graphs_ = std::make_unique<StepGraphs>(device, trained_.size(), options.graphs);
  }
  resumed(0);
}

Trainer::~Trainer() = default;

void Trainer::resumed(int64_t steps_done) {
  done_ = steps_done;
  before_.clear();
  for (Parameter* p : trained_) {
    p->refresh();
    before_.push_back(checksum(p->master));
  }
}

std::vector<std::string> Trainer::unchanged() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < trained_.size(); ++i)
    if (checksum(trained_[i]->master) == before_[i]) names.push_back(trained_[i]->name);
  return names;
}

std::vector<std::pair<std::string, Tensor>> Trainer::state() {
  std::vector<std::pair<std::string, Tensor>> all;
  for (Parameter* p : trained_) all.push_back({p->name, p->master});
  for (auto& one : optimizer_->state()) all.push_back(one);
  return all;
}

void Trainer::make_whole(Parameter& p) {
  p.gather_uses();
  if (p.value.grad().touched()) return;
  require(done_ > 0, "no gradient reached the trained parameter '", p.name,
          "' in the first step; nothing in the forward pass uses it");
  p.value.grad().sum();  // zeros: the parameter was not used in this step
}

// Makes a parameter's gradient whole and gives the sum of its squares.
double Trainer::gather(Parameter& p) {
  make_whole(p);
  Tensor norm({1}, Dtype::f64, p.master.device());
  kernel::squared_norm(norm, p.value.grad().value());
  return norm.item();
}

void Trainer::move(size_t i, double lr, double gradient_scale) {
  optimizer_->update(i, *trained_[i], lr, gradient_scale, done_);
  trained_[i]->value.grad().drop();  // the next step's activations can have the memory
}

// Runs the step again, every tensor searched in the order in which it is made.
void Trainer::explain_not_finite(size_t micro_batches, double scale, const Forward& forward) {
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
        p->gather_uses();
        p->value.grad().clear();
      }
    }
  } checking(trained_);
  for (Parameter* p : trained_) {
    int64_t at = first_not_finite(p->master);
    require(at < 0, "step ", done_ + 1, ": the trained weight '", p->name,
            "' holds a value that is not finite at position ", at, "; lower the learning rate");
  }
  for (size_t i = 0; i < micro_batches; ++i) {
    Tape tape;
    Loss loss = forward(i, scale);
    if (loss.total.needs_grad()) tape.backward(loss.total);
    for (Parameter* p : trained_) {
      p->gather_uses();
      int64_t at = p->value.grad().touched() ? first_not_finite(p->value.grad().value()) : -1;
      require(at < 0, "step ", done_ + 1, ": the gradient of '", p->name,
              "' is not finite at position ", at, "; lower the learning rate");
    }
  }
}

// Ends a step whose loss or norm is not finite: nothing has moved.
void Trainer::refuse(size_t micro_batches, const Forward& forward, const StepReport& report) {
  explain_not_finite(micro_batches, 1. / double(report.targets), forward);
  fail("step ", done_ + 1, ": the loss is ", report.loss, " and the gradient's norm ",
       report.gradient_norm,
       ", yet every tensor of the step is finite when it is done again; the machine's memory may "
       "be at fault");
}

// The norm of the gathered gradient over all trained parameters, in f64, parameter after parameter;
// then the update.
void Trainer::move_all(size_t micro_batches, const Forward& forward, StepReport& report) {
  double squares = finite(report.loss) ? 0. : report.loss;
  if (finite(report.loss))
    for (Parameter* p : trained_) squares += gather(*p);
  report.gradient_norm = math::sqrt(squares);
  if (!finite(report.loss) || !finite(report.gradient_norm)) {
    drop_gradients();
    refuse(micro_batches, forward, report);
  }
  double clip_scale = options_.clip > 0. && report.gradient_norm > options_.clip
                          ? options_.clip / (report.gradient_norm + 1e-6)
                          : 1.;
  for (size_t i = 0; i < trained_.size(); ++i) move(i, report.lr, clip_scale);
}

// The backward pass with the updates in it. Their time is taken from the backward pass's.
void Trainer::move_as_they_come(Tape& tape, const Loss& loss, WholeGradients& whole,
                                StepReport& report) {
  std::vector<double> squares(trained_.size(), 0.);
  auto move_one = [&](size_t i) {
    PhaseScope phase(Phase::optimizer);
    double start = seconds_now();
    squares[i] = gather(*trained_[i]);
    require(finite(squares[i]), "step ", done_ + 1, ": the gradient of '", trained_[i]->name,
            "' is not finite, and with --apply-as-you-go other weights of this step have moved "
            "already; lower the learning rate and go on "
            "from the last checkpoint");
    move(i, report.lr, 1.);
    double spent = seconds_now() - start;
    report.seconds[int(Phase::optimizer)] += spent;
    report.seconds[int(Phase::backward)] -= spent;
  };
  if (loss.total.needs_grad())
    tape.backward(loss.total, [&] {
      for (size_t i : whole.take()) move_one(i);
    });
  for (size_t i : whole.missing()) move_one(i);
  double sum = 0.;
  for (double one : squares) sum += one;  // in the order of parameters, as without
  report.gradient_norm = math::sqrt(sum);
}

StepReport Trainer::step(size_t micro_batches, int64_t targets, const Forward& forward,
                         const StepKind* kind) {
  require(targets > 0, "step ", done_ + 1,
          " has no target token: nothing in its rows is to be learnt; look at the data with 'afina "
          "show'");
  const bool as_you_go = options_.apply_as_you_go;
  require(!as_you_go || micro_batches == 1,
          "gradients can be applied as they come (--apply-as-you-go) where a step is one "
          "micro-batch, not ",
          micro_batches, "; use --accumulate 1");
  StepReport report;
  report.step = done_ + 1;
  report.targets = targets;
  report.lr = options_.schedule.at(done_);
  if (device_) return step_on_device(micro_batches, report, forward, kind);
  double scale = 1. / double(targets), sum = 0., last = seconds_now();
  auto lap = [&](Phase phase) {
    double now = seconds_now();
    report.seconds[int(phase)] += now - last;
    last = now;
  };
  for (size_t i = 0; i < micro_batches; ++i) {
    WholeGradients whole(trained_);
    Tape tape;
    Loss loss;
    {
      PhaseScope phase(Phase::forward);
      loss = forward(i, scale);
      sum = add_losses(sum, loss.losses);
    }
    report.loss = sum * scale;
    lap(Phase::forward);
    if (as_you_go && !finite(report.loss)) break;  // nothing has moved: explained below
    PhaseScope phase(Phase::backward);
    if (as_you_go) move_as_they_come(tape, loss, whole, report);
    else if (loss.total.needs_grad()) tape.backward(loss.total);
    lap(Phase::backward);
  }
  PhaseScope phase(Phase::optimizer);
  if (!as_you_go || !finite(report.loss)) move_all(micro_batches, forward, report);
  lap(Phase::optimizer);
  ++done_;
  return report;
}

void Trainer::drop_gradients() {
  for (Parameter* p : trained_) {
    p->value.grad().drop();
    for (Tensor& use : p->uses) use.grad().drop();
  }
}

std::string Trainer::why_no_graphs() const {
  if (graphs_) return graphs_->why_not();
  if (options_.apply_as_you_go)
    return "weights are moved one by one, as their gradients come (--apply-as-you-go)";
  if (const char* why = afina::why_no_graphs(trained_[0]->master.device())) return why;
  return "the optimizer '" + options_.optimizer.name + "' moves weights one by one";
}

// What the device is given, from the first micro-batch to the update; nothing in it waits.
void Trainer::give(size_t micro_batches, double scale, const Forward& forward, StepReport& report,
                   WeightTable& table) {
  double last = seconds_now();
  auto lap = [&](Phase phase) {
    double now = seconds_now();
    report.seconds[int(phase)] += now - last;
    last = now;
  };
  StepScope numbers(trained_[0]->master.device(), device_->numbers_there(), device_->numbers(),
                    table.later);
  for (size_t i = 0; i < micro_batches; ++i) {
    Tape tape;
    Loss loss;
    {
      PhaseScope phase(Phase::forward);
      loss = forward(i, scale);
      device_->add_loss(loss.losses, i == 0);
    }
    lap(Phase::forward);
    PhaseScope phase(Phase::backward);
    if (loss.total.needs_grad()) tape.backward(loss.total);
    lap(Phase::backward);
  }
  PhaseScope phase(Phase::optimizer);
  for (Parameter* p : trained_) make_whole(*p);
  device_->move_all(table);
  drop_gradients();
  lap(Phase::optimizer);
}

// A step that waits for the device once, at its end. The seconds of its phases are those of giving
// the device its work; what is waited for counts as the optimizer's. The time of a replayed step is
// split between forward and backward as their FLOPs are.
StepReport Trainer::step_on_device(size_t micro_batches, StepReport report, const Forward& forward,
                                   const StepKind* kind) {
  StepNumbers numbers;
  numbers.loss_scale = 1. / double(report.targets);
  numbers.step = uint64_t(done_);
  numbers.clip = options_.clip;
  optimizer_->number(numbers, report.lr, done_);
  const double start = seconds_now();
  const FlopCount before = flops();
  device_->begin(numbers);
  graphs_->run(kind, [&](WeightTable& table) {
    try {
      give(micro_batches, numbers.loss_scale, forward, report, table);
    } catch (...) {
      drop_gradients();
      throw;
    }
  });
  if (meanwhile_) meanwhile_();
  double waiting = seconds_now();
  StepRecord record = device_->read();
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
  if (record.not_finite != 0.) refuse(micro_batches, forward, report);
  ++done_;
  return report;
}

}  // namespace afina
