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

}  // namespace

void merge_adapters(Model& model) {
  std::string why = model.method->why_not_mergeable();
  require(why.empty(), "the adapters cannot be merged into the model: ", why);
  for (Linear* linear : model.parameters->linears) linear->merge();
  model.ends().merge();
}

Agreement agreement(const Tensor& before, const Tensor& after) {
  require(before.shape() == after.shape(), "logits ", before.shape().text(), " and ",
          after.shape().text(), " cannot be compared");
  Agreement out;
  std::vector<double> a = before.values64(), b = after.values64();
  size_t n = size_t(before.columns());
  for (size_t i = 0; i < a.size(); ++i) {
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
