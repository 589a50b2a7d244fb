// Dense products and equations: against sums by hand, equal bits for any number of threads.
#include "engine/dense.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/error.h"
#include "engine/random.h"
#include "engine/threads.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(dense)

BOOST_AUTO_TEST_CASE(equations_are_solved) {
  const int threads = thread_count();
  const int64_t n = 70, rows = 5;
  const Random random(9, "test", "dense");
  std::vector<double> factor, right;
  for (int64_t i = 0; i < n * n; ++i) factor.push_back(double(random.normal(uint64_t(i))));
  for (int64_t i = 0; i < rows * n; ++i)
    right.push_back(double(random.normal(uint64_t(n * n + i))));
  std::vector<double> turned(factor.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) turned[size_t(j * n + i)] = factor[size_t(i * n + j)];
  std::vector<double> a = dense_product(factor, turned, n, n, n);
  double by_hand = 0.;
  for (int64_t k = 0; k < n; ++k) by_hand += factor[size_t(3 * n + k)] * factor[size_t(8 * n + k)];
  BOOST_TEST(a[size_t(3 * n + 8)] == by_hand);
  for (int64_t i = 0; i < n; ++i) a[size_t(i * n + i)] += 1.;
  set_thread_count(1);
  const std::vector<double> x = dense_solve(a, right, n, "A");
  set_thread_count(3);
  BOOST_TEST(bool(dense_solve(a, right, n, "A") == x));
  BOOST_TEST(bool(dense_product(x, a, rows, n, n) == dense_product(x, a, rows, n, n)));
  const std::vector<double> back = dense_product(x, a, rows, n, n);
  for (size_t i = 0; i < back.size(); ++i) BOOST_TEST(std::fabs(back[i] - right[i]) < 1e-11);
  set_thread_count(threads);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_solved) {
  auto says = [](const std::string& part) {
    return [part](const Error& e) { return std::string(e.what()).find(part) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(dense_solve({1., 2., 2., 1.}, {1., 1.}, 2, "C of q_proj"), Error,
                        says("C of q_proj: is not positive definite (pivot 1 of 2 is -3)"));
  BOOST_CHECK_EXCEPTION(dense_solve({NAN}, {1.}, 1, "C"), Error, says("not positive definite"));
  BOOST_CHECK_EXCEPTION(dense_solve({1.}, {1., 2., 3.}, 2, "C"), Error, says("no equations of 2"));
  BOOST_CHECK_EXCEPTION(dense_product({1.}, {1.}, 1, 2, 1), Error, says("a product of (1, 2)"));
}

BOOST_AUTO_TEST_SUITE_END()
