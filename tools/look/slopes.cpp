// Slopes against gradients.
#include "tools/look/slopes.h"

#include <algorithm>
#include <cmath>

#include "engine/random.h"
#include "engine/tape.h"
#include "model/files/save.h"
#include "tools/runs/step.h"

namespace afina {

namespace {

// Runs it; an error about a dtype is explained.
template <class Work>
auto in_f64(const MethodSpec& method, Work work) {
  try {
    return work();
  } catch (const Error& e) {
    const std::string said = e.what();
    if (said.find("f64") == said.npos) throw;
    fail("gradcheck computes in f64, and something in this model or in the method '", method.text,
         "' has no form in f64 (", said,
         "). Register the kernel for f64 too, or write the operation in primitives "
         "(docs/how-to-add.md)");
  }
}

double root_mean_square(const Tensor& t) {
  const double* x = t.data<double>();
  double sum = 0;
  for (int64_t i = 0; i < t.size(); ++i) sum += x[i] * x[i];
  return std::sqrt(sum / double(std::max<int64_t>(1, t.size())));
}

// Different positions, spread over the tensor: one in each of `count` equal parts.
std::vector<int64_t> positions(int64_t size, int64_t count, const Random& random) {
  std::vector<int64_t> all;
  if (size <= count) {
    for (int64_t i = 0; i < size; ++i) all.push_back(i);
    return all;
  }
  for (int64_t i = 0; i < count; ++i) {
    const int64_t from = size * i / count, to = size * (i + 1) / count;
    all.push_back(from +
                  std::min(to - from - 1, int64_t(random.uniform(uint64_t(i)) * float(to - from))));
  }
  return all;
}

}  // namespace

double ParameterSlope::share() const {
  const double difference = std::fabs(gradient - slope);
  return std::isfinite(difference) && allowed > 0 ? difference / allowed : 1e300;
}

SlopeCheck::~SlopeCheck() = default;

SlopeCheck::SlopeCheck(const Workbench& bench, const MethodSpec& method,
                       const SlopeOptions& options)
    : options_(options) {
  require(options.elements >= 1, "--elements ", options.elements, ": expected at least 1");
  require(options.tolerance > 0 && options.tolerance < 1, "--tolerance ", options.tolerance,
          ": expected more than 0, less than 1");
  require(options.move >= 0 && options.move <= 1, "--move ", options.move, ": expected 0 to 1");
  in_f64(method, [&] {
    BuildOptions build = bench.model.build(bench.run.seed, Device::cpu);
    build.dtype = Dtype::f64;
    build.base = {};  // f64 has no blocks
    model_ = build_model(bench.opened->config, *bench.opened->source, make_method(method), build);
  });
  if (!bench.model.adapter.empty()) load_adapter(bench.model.adapter).apply(*model_);
  require(!model_->parameters->trained().empty(), "the method '", method.text,
          "' trains nothing, so there is no gradient to check");
  const BatchSource source(bench.train, batch_options(bench.run, bench.data, bench.run.seed));
  int64_t targets = 0;
  for (const Batch& batch : source.next_step(0)) {
    inputs_.push_back(inputs_of(batch, bench.run.seed, 0));
    targets += batch.target_count;
    tokens_ += batch.rows * batch.length;
  }
  require(targets > 0, "the first step has no target token; look at the data with 'afina show'");
  scale_ = 1. / double(targets);
  move_weights();
  in_f64(method, [&] { take_gradients(); });
}

// So that what begins at zero (LoRA's B) hides no gradient.
void SlopeCheck::move_weights() {
  if (options_.move == 0) return;
  for (Parameter* p : model_->parameters->trained()) {
    const Random random(options_.seed, "gradcheck", p->name);
    double* x = p->value.data<double>();
    for (int64_t i = 0; i < p->shape.size(); ++i)
      x[i] += options_.move * double(random.normal(uint64_t(i)));
  }
}

double SlopeCheck::loss_now() {
  double sum = model_->method->takes_part() ? model_->method->penalty().item() : 0.;
  for (const Inputs& inputs : inputs_) sum += model_->loss(inputs, scale_).total.item();
  return sum;
}

void SlopeCheck::take_gradients() {
  loss_ = 0;
  auto add = [&](const Tensor& loss, Tape& tape) {
    loss_ += loss.item();
    if (loss.needs_grad()) tape.backward(loss);
  };
  if (model_->method->takes_part()) {
    Tape tape;
    if (const Tensor penalty = model_->method->penalty()) add(penalty, tape);
  }
  for (const Inputs& inputs : inputs_) {
    Tape tape;
    add(model_->loss(inputs, scale_).total, tape);
  }
  for (Parameter* p : model_->parameters->trained()) p->add_uses();
}

double SlopeCheck::slope(Parameter& p, int64_t element, double h) {
  double& x = p.value.data<double>()[element];
  const double before = x, up = before + h, down = before - h;
  x = up;
  const double above = loss_now();
  x = down;
  const double below = loss_now();
  x = before;
  return (above - below) / (up - down);
}

ParameterSlope SlopeCheck::check(Parameter& p) {
  ParameterSlope worst;
  worst.name = p.name;
  worst.shape = p.shape.text();
  worst.added = p.added;
  worst.size = p.shape.size();
  const Tensor gradient = p.value.grad().value();
  const double h = std::max(1e-5, 1e-3 * root_mean_square(p.value)),
               rounding = 64. * 0x1p-53 * std::max(1., std::fabs(loss_)) / h;
  const Random random(options_.seed, "elements", p.name);
  for (int64_t at : positions(worst.size, options_.elements, random)) {
    ParameterSlope one = worst;
    one.at = at;
    one.gradient = gradient ? gradient.data<double>()[at] : 0.;
    one.slope = slope(p, at, h);
    auto relative = [&] {
      return options_.tolerance * std::max(std::fabs(one.slope), std::fabs(one.gradient));
    };
    one.allowed = relative() + rounding;
    if (!(std::fabs(one.slope - one.gradient) <= one.allowed)) {
      const double wide = slope(p, at, 2. * h), near = one.slope;
      one.slope = (4. * near - wide) / 3.;
      one.allowed = relative() + 2. * rounding + std::fabs(near - wide) / 10.;
    }
    if (!worst.checked || one.share() > worst.share()) {
      const int64_t checked = worst.checked;
      worst = one;
      worst.checked = checked;
    }
    ++worst.checked;
  }
  return worst;
}

std::vector<ParameterSlope> SlopeCheck::go(const std::function<void(int64_t, int64_t)>& progress) {
  std::vector<ParameterSlope> all;
  const std::vector<Parameter*> trained = model_->parameters->trained();
  for (Parameter* p : trained) {
    all.push_back(check(*p));
    progress(int64_t(all.size()), int64_t(trained.size()));
  }
  std::stable_sort(all.begin(), all.end(), [](const ParameterSlope& a, const ParameterSlope& b) {
    return a.share() > b.share();
  });
  return all;
}

}  // namespace afina
