// Products and equations of dense matrices in f64 on the host, for what is computed once before
// training. Rows are the outer extent. The same bits on every machine and for any number of
// threads.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

// a (m, k) times b (k, n): (m, n). Each element is a chain over k in order.
std::vector<double> dense_product(const std::vector<double>& a, const std::vector<double>& b,
                                  int64_t m, int64_t k, int64_t n);

// X (r, n) with X A = B for a symmetric positive definite A (n, n) and B (r, n), by Cholesky's
// factors. name: of A, for messages. An Error where A is not positive definite or not finite.
std::vector<double> dense_solve(std::vector<double> a, std::vector<double> b, int64_t n,
                                const std::string& name);

}  // namespace afina
