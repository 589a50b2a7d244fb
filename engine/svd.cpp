// Singular values and vectors by bidiagonalisation and QR steps; QR by reflections.
#include "engine/svd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/error.h"
#include "engine/householder.h"
#include "engine/threads.h"

namespace afina {

namespace {

using householder::block;
using householder::Matrix;
using householder::Reflection;

// A rotation of columns p and q: x[p] <- c x[p] + s x[q], x[q] <- c x[q] - s x[p].
struct Rotation {
  int32_t p, q;
  double c, s;
};
// c and s with c f + s g = r and c g - s f = 0.
struct Turn {
  double c, s, r;
  Turn(double f, double g) : c(1.), s(0.), r(f) {
    if (g == 0.) return;
    if (std::fabs(f) > std::fabs(g)) {
      const double t = g / f, u = std::sqrt(1. + t * t);
      c = 1. / u;
      s = t * c;
      r = f * u;
    } else {
      const double t = f / g, u = std::sqrt(1. + t * t);
      s = 1. / u;
      c = t * s;
      r = g * u;
    }
  }
};

// A = (left reflections and rotations) diag(d) (right ones)ᵀ, for m >= n, once d has no neighbours.
struct Bidiagonal {
  std::vector<double> d, e;  // the diagonal (n) and what stands right of it (n - 1)
  std::vector<Reflection> left, right;
  std::vector<Rotation> left_turns, right_turns;

  explicit Bidiagonal(Matrix a);
  // Makes e zero; false if it does not come about.
  bool diagonalise();

 private:
  void step(int64_t low, int64_t high);
  void clear_row(int64_t i, int64_t high);
  void clear_column(int64_t low, int64_t high);
  double smallest_of_last(int64_t high) const;
  void turn_left(int64_t p, int64_t q, const Turn& t) {
    left_turns.push_back({int32_t(p), int32_t(q), t.c, t.s});
  }
  void turn_right(int64_t p, int64_t q, const Turn& t) {
    right_turns.push_back({int32_t(p), int32_t(q), t.c, t.s});
  }
};

// The sum of x[l] y[l] over whole blocks: 8 lanes, then a tree.
double dot(const double* x, const double* y, int64_t from, int64_t to) {
  double sum[block] = {};
  for (int64_t j = from; j < to; j += block)
    for (int64_t l = 0; l < block; ++l) sum[l] += x[j + l] * y[j + l];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

Bidiagonal::Bidiagonal(Matrix a) : d(size_t(a.n)), e(size_t(std::max<int64_t>(a.n - 1, 0))) {
  constexpr int64_t grain = 16;
  for (int64_t k = 0; k < a.n; ++k) {
    left.push_back(householder::reflection_of(householder::column_of(a, k, k), k, d[size_t(k)]));
    const Reflection& h = left.back();
    for (int64_t i = k; i < a.m; ++i) a.row(i)[k] = 0.;
    if (k + 1 == a.n) break;
    const std::vector<double> w = householder::projected(a, h, k + 1);
    const int64_t start = (k + 1) / block * block;
    double* first = a.row(k);
    for (int64_t l = k + 1; l < a.n; ++l) first[l] -= w[size_t(l)];
    right.push_back(householder::reflection_of({first + k + 1, first + a.n}, k + 1, e[size_t(k)]));
    const double tau = right.back().tau;
    std::vector<double> u(size_t(a.stride), 0.);
    std::copy(right.back().v.begin(), right.back().v.end(), u.begin() + k + 1);
    // Both reflections at once: the rows below do not depend on one another.
    parallel_for(a.m - k - 1, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = k + 1 + begin; i < k + 1 + end; ++i) {
        double* row = a.row(i);
        const double v = h.v[size_t(i - k)];
        for (int64_t j = start; j < a.stride; j += block)
          for (int64_t l = j; l < j + block; ++l) row[l] -= v * w[size_t(l)];
        const double z = tau * dot(row, u.data(), start, a.stride);
        for (int64_t j = start; j < a.stride; j += block)
          for (int64_t l = j; l < j + block; ++l) row[l] -= z * u[size_t(l)];
      }
    });
  }
}

// The smaller singular value of the last two rows and columns up to `high`: a good shift.
double Bidiagonal::smallest_of_last(int64_t high) const {
  const double f = std::fabs(d[size_t(high - 1)]), h = std::fabs(d[size_t(high)]),
               g = e[size_t(high - 1)];
  const double most =
      (std::sqrt((f + h) * (f + h) + g * g) + std::sqrt((f - h) * (f - h) + g * g)) / 2.;
  return most > 0. ? f * (h / most) : 0.;
}

// One implicitly shifted QR step on rows and columns low .. high, of which no e is zero.
void Bidiagonal::step(int64_t low, int64_t high) {
  const double shift = smallest_of_last(high), begin = d[size_t(low)];
  // (begin² - shift²) / begin, without cancellation.
  double y = (std::fabs(begin) - shift) * (begin > 0. ? 1. + shift / begin : shift / begin - 1.),
         z = e[size_t(low)];
  for (int64_t k = low; k < high; ++k) {
    double &d0 = d[size_t(k)], &d1 = d[size_t(k + 1)], &e0 = e[size_t(k)];
    const Turn right_turn(y, z);
    if (k > low) e[size_t(k - 1)] = right_turn.r;
    turn_right(k, k + 1, right_turn);
    double f = right_turn.c * d0 + right_turn.s * e0, g = right_turn.s * d1;
    e0 = right_turn.c * e0 - right_turn.s * d0;
    d1 = right_turn.c * d1;
    const Turn left_turn(f, g);
    turn_left(k, k + 1, left_turn);
    d0 = left_turn.r;
    f = left_turn.c * e0 + left_turn.s * d1;
    d1 = left_turn.c * d1 - left_turn.s * e0;
    e0 = y = f;
    if (k + 1 == high) break;
    double& e1 = e[size_t(k + 1)];
    z = left_turn.s * e1;
    e1 = left_turn.c * e1;
  }
}

// d[i] is zero: so becomes the rest of its row.
void Bidiagonal::clear_row(int64_t i, int64_t high) {
  double f = e[size_t(i)];
  e[size_t(i)] = 0.;
  for (int64_t j = i + 1; j <= high && f != 0.; ++j) {
    const Turn turn(d[size_t(j)], f);
    turn_left(j, i, turn);
    d[size_t(j)] = turn.r;
    if (j == high) break;
    f = -turn.s * e[size_t(j)];
    e[size_t(j)] = turn.c * e[size_t(j)];
  }
}
// d[high] is zero: so becomes the rest of its column.
void Bidiagonal::clear_column(int64_t low, int64_t high) {
  double f = e[size_t(high - 1)];
  e[size_t(high - 1)] = 0.;
  for (int64_t j = high - 1; j >= low && f != 0.; --j) {
    const Turn turn(d[size_t(j)], f);
    turn_right(j, high, turn);
    d[size_t(j)] = turn.r;
    if (j == low) break;
    f = -turn.s * e[size_t(j - 1)];
    e[size_t(j - 1)] = turn.c * e[size_t(j - 1)];
  }
}

bool Bidiagonal::diagonalise() {
  const int64_t n = int64_t(d.size());
  double most = 0.;
  for (double value : d) most = std::max(most, std::fabs(value));
  for (double value : e) most = std::max(most, std::fabs(value));
  constexpr double rounding = std::numeric_limits<double>::epsilon();
  const double nothing = rounding / 2. * most;
  int64_t high = n - 1;
  for (int64_t left_over = 60 * n; left_over >= 0; --left_over) {
    auto negligible = [&](int64_t i) {
      const double size = std::fabs(e[size_t(i)]);
      return size <= nothing ||
             size <= rounding / 2. * (std::fabs(d[size_t(i)]) + std::fabs(d[size_t(i + 1)]));
    };
    while (high > 0 && negligible(high - 1)) e[size_t(--high)] = 0.;
    if (high == 0) return true;
    int64_t low = high - 1;
    while (low > 0 && !negligible(low - 1)) --low;
    if (low > 0) e[size_t(low - 1)] = 0.;
    int64_t zero = high;
    while (zero >= low && std::fabs(d[size_t(zero)]) > nothing) --zero;
    if (zero < low) {
      step(low, high);
      continue;
    }
    d[size_t(zero)] = 0.;
    if (zero == high) clear_column(low, high);
    else clear_row(zero, high);
  }
  return false;
}

// Applies the rotations' product to `block` columns at once.
void turn(const std::vector<Rotation>& turns, double* x) {
  for (size_t t = turns.size(); t-- > 0;) {
    const Rotation& r = turns[t];
    double *p = x + int64_t(r.p) * block, *q = x + int64_t(r.q) * block;
    for (int64_t l = 0; l < block; ++l) {
      const double a = p[l], b = q[l];
      p[l] = r.c * a - r.s * b;
      q[l] = r.s * a + r.c * b;
    }
  }
}

// The wanted vectors (m, order.size()): reflections and rotations of the columns `order` of the
// identity.
std::vector<double> vectors(const std::vector<Reflection>& reflections,
                            const std::vector<Rotation>& turns, int64_t m,
                            const std::vector<int64_t>& order) {
  const int64_t count = int64_t(order.size()), blocks = householder::padded(count) / block;
  std::vector<double> x(size_t(blocks * m * block), 0.);
  for (int64_t j = 0; j < count; ++j)
    x[size_t(((j / block) * m + order[size_t(j)]) * block + j % block)] = 1.;
  parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) turn(turns, x.data() + b * m * block);
  });
  return householder::columns(reflections, m, count, std::move(x));
}

std::vector<double> transposed(const std::vector<double>& a, int64_t m, int64_t n) {
  std::vector<double> out(a.size());
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) out[size_t(j * m + i)] = a[size_t(i * n + j)];
  return out;
}

// a as a Matrix, times a power of two that brings its largest element to between 1/2 and 1, so that
// squares neither overflow nor vanish. exponent: of the power that undoes this.
Matrix checked(const std::vector<double>& a, int64_t m, int64_t n, const std::string& name,
               int& exponent) {
  require(m > 0 && n > 0 && int64_t(a.size()) == m * n, name, ": ", a.size(),
          " numbers are no matrix of ", m, " rows and ", n, " columns");
  double most = 0.;
  for (size_t i = 0; i < a.size(); ++i) {
    require(std::isfinite(a[i]), name, ": the value in row ", int64_t(i) / n, ", column ",
            int64_t(i) % n, " is ", a[i], "; a matrix with such a value has no decomposition");
    most = std::max(most, std::fabs(a[i]));
  }
  std::frexp(most, &exponent);
  Matrix out(m, n);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) out.row(i)[j] = std::ldexp(a[size_t(i * n + j)], -exponent);
  return out;
}

// The element of largest magnitude of each column of u becomes positive.
void settle_signs(std::vector<double>& u, int64_t m, std::vector<double>& vt, int64_t n) {
  const int64_t count = int64_t(u.size()) / m;
  for (int64_t j = 0; j < count; ++j) {
    double most = 0.;
    for (int64_t i = 0; i < m; ++i)
      if (const double x = u[size_t(i * count + j)]; std::fabs(x) > std::fabs(most)) most = x;
    if (!(most < 0.)) continue;
    for (int64_t i = 0; i < m; ++i) u[size_t(i * count + j)] = -u[size_t(i * count + j)];
    for (int64_t i = 0; i < n; ++i) vt[size_t(j * n + i)] = -vt[size_t(j * n + i)];
  }
}

}  // namespace

Svd svd(const std::vector<double>& a, int64_t m, int64_t n, const std::string& name,
        SingularPart part) {
  const int64_t k = std::min(m, n), count = part.count < 0 ? k - part.first : part.count;
  require(part.first >= 0 && count >= 0 && part.first + count <= k, name, ": singular vectors ",
          part.first, " to ", part.first + count, " are asked for, and there are ", k);
  int exponent = 0;
  const bool wide = m < n;
  Bidiagonal b(wide ? checked(transposed(a, m, n), n, m, name, exponent)
                    : checked(a, m, n, name, exponent));
  require(b.diagonalise(), name, ": its singular values were not found in ", 60 * k, " steps");
  std::vector<int64_t> order(static_cast<size_t>(k));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    return std::fabs(b.d[size_t(i)]) > std::fabs(b.d[size_t(j)]);
  });
  Svd out;
  for (int64_t i : order) out.s.push_back(std::ldexp(std::fabs(b.d[size_t(i)]), exponent));
  order = {order.begin() + part.first, order.begin() + part.first + count};
  if (count == 0) return out;
  std::vector<double> left = vectors(b.left, b.left_turns, std::max(m, n), order),
                      right = vectors(b.right, b.right_turns, k, order);
  for (int64_t j = 0; j < count; ++j)
    if (b.d[size_t(order[size_t(j)])] < 0.)
      for (int64_t i = 0; i < k; ++i) right[size_t(i * count + j)] *= -1.;
  if (wide) std::swap(left, right);
  out.u = std::move(left);
  out.vt = transposed(right, n, count);
  settle_signs(out.u, m, out.vt, n);
  return out;
}

Qr qr(const std::vector<double>& a, int64_t m, int64_t n, const std::string& name, int64_t count) {
  const int64_t k = std::min(m, n);
  if (count < 0) count = k;
  require(count <= k, name, ": ", count, " columns of Q are asked for, and there are ", k);
  int exponent = 0;
  Matrix x = checked(a, m, n, name, exponent);
  std::vector<Reflection> all;
  for (int64_t j = 0; j < count; ++j) {
    double beta = 0.;
    all.push_back(householder::reflection_of(householder::column_of(x, j, j), j, beta));
    const Reflection& h = all.back();
    const std::vector<double> w = householder::projected(x, h, j + 1);
    constexpr int64_t grain = 16;
    parallel_for(m - j, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        double* row = x.row(j + i);
        const double v = h.v[size_t(i)];
        for (int64_t l = j + 1; l < n; ++l) row[l] -= v * w[size_t(l)];
        row[j] = i == 0 ? beta : 0.;
      }
    });
  }
  Qr out{householder::columns(all, m, count), {}};
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < n; ++j) out.r.push_back(std::ldexp(x.row(i)[j], exponent));
  return out;
}

}  // namespace afina
