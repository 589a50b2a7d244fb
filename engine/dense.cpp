// Dense products and Cholesky's factors in f64.
#include "engine/dense.h"

#include <cmath>

#include "engine/error.h"
#include "engine/threads.h"

namespace afina {

std::vector<double> dense_product(const std::vector<double>& a, const std::vector<double>& b,
                                  int64_t m, int64_t k, int64_t n) {
  require(int64_t(a.size()) == m * k && int64_t(b.size()) == k * n, "a product of (", m, ", ", k,
          ") and (", k, ", ", n, ") was given ", a.size(), " and ", b.size(), " numbers");
  std::vector<double> out(size_t(m * n), 0.);
  parallel_for(m, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double* row = out.data() + i * n;
      for (int64_t l = 0; l < k; ++l) {
        const double x = a[size_t(i * k + l)];
        const double* from = b.data() + l * n;
        for (int64_t j = 0; j < n; ++j) row[j] += x * from[j];
      }
    }
  });
  return out;
}

std::vector<double> dense_solve(std::vector<double> a, std::vector<double> b, int64_t n,
                                const std::string& name) {
  require(n > 0 && int64_t(a.size()) == n * n && int64_t(b.size()) % n == 0, name, ": ", a.size(),
          " and ", b.size(), " numbers are no equations of ", n, " unknowns");
  const int64_t rows = int64_t(b.size()) / n;
  // A = Uᵀ U: the upper half of a becomes U, row by row.
  for (int64_t j = 0; j < n; ++j) {
    double* pivot = a.data() + j * n;
    const double square = pivot[j];
    require(square > 0. && std::isfinite(square), name, ": is not positive definite (pivot ", j,
            " of ", n, " is ", square, ")");
    pivot[j] = std::sqrt(square);
    for (int64_t i = j + 1; i < n; ++i) pivot[i] /= pivot[j];
    constexpr int64_t grain = 32;
    parallel_for(n - j - 1, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = j + 1 + begin; i < j + 1 + end; ++i) {
        double* row = a.data() + i * n;
        const double x = pivot[i];
        for (int64_t l = i; l < n; ++l) row[l] -= x * pivot[l];
      }
    });
  }
  // X Uᵀ U = B: first Y with Y U = B, then X with X Uᵀ = Y.
  parallel_for(rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      double* x = b.data() + r * n;
      for (int64_t j = 0; j < n; ++j) {
        const double* u = a.data() + j * n;
        x[j] /= u[j];
        for (int64_t l = j + 1; l < n; ++l) x[l] -= x[j] * u[l];
      }
      for (int64_t j = n; j-- > 0;) {
        const double* u = a.data() + j * n;
        double sum = x[j];
        for (int64_t l = j + 1; l < n; ++l) sum -= u[l] * x[l];
        x[j] = sum / u[j];
      }
    }
  });
  return b;
}

}  // namespace afina
