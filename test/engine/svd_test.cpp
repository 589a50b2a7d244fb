// Singular values, vectors and QR: numpy's numbers, matrices that are hard, and equal bits.
#include "engine/svd.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "engine/error.h"
#include "engine/files/json.h"
#include "engine/random.h"
#include "engine/threads.h"

using namespace afina;

namespace {

using Numbers = std::vector<double>;

double largest(const Numbers& a) {
  double most = 0.;
  for (double x : a) most = std::max(most, std::fabs(x));
  return most;
}
double difference(const Numbers& a, const Numbers& b) {
  BOOST_REQUIRE(a.size() == b.size());
  double most = 0.;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::fabs(a[i] - b[i]));
  return most;
}
// a (m, k) diag(s) b (k, n); an empty s stands for ones.
Numbers product(const Numbers& a, const Numbers& s, const Numbers& b, int64_t m, int64_t n) {
  const int64_t k = int64_t(a.size()) / m;
  Numbers out(size_t(m * n), 0.);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < n; ++j)
        out[size_t(i * n + j)] +=
            a[size_t(i * k + l)] * (s.empty() ? 1. : s[size_t(l)]) * b[size_t(l * n + j)];
  return out;
}
// How far the columns of a (m, k) are from orthonormal ones.
double slant(const Numbers& a, int64_t m) {
  const int64_t k = int64_t(a.size()) / m;
  double most = 0.;
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < k; ++j) {
      double sum = i == j ? -1. : 0.;
      for (int64_t l = 0; l < m; ++l) sum += a[size_t(l * k + i)] * a[size_t(l * k + j)];
      most = std::max(most, std::fabs(sum));
    }
  return most;
}
Numbers turned(const Numbers& a, int64_t m) {
  const int64_t n = int64_t(a.size()) / m;
  Numbers out(a.size());
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) out[size_t(j * m + i)] = a[size_t(i * n + j)];
  return out;
}

// Normal numbers; of a lower rank if one is named.
Numbers random_matrix(int64_t m, int64_t n, int64_t rank = 0) {
  const Random random(3, "test", uint64_t(m * 1000 + n));
  Numbers out, left, right;
  if (rank == 0) {
    for (int64_t i = 0; i < m * n; ++i) out.push_back(double(random.normal(uint64_t(i))));
    return out;
  }
  for (int64_t i = 0; i < m * rank; ++i) left.push_back(double(random.normal(uint64_t(i))));
  for (int64_t i = 0; i < rank * n; ++i)
    right.push_back(double(random.normal(uint64_t(m * rank + i))));
  return product(left, {}, right, m, n);
}

void check_svd(const Numbers& a, int64_t m, int64_t n, const std::string& name) {
  const Svd x = svd(a, m, n, name);
  const double bar = 1e-14 * double(std::max(m, n));
  const int64_t k = std::min(m, n);
  BOOST_TEST_CONTEXT(name) {
    BOOST_TEST(difference(product(x.u, x.s, x.vt, m, n), a) <= bar * largest(a));
    BOOST_TEST(slant(x.u, m) <= bar);
    BOOST_TEST(slant(turned(x.vt, k), n) <= bar);
    for (int64_t i = 0; i < k; ++i) {
      BOOST_TEST(x.s[size_t(i)] >= 0.);
      if (i > 0) BOOST_TEST(x.s[size_t(i - 1)] >= x.s[size_t(i)]);
      double most = 0.;
      for (int64_t row = 0; row < m; ++row)
        if (double u = x.u[size_t(row * k + i)]; std::fabs(u) > std::fabs(most)) most = u;
      BOOST_TEST(most > 0.);
    }
  }
}
void check_qr(const Numbers& a, int64_t m, int64_t n, const std::string& name) {
  const Qr x = qr(a, m, n, name);
  const double bar = 1e-14 * double(std::max(m, n));
  BOOST_TEST_CONTEXT(name) {
    BOOST_TEST(difference(product(x.q, {}, x.r, m, n), a) <= bar * largest(a));
    BOOST_TEST(slant(x.q, m) <= bar);
    for (int64_t i = 1; i < std::min(m, n); ++i)
      for (int64_t j = 0; j < i; ++j) BOOST_TEST(x.r[size_t(i * n + j)] == 0.);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(decompositions)

BOOST_AUTO_TEST_CASE(numpy_gives_the_same_numbers) {
  const Json stored = parse_json_file("test/stored/decompositions.json");
  for (auto& [name, expected] : stored.items()) {
    auto numbers = [&](const char* key) { return expected[key].get<Numbers>(); };
    const int64_t m = expected["rows"].get<int64_t>(), n = expected["columns"].get<int64_t>();
    const Numbers a = numbers("a"), s = numbers("s");
    check_svd(a, m, n, name);
    check_qr(a, m, n, name);
    const Svd x = svd(a, m, n, name);
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(difference(x.s, s) <= 1e-14 * s[0]);
      if (!expected.contains("u")) continue;
      BOOST_TEST(difference(x.u, numbers("u")) <= 1e-13);
      BOOST_TEST(difference(x.vt, numbers("vt")) <= 1e-13);
      const Qr y = qr(a, m, n, name);
      BOOST_TEST(difference(y.q, numbers("q")) <= 1e-13);
      BOOST_TEST(difference(y.r, numbers("r")) <= 1e-14 * s[0]);
    }
  }
}

BOOST_AUTO_TEST_CASE(random_and_deficient_matrices) {
  for (auto [m, n, rank] : {std::tuple<int64_t, int64_t, int64_t>{40, 40, 0},
                            {67, 30, 0},
                            {30, 67, 0},
                            {50, 40, 7},
                            {33, 64, 1},
                            {2, 90, 0}}) {
    const std::string name =
        std::to_string(m) + " x " + std::to_string(n) + " rank " + std::to_string(rank);
    const Numbers a = random_matrix(m, n, rank);
    check_svd(a, m, n, name);
    check_qr(a, m, n, name);
    if (rank > 0) {
      const Svd x = svd(a, m, n, name, {0, 0});
      BOOST_TEST(x.s[size_t(rank)] <= 1e-13 * x.s[0], name);
    }
  }
}

// Zeros on the diagonal of the bidiagonal form, in the middle and at the end; equal values.
BOOST_AUTO_TEST_CASE(zeros_on_the_way) {
  for (int64_t zero : {0, 3, 9}) {
    Numbers a(100, 0.);
    for (int64_t i = 0; i < 10; ++i) {
      a[size_t(i * 10 + i)] = i == zero ? 0. : 1.;
      if (i < 9) a[size_t(i * 10 + i + 1)] = 1.;
    }
    check_svd(a, 10, 10, "zero at " + std::to_string(zero));
  }
  Numbers one(64, 0.);
  for (size_t i = 0; i < 8; ++i) one[i * 8 + 7 - i] = -2.;
  check_svd(one, 8, 8, "a permutation");
  BOOST_TEST(svd(one, 8, 8, "a permutation").s == Numbers(8, 2.));
}

BOOST_AUTO_TEST_CASE(a_part_has_the_bits_of_the_whole) {
  const int threads = thread_count();
  const Numbers a = random_matrix(70, 45);
  set_thread_count(1);
  const Svd whole = svd(a, 70, 45, "a");
  const Qr all = qr(a, 70, 45, "a");
  set_thread_count(3);
  BOOST_TEST(bool(svd(a, 70, 45, "a").u == whole.u));
  for (int64_t first : {0, 9, 40}) {
    const Svd part = svd(a, 70, 45, "a", {first, 5});
    BOOST_TEST(bool(part.s == whole.s));
    const auto row = whole.vt.begin() + first * 45;
    BOOST_TEST(bool(part.vt == Numbers(row, row + 5 * 45)));
    for (int64_t i = 0; i < 70; ++i)
      for (int64_t j = 0; j < 5; ++j)
        BOOST_TEST(part.u[size_t(i * 5 + j)] == whole.u[size_t(i * 45 + first + j)]);
  }
  BOOST_TEST(bool(svd(a, 70, 45, "a", {0, 0}).s == whole.s));
  const Qr some = qr(a, 70, 45, "a", 6);
  BOOST_TEST(bool(some.r == Numbers(all.r.begin(), all.r.begin() + 6 * 45)));
  for (int64_t i = 0; i < 70; ++i)
    for (int64_t j = 0; j < 6; ++j)
      BOOST_TEST(some.q[size_t(i * 6 + j)] == all.q[size_t(i * 45 + j)]);
  set_thread_count(threads);
}

BOOST_AUTO_TEST_CASE(what_has_no_decomposition) {
  auto says = [](const std::string& part) {
    return [part](const Error& e) { return std::string(e.what()).find(part) != std::string::npos; };
  };
  Numbers a = random_matrix(4, 3);
  a[5] = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(svd(a, 4, 3, "q_proj"), Error,
                        says("q_proj: the value in row 1, column 2"));
  a[5] = -std::numeric_limits<double>::infinity();
  BOOST_CHECK_EXCEPTION(qr(a, 4, 3, "q_proj"), Error, says("row 1, column 2 is -inf"));
  a[5] = 0.;
  BOOST_CHECK_EXCEPTION(svd(a, 3, 3, "q_proj"), Error, says("12 numbers are no matrix of 3 rows"));
  BOOST_CHECK_EXCEPTION(svd(a, 4, 3, "q_proj", {1, 3}), Error, says("1 to 4 are asked for"));
  BOOST_CHECK_EXCEPTION(qr(a, 4, 3, "q_proj", 4), Error, says("4 columns of Q"));
}

BOOST_AUTO_TEST_SUITE_END()
