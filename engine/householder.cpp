// Householder reflections: made, projected and applied.
#include "engine/householder.h"

#include <algorithm>
#include <cmath>

#include "engine/threads.h"

namespace afina::householder {

namespace {
constexpr int64_t group = 8 * block;  // columns that a thread takes at a time
}

Reflection reflection_of(std::vector<double> x, int64_t from, double& beta) {
  double rest = 0.;
  for (size_t i = 1; i < x.size(); ++i) rest += x[i] * x[i];
  Reflection h{from, std::move(x), 0.};
  const double head = h.v[0];
  h.v[0] = 1.;
  if (rest == 0.) {
    beta = head;
    for (size_t i = 1; i < h.v.size(); ++i) h.v[i] = 0.;  // squares too small for a number
    return h;
  }
  const double length = std::sqrt(head * head + rest);
  beta = head >= 0. ? -length : length;
  h.tau = (beta - head) / beta;
  for (size_t i = 1; i < h.v.size(); ++i) h.v[i] /= head - beta;
  return h;
}

std::vector<double> column_of(Matrix& a, int64_t k, int64_t from) {
  std::vector<double> x(size_t(a.m - from));
  for (int64_t i = from; i < a.m; ++i) x[size_t(i - from)] = a.row(i)[k];
  return x;
}

std::vector<double> projected(Matrix& a, const Reflection& h, int64_t first) {
  std::vector<double> w(size_t(a.stride), 0.);
  if (h.tau == 0.) return w;
  const int64_t start = first / block * block, groups = (a.stride - start + group - 1) / group;
  parallel_for(groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; ++g) {
      const int64_t from = start + g * group, to = std::min(from + group, a.stride);
      double* sum = w.data();
      int64_t i = h.from;
      for (; i + 4 <= a.m; i += 4) {
        const double* v = h.v.data() + (i - h.from);
        const double *r0 = a.row(i), *r1 = a.row(i + 1), *r2 = a.row(i + 2), *r3 = a.row(i + 3);
        for (int64_t j = from; j < to; j += block)
          for (int64_t l = j; l < j + block; ++l)
            sum[l] = (((sum[l] + v[0] * r0[l]) + v[1] * r1[l]) + v[2] * r2[l]) + v[3] * r3[l];
      }
      for (; i < a.m; ++i) {
        const double v = h.v[size_t(i - h.from)];
        const double* row = a.row(i);
        for (int64_t l = from; l < to; ++l) sum[l] += v * row[l];
      }
      for (int64_t l = from; l < to; ++l) sum[l] *= h.tau;
    }
  });
  return w;
}

void apply(const std::vector<Reflection>& hs, double* x) {
  for (size_t t = hs.size(); t-- > 0;) {
    const Reflection& h = hs[t];
    if (h.tau == 0.) continue;
    double w[block] = {};
    double* at = x + h.from * block;
    for (size_t i = 0; i < h.v.size(); ++i)
      for (int64_t l = 0; l < block; ++l) w[l] += h.v[i] * at[int64_t(i) * block + l];
    for (int64_t l = 0; l < block; ++l) w[l] *= h.tau;
    for (size_t i = 0; i < h.v.size(); ++i)
      for (int64_t l = 0; l < block; ++l) at[int64_t(i) * block + l] -= h.v[i] * w[l];
  }
}

std::vector<double> columns(const std::vector<Reflection>& hs, int64_t m, int64_t count,
                            std::vector<double> x) {
  const int64_t blocks = padded(count) / block;
  if (x.empty()) {
    x.assign(size_t(blocks * m * block), 0.);
    for (int64_t j = 0; j < count; ++j) x[size_t(((j / block) * m + j) * block + j % block)] = 1.;
  }
  std::vector<double> out(size_t(m * count));
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      double* at = x.data() + b * m * block;
      apply(hs, at);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = b * block; j < std::min((b + 1) * block, count); ++j)
          out[size_t(i * count + j)] = at[i * block + j % block];
    }
  });
  return out;
}

}  // namespace afina::householder
