// Dropout's coins: keyed by sample and position, as frequent as asked, the same on the way back.
#include "engine/ops/dropout.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/random.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

Tensor ones(int64_t rows, int64_t n) {
  return Tensor::from(std::vector<float>(size_t(rows * n), 1.f), {rows, n});
}
Tensor some_rows(const Tensor& x, const std::vector<int64_t>& which) {
  std::vector<float> all = x.values(), picked;
  for (int64_t r : which)
    picked.insert(picked.end(), all.begin() + r * x.columns(), all.begin() + (r + 1) * x.columns());
  return Tensor::from(picked, {int64_t(which.size()), x.columns()});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(dropout_promises)

BOOST_AUTO_TEST_CASE(keyed_by_sample_and_position_not_by_place) {
  DropoutKey key{3, 4};
  Tensor x = random_tensor({4, 200}, Dtype::f32, 1);
  Tensor y = dropout(x, integers({5, 0, 5, 1, 9, 0, 9, 1}, {4, 2}), 0.4, key);
  Tensor moved =
      dropout(some_rows(x, {3, 1, 2, 0}), integers({9, 1, 5, 1, 9, 0, 5, 0}, {4, 2}), 0.4, key);
  BOOST_TEST(bool(bits_of(moved) == bits_of(some_rows(y, {3, 1, 2, 0}))));
}
BOOST_AUTO_TEST_CASE(as_frequent_as_asked) {
  for (double p : {0.05, 0.5, 0.9}) {
    Tensor y = dropout(ones(40, 1000),
                       integers(
                           [] {
                             std::vector<int32_t> k;
                             for (int i = 0; i < 40; ++i) {
                               k.push_back(i);
                               k.push_back(i % 3);
                             }
                             return k;
                           }(),
                           {40, 2}),
                       p, {1, 2});
    double kept = 0, sum = 0;
    for (float v : y.values()) {
      kept += v != 0.f;
      sum += double(v);
    }
    BOOST_TEST(std::fabs(kept / 40000. - (1. - p)) < 4. * std::sqrt(p * (1. - p) / 40000.));
    BOOST_TEST(std::fabs(sum / 40000. - 1.) < 4. * std::sqrt(p / (1. - p) / 40000.));
  }
}
BOOST_AUTO_TEST_CASE(another_seed_site_or_row_has_other_coins) {
  Tensor x = ones(1, 500);
  auto coins = [&](int32_t sample, int32_t position, DropoutKey key) {
    return bits_of(dropout(x, integers({sample, position}, {1, 2}), 0.5, key));
  };
  auto first = coins(1, 2, {3, 4});
  BOOST_TEST(bool(first == coins(1, 2, {3, 4})));
  for (auto& other :
       {coins(2, 2, {3, 4}), coins(1, 3, {3, 4}), coins(1, 2, {4, 4}), coins(1, 2, {3, 5}),
        coins(1, 2, {3, 4 + (uint64_t(1) << 32)}), coins(1, 2, {3 + (uint64_t(1) << 32), 4})})
    BOOST_TEST(bool(first != other));
}
BOOST_AUTO_TEST_CASE(is_the_stream_that_its_header_names) {
  DropoutKey key{(uint64_t(7) << 32) + 9, (uint64_t(11) << 32) + 13};
  auto y = dropout(ones(1, 150), integers({21, 22}, {1, 2}), 0.5, key).values();
  for (uint32_t c = 0; c < 150; ++c) {
    uint32_t coin = philox({c / 4, 22, 21, 13}, {9 ^ 11, 7})[c % 4];
    BOOST_TEST((y[c] != 0.f) == ((coin >> 8) >= (1u << 23)));
  }
}
BOOST_AUTO_TEST_CASE(backward_has_the_same_mask) {
  Tensor x = ones(2, 300), keys = integers({1, 0, 1, 1}, {2, 2});
  x.track();
  Tape tape;
  Tensor y = dropout(x, keys, 0.3, {5, 6});
  tape.backward(y, ones(2, 300));
  BOOST_TEST(bool(bits_of(x.grad().value()) == bits_of(y.detached())));
}

BOOST_AUTO_TEST_SUITE_END()
