// Merges adapters and measures what merging changed.
#include "model/merge.h"

#include <algorithm>
#include <cmath>

#include "engine/math.h"

namespace afina {

namespace {

// Log-probabilities of one position from its n logits.
std::vector<double> log_probabilities(const double* logits, size_t n) {
  double top = *std::max_element(logits, logits + n), sum = 0.;
  for (size_t i = 0; i < n; ++i) sum += math::exp(logits[i] - top);
  double norm = top + math::log(sum);
  std::vector<double> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = logits[i] - norm;
  return out;
}

void require_mergeable(const Model& model) {
  const std::string why = model.method->why_not_mergeable();
  require(why.empty(), "the adapters cannot be merged into the model: ", why,
          "; use them as adapters ('afina generate --adapter', 'afina export --to peft')");
}

}  // namespace

void merge_adapters(Model& model) {
  require_mergeable(model);
  for (Linear* linear : model.parameters->linears) linear->merge();
  model.ends().merge();
}

MergedAdapters::MergedAdapters(Model& model) : model_(model) {
  require_mergeable(model);
  try {
    for (Linear* linear : model.parameters->linears) {
      if (!linear->adapter) continue;
      keep(linear->weight);
      if (linear->bias) keep(*linear->bias);
      adapters_.emplace_back(linear, linear->merge());
    }
    ends_ = model.ends().merge([this](Parameter& weight) { keep(weight); });
  } catch (...) {
    unmerge();
    throw;
  }
}

void MergedAdapters::keep(Parameter& p) {
  const bool apart = p.master && p.master.data<void>() != p.value.data<void>();
  // What is lent is never written, so that it need not be copied.
  weights_.push_back({&p, p.lent ? p.value : p.value.detached().copy(),
                      apart ? p.master.copy() : Tensor(), p.lent});
}

void MergedAdapters::unmerge() {
  require(merged_, "the adapters were taken out of the weights already");
  merged_ = false;
  for (Kept& kept : weights_) {
    Parameter& p = *kept.parameter;
    p.lent = kept.lent;
    if (kept.lent || kept.value.blocks()) {
      p.value = kept.value;
      continue;
    }
    p.value.copy_from(kept.value);
    if (kept.master) p.master.copy_from(kept.master);
    p.settle();
  }
  weights_.clear();
  for (auto& [linear, adapter] : adapters_) linear->adapter = std::move(adapter);
  adapters_.clear();
  model_.ends().put_back(std::move(ends_));
}

void Agreement::add(const Agreement& other) {
  largest_difference = std::max(largest_difference, other.largest_difference);
  largest_logit = std::max(largest_logit, other.largest_logit);
  const int64_t all = positions + other.positions;
  if (all) kl = (kl * double(positions) + other.kl * double(other.positions)) / double(all);
  positions = all;
  same_choice += other.same_choice;
}

Agreement agreement(const Tensor& before, const Tensor& after) {
  require(before.shape() == after.shape(), "logits ", before.shape().text(), " and ",
          after.shape().text(), " cannot be compared");
  Agreement out;
  std::vector<double> a = before.values64(), b = after.values64();
  size_t n = size_t(before.columns());
  for (size_t i = 0; i < a.size(); ++i) {
    require(std::isfinite(a[i]) && std::isfinite(b[i]),
            "a logit is not finite, so that there is nothing to compare; the weights are damaged "
            "or too large for their dtype");
    out.largest_difference = std::max(out.largest_difference, std::fabs(a[i] - b[i]));
    out.largest_logit = std::max(out.largest_logit, std::fabs(a[i]));
  }
  out.positions = before.rows();
  for (size_t row = 0; row < size_t(out.positions); ++row) {
    const double *x = a.data() + row * n, *y = b.data() + row * n;
    out.same_choice += std::max_element(x, x + n) - x == std::max_element(y, y + n) - y;
    std::vector<double> p = log_probabilities(x, n), q = log_probabilities(y, n);
    for (size_t i = 0; i < n; ++i) out.kl += math::exp(p[i]) * (p[i] - q[i]);
  }
  if (out.positions) out.kl /= double(out.positions);
  return out;
}

Agreement merge_and_check(Model& model, const Inputs& inputs) {
  Tensor before = model.logits(inputs);
  merge_adapters(model);
  return agreement(before, model.logits(inputs));
}

}  // namespace afina
