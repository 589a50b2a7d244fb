// Mixtures of experts: routing, the dense loop over experts, and the routers' loss.
#include <algorithm>
#include <cmath>

#include "engine/ops/linear.h"
#include "model/architectures/decoder_block.h"

namespace afina {

namespace {

// x in another dtype, recorded: the gradient is cast back as it is added.
Tensor recorded_cast(const Tensor& x, Dtype dtype) {
  if (x.dtype() == dtype) return x;
  Tensor y(x.shape(), dtype, x.device());
  kernel::cast(y, x.detached());
  return Tape::record("cast", y, {x}, [x_grad = x.grad(), from = x.dtype()](const Tensor& dy) {
    Tensor dx(dy.shape(), from, dy.device());
    kernel::cast(dx, dy);
    x_grad += dx;
  });
}

// What the host must know of a router's logits (rows, experts): the greatest of each row, and which
// are the `chosen` greatest, the first ones among equals.
struct Chosen {
  std::vector<double> greatest, mask;
  Chosen(const std::vector<double>& logits, int64_t experts, int64_t chosen)
      : mask(logits.size(), 0.) {
    std::vector<int64_t> order(static_cast<size_t>(experts));
    for (size_t from = 0; from < logits.size(); from += size_t(experts)) {
      for (int64_t e = 0; e < experts; ++e) order[size_t(e)] = e;
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return logits[from + size_t(a)] > logits[from + size_t(b)];
      });
      greatest.push_back(logits[from + size_t(order[0])]);
      for (int64_t i = 0; i < chosen; ++i) mask[from + size_t(order[size_t(i)])] = 1.;
    }
  }
};

}  // namespace

DecoderExperts::DecoderExperts(const Scope& scope, const DecoderForm& form, int64_t dim)
    : form(form.experts),
      router((scope / form.experts.router).base("weight", {form.experts.count, dim})) {
  for (int64_t e = 0; e < form.experts.count; ++e)
    experts.emplace_back(scope / form.experts.experts / e, form, form.experts.names, dim,
                         form.experts.width);
}

Tensor DecoderExperts::operator()(const Tensor& x, const DecoderPass& pass) const {
  const Shape shape{x.shape()[0], x.shape()[1], form.count};
  const Dtype statistics = statistic_dtype(x.dtype());
  Tensor logits = recorded_cast(linear(x, router.value, Tensor()), statistics);
  Chosen chosen(logits.values64(), form.count, form.chosen);
  auto constant = [&](const std::vector<double>& values, const Shape& of) {
    return Tensor::from(values, of, statistics, x.device());
  };
  Tensor mask = constant(chosen.mask, shape);
  Tensor e = exp(logits - constant(chosen.greatest, {x.rows(), 1}));
  Tensor probabilities = e / sum_columns(e);
  if (pass.choices) {
    pass.choices->probabilities.push_back(probabilities);
    pass.choices->chosen.push_back(mask);
  }
  Tensor weights = probabilities * mask;
  if (form.normalise) weights = weights / sum_columns(weights);
  weights = recorded_cast(weights, x.dtype());
  Tensor y;
  for (int64_t i = 0; i < form.count; ++i) {
    Tensor part = experts[size_t(i)](x, pass.in, pass.recompute_mlp) *
                  reshape(columns(weights, i, 1), {x.rows(), 1});
    y = y ? y + part : part;
  }
  return y;
}

Tensor router_loss(const ExpertForm& form, const RouterChoices& choices, const Inputs& in,
                   double scale) {
  const int64_t layers = int64_t(choices.probabilities.size());
  require(layers > 0, "a router's loss without routers");
  const Shape& shape =
      choices.probabilities[0].shape();  // with virtual tokens, where there are any
  const int64_t B = shape[0], T = shape[1], E = form.count;
  const Dtype dtype = choices.chosen[0].dtype();
  const Device device = choices.chosen[0].device();
  // Sums over the tokens of each row, as products with a 0/1 matrix; and how much a row counts.
  std::vector<double> of_row(size_t(B * B * T), 0.), share(size_t(B), 0.);
  std::vector<int32_t> targets = in.targets.integers();
  for (int64_t b = 0; b < B; ++b)
    for (int64_t t = 0; t < T; ++t) of_row[size_t(b * B * T + b * T + t)] = 1.;
  for (size_t i = 0; i < targets.size(); ++i)
    if (targets[i] >= 0) share[i * size_t(B) / targets.size()] += scale;
  const double tokens = double(layers * T);
  for (double& s : share) s *= form.loss_factor * double(E) / (tokens * tokens);
  Tensor rows = Tensor::from(of_row, {B, B * T}, dtype, device), probable, counted;
  for (int64_t i = 0; i < layers; ++i) {
    Tensor p = matmul(rows, reshape(choices.probabilities[size_t(i)], {B * T, E}));
    Tensor c = matmul(rows, reshape(choices.chosen[size_t(i)], {B * T, E}));
    probable = probable ? probable + p : p;
    counted = counted ? counted + c : c;
  }
  Tensor each = sum_columns(probable * counted) * Tensor::from(share, {B, 1}, dtype, device);
  return sum(each);
}

}  // namespace afina
