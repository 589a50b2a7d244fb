// Training again without rows, from states that a run with all rows has left.
#include "tools/runs/counterfactual.h"

#include <algorithm>

#include "tools/runs/observation.h"

namespace afina {

namespace {

std::unique_ptr<Model> build_for(const Workbench& bench, const MethodSpec& method) {
  auto model = build(bench, make_method(method), bench.run.seed);
  Costs costs;
  look_at_data(*model, bench.train, batch_options(bench.run, bench.data, bench.run.seed), costs);
  return model;
}

}  // namespace

Batch masked(const Batch& batch, const std::set<int64_t>& rows, int64_t all_rows, int64_t& left) {
  Batch out = batch;
  left = 0;
  for (size_t i = 0; i < out.targets.size(); ++i) {
    if (out.samples[i] >= 0 && rows.count(out.samples[i] % all_rows)) out.targets[i] = -1;
    left += out.targets[i] >= 0;
  }
  return out;
}

Counterfactual::Counterfactual(const Workbench& bench, const MethodSpec& method, double lr,
                               int64_t states, int64_t most_bytes)
    : bench_(bench),
      seed_(bench.run.seed),
      steps_(bench.run.steps),
      model_(build_for(bench, method)),
      trainer_(model_->parameters->trained(), bench.run.train(lr), model_->method.get()),
      source_(bench.train, batch_options(bench.run, bench.data, seed_)) {
  require(!trainer_.options().apply_as_you_go,
          "--apply-as-you-go keeps no state to go on from; leave it out");
  require_unpacked(*model_, batch_options(bench.run, bench.data, seed_));
  const int64_t rows = int64_t(bench.train.rows.size());
  uses_.assign(size_t(rows), 0);
  first_.assign(size_t(rows), -1);
  for (int64_t step = 0; step < steps_; ++step)
    for (const Batch& batch : source_.next_step(step)) {
      std::set<int64_t> seen;
      for (int64_t use : batch.samples)
        if (use >= 0) seen.insert(use);
      for (int64_t use : seen) {
        ++uses_[size_t(use % rows)];
        int64_t& first = first_[size_t(use % rows)];
        if (first < 0) first = step;
      }
    }
  int64_t bytes = 0;
  for (auto& [name, tensor] : trainer_.state()) bytes += int64_t(tensor.bytes());
  states = std::clamp<int64_t>(std::min(states, most_bytes / std::max<int64_t>(1, bytes)), 1,
                               std::max<int64_t>(1, steps_));
  for (int64_t i = 0; i < states; ++i) wanted_.push_back(i * steps_ / states);
}

void Counterfactual::keep(int64_t step) {
  PurposeScope purpose(Purpose::workspace);
  std::vector<Tensor> tensors;
  for (auto& [name, tensor] : trainer_.state()) {
    tensors.emplace_back(tensor.shape(), tensor.dtype(), tensor.device());
    tensors.back().copy_from(tensor);
  }
  at_.push_back(step);
  kept_.push_back(std::move(tensors));
}

void Counterfactual::restore(size_t state) {
  size_t i = 0;
  for (auto& [name, tensor] : trainer_.state()) tensor.copy_from(kept_.at(state).at(i++));
  trainer_.resumed(at_[state]);
}

void Counterfactual::step(int64_t number, const std::set<int64_t>& without, bool keeping) {
  const std::vector<Batch> batches = source_.next_step(number);
  if (keeping && watched) watched(number, batches);
  int64_t targets = 0;
  std::vector<Batch> own;
  std::vector<bool> silent;  // no target is left: the batch counts nothing
  for (const Batch& batch : batches) {
    int64_t left = 0;
    targets += batch.target_count;
    own.push_back(masked(batch, without, int64_t(bench_.train.rows.size()), left));
    silent.push_back(left == 0);
    if (left == 0) own.back().targets = batch.targets;
  }
  trainer_.step(own.size(), targets, [&](size_t i, double scale) {
    return model_->loss(inputs_of(own[i], seed_, number, model_->parameters->device),
                        silent[i] ? 0. : scale);
  });
  if (progress) progress(number + 1);
}

void Counterfactual::run(int64_t from, const std::set<int64_t>& without, bool keeping) {
  for (int64_t number = from; number < steps_; ++number) {
    if (keeping && std::find(wanted_.begin(), wanted_.end(), number) != wanted_.end()) keep(number);
    step(number, without, keeping);
  }
}

Evaluation Counterfactual::look() {
  return evaluate(*model_, bench_.final, bench_.run.batch, bench_.data.length);
}

Evaluation Counterfactual::with_all() {
  require(at_.empty(), "the run with all rows was made already");
  run(0, {}, true);
  keep(steps_);
  return all_ = look();
}

size_t Counterfactual::state_for(const std::set<int64_t>& rows) const {
  int64_t first = steps_;
  for (int64_t row : rows)
    if (first_use(row) >= 0) first = std::min(first, first_use(row));
  size_t state = 0;
  while (state + 1 < at_.size() && at_[state + 1] <= first) ++state;
  return state;
}

int64_t Counterfactual::steps_for(const std::set<int64_t>& rows) const {
  return steps_ - at_.at(state_for(rows));
}

Evaluation Counterfactual::without(const std::set<int64_t>& rows) {
  require(!at_.empty(), "the run with all rows comes first");
  const size_t state = state_for(rows);
  if (at_[state] == steps_) return all_;
  restore(state);
  run(at_[state], rows, false);
  return look();
}

std::string Counterfactual::digest() const {
  return digest_of(std::as_const(*model_->parameters).trained());
}

}  // namespace afina
