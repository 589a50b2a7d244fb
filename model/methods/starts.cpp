// Starts of LoRA's matrices.
#include "model/methods/starts.h"

#include <algorithm>
#include <cmath>

#include "engine/dense.h"
#include "engine/error.h"
#include "engine/nearest.h"
#include "engine/svd.h"
#include "model/words.h"

namespace afina {

namespace {

struct Named {
  Start start;
  const char* name;
};
constexpr Named all_starts[] = {
    {Start::standard, "default"}, {Start::gaussian, "gaussian"}, {Start::orthogonal, "orthogonal"},
    {Start::kaiming, "kaiming"},  {Start::pissa, "pissa"},       {Start::olora, "olora"},
    {Start::mica, "mica"},        {Start::eva, "eva"},           {Start::lora_ga, "lora-ga"},
    {Start::corda, "corda"}};

// sqrt(s / scale) of each row of vt and each column of u.
StartOfAdapter shared_between(const Svd& x, const StartLayer& layer, int64_t first) {
  StartOfAdapter out{x.vt, x.u};
  for (int64_t r = 0; r < layer.rank; ++r) {
    const double root = std::sqrt(x.s[size_t(first + r)] / layer.scale);
    for (int64_t i = 0; i < layer.in; ++i) out.a[size_t(r * layer.in + i)] *= root;
    for (int64_t o = 0; o < layer.out; ++o) out.b[size_t(o * layer.rank + r)] *= root;
  }
  return out;
}

void require_rank(const StartLayer& layer, Start start, int64_t most) {
  require(layer.rank <= most, layer.path, ": start=", name(start), " of rank ", layer.rank,
          " needs as many singular vectors, and this layer (", layer.out, ", ", layer.in, ") has ",
          std::min(layer.in, layer.out), ": rank can be at most ", most,
          "; give a smaller rank, or ranks= for such layers");
}

std::vector<double> normals(const Random& random, int64_t first, int64_t count) {
  std::vector<double> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(double(random.normal(uint64_t(first + i))));
  return out;
}

}  // namespace

const char* name(Start start) {
  for (const Named& one : all_starts)
    if (one.start == start) return one.name;
  return "";
}
Start start_named(const std::string& word, const std::string& label) {
  if (word == "true") return Start::standard;
  if (word == "false") return Start::kaiming;
  std::string dashed = word;
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  std::vector<std::string> known;
  for (const Named& one : all_starts) {
    if (dashed == one.name) return one.start;
    known.push_back(one.name);
  }
  fail(label, "=", word, " is no start", did_you_mean(word, known), "; there are ", joined(known));
}
bool changes_weight(Start start) {
  return start == Start::pissa || start == Start::olora || start == Start::lora_ga ||
         start == Start::corda;
}
bool looks_at_data(Start start) {
  return start == Start::eva || start == Start::lora_ga || start == Start::corda;
}

bool decomposes(Start start) {
  return changes_weight(start) || looks_at_data(start) || start == Start::mica;
}

StartOfAdapter pissa(const StartLayer& layer) {
  require_rank(layer, Start::pissa, std::min(layer.in, layer.out));
  const Svd x = svd(layer.weight, layer.out, layer.in, layer.path, {0, layer.rank});
  return shared_between(x, layer, 0);
}

StartOfAdapter olora(const StartLayer& layer) {
  require_rank(layer, Start::olora, std::min(layer.in, layer.out));
  Qr x = qr(layer.weight, layer.out, layer.in, layer.path, layer.rank);
  return {std::move(x.r), std::move(x.q)};
}

StartOfAdapter mica(const StartLayer& layer) {
  const int64_t all = std::min(layer.in, layer.out);
  require_rank(layer, Start::mica, all);
  Svd x = svd(layer.weight, layer.out, layer.in, layer.path, {all - layer.rank, layer.rank});
  return {std::vector<double>(size_t(layer.rank * layer.in), 0.), std::move(x.u)};
}

StartOfAdapter orthogonal(const StartLayer& layer, const Random& random) {
  const int64_t r = layer.rank, half = r / 2, in = layer.in, out = layer.out;
  require(r % 2 == 0, layer.path, ": start=orthogonal needs an even rank, not ", r);
  const Qr square = qr(normals(random, 0, r * r), r, r, layer.path);
  std::vector<double> even, odd;
  for (int64_t i = 0; i < r; ++i) {
    const auto row = square.q.begin() + i * r;
    (i % 2 ? odd : even).insert((i % 2 ? odd : even).end(), row, row + r);
  }
  const std::vector<double> across =
      dense_product(normals(random, r * r, in * half), even, in, half, r);  // (in, rank)
  StartOfAdapter begin{
      std::vector<double>(size_t(r * in)),
      dense_product(normals(random, r * r + in * half, out * half), odd, out, half, r)};
  for (int64_t i = 0; i < in; ++i)
    for (int64_t j = 0; j < r; ++j) begin.a[size_t(j * in + i)] = across[size_t(i * r + j)] / 10.;
  for (double& x : begin.b) x /= 10.;
  return begin;
}

StartOfAdapter eva(const StartLayer& layer, const std::vector<double>& covariance) {
  require_rank(layer, Start::eva, layer.in);
  Svd x = svd(covariance, layer.in, layer.in, layer.path, {0, layer.rank});
  return {std::move(x.vt), std::vector<double>(size_t(layer.out * layer.rank), 0.)};
}

StartOfAdapter lora_ga(const StartLayer& layer, const std::vector<double>& gradient,
                       const GradientStart& how) {
  const int64_t r = layer.rank, in = layer.in, out = layer.out;
  require_rank(layer, Start::lora_ga, std::min(in, out) / 2);
  const Svd x = svd(gradient, out, in, layer.path + " (gradient)", {0, 2 * r});
  require(x.s[0] > 0., layer.path,
          ": start=lora-ga: the gradient of this layer is zero in all of the data that was looked "
          "at; leave it out of the targets");
  // The numbers of the singular vectors that A and B get.
  auto of_a = [&](int64_t i) {
    return how.direction == GradientStart::ArB2r   ? i
           : how.direction == GradientStart::A2rBr ? r + i
                                                   : 2 * i + 1;
  };
  auto of_b = [&](int64_t i) {
    return how.direction == GradientStart::ArB2r   ? r + i
           : how.direction == GradientStart::A2rBr ? i
                                                   : 2 * i;
  };
  double by_a = 1., by_b = 1.;
  if (how.scale == GradientStart::stable)
    by_b = std::sqrt(std::sqrt(double(out))) / std::sqrt(how.gamma);
  if (how.scale == GradientStart::gd_scale) by_a = by_b = 1. / layer.scale;
  if (const double first = x.s[size_t(of_b(0))];
      how.scale == GradientStart::weight_svd && first > 0.)
    by_b = svd(layer.weight, out, in, layer.path, {0, 0}).s[0] / first;
  StartOfAdapter begin{std::vector<double>(size_t(r * in)), std::vector<double>(size_t(out * r))};
  for (int64_t i = 0; i < r; ++i) {
    for (int64_t j = 0; j < in; ++j)
      begin.a[size_t(i * in + j)] = x.vt[size_t(of_a(i) * in + j)] * by_a;
    for (int64_t o = 0; o < out; ++o)
      begin.b[size_t(o * r + i)] = x.u[size_t(o * 2 * r + of_b(i))] * x.s[size_t(of_b(i))] * by_b;
  }
  return begin;
}

StartOfAdapter corda(const StartLayer& layer, std::vector<double> covariance, bool largest) {
  const int64_t in = layer.in, all = std::min(in, layer.out), r = layer.rank;
  require_rank(layer, Start::corda, all);
  double mean = 0.;
  for (int64_t i = 0; i < in; ++i) mean += covariance[size_t(i * in + i)];
  mean /= double(in);
  for (int64_t i = 0; i < in; ++i) covariance[size_t(i * in + i)] += 0.01 * mean;
  const int64_t first = largest ? 0 : all - r;
  const Svd x = svd(dense_product(layer.weight, covariance, layer.out, in, in), layer.out, in,
                    layer.path + " (times its inputs' covariance)", {first, r});
  StartOfAdapter begin = shared_between(x, layer, first);
  begin.a = dense_solve(std::move(covariance), std::move(begin.a), in,
                        layer.path + " (covariance of its inputs)");
  return begin;
}

}  // namespace afina
