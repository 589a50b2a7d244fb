// Bounds of rounding: what quantisers write is within them, and what is damaged is not.
#include "engine/files/rounding.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

#include "engine/files/dequantize.h"
#include "engine/files/quantize.h"
#include "engine/random.h"

using namespace afina;

namespace {

// Blocks of several kinds: Gaussian, with one number far out, of one sign, of small scales, of
// rows that differ, of numbers that are mostly 0, constant.
std::vector<std::vector<float>> blocks() {
  std::vector<std::vector<float>> all;
  for (uint64_t i = 0; i < 140; ++i) {
    const Random random(3, "rounding", i);
    std::vector<float> block;
    for (uint64_t k = 0; k < 256; ++k) {
      const float x = 0.02f * random.normal(k);
      switch (i % 7) {
        case 0: block.push_back(x); break;
        case 1: block.push_back(k % 100 == 7 ? 40.f * x : x); break;
        case 2: block.push_back(std::fabs(x)); break;
        case 3: block.push_back(1e-4f * x); break;
        case 4: block.push_back(x * std::exp(float(k / 32) - 4.f)); break;
        case 5: block.push_back(k % 9 ? 0.f : x); break;
        default: block.push_back(0.5f);
      }
    }
    all.push_back(block);
  }
  return all;
}

std::vector<float> stored(StoredType type, const std::vector<float>& numbers) {
  std::vector<uint8_t> bytes(stored_bytes(type, int64_t(numbers.size()), "test"));
  from_f32(type, numbers.data(), bytes.data(), int64_t(numbers.size()), "test");
  std::vector<float> read(numbers.size());
  to_f32(type, bytes.data(), read.data(), int64_t(read.size()));
  return read;
}

// The largest share of a bound that is used; of whole blocks by weighed_bound.
double used(StoredType type, const std::vector<float>& x, const std::vector<float>& y,
            bool weighed) {
  const int64_t block = info(type).block_elements, group = numbers_per_scale(type);
  std::vector<double> bounds(size_t(block / group));
  double most = 0.;
  for (int64_t first = 0; first < int64_t(x.size()); first += block) {
    rounding_bounds(type, x.data() + first, bounds.data());
    const int64_t part = weighed ? block : group;
    for (int64_t from = first; from < first + block; from += part) {
      double squares = 0.;
      for (int64_t i = from; i < from + part; ++i)
        squares += std::pow(double(x[size_t(i)]) - double(y[size_t(i)]), 2);
      const double error = std::sqrt(squares / double(part)),
                   bound = weighed ? weighed_bound(type, x.data() + first)
                                   : bounds[size_t((from - first) / group)];
      if (error > 0.) most = std::max(most, bound > 0. ? error / bound : INFINITY);
    }
  }
  return most;
}

constexpr StoredType written[] = {StoredType::f32,  StoredType::f16,  StoredType::bf16,
                                  StoredType::q4_0, StoredType::q4_1, StoredType::q5_0,
                                  StoredType::q5_1, StoredType::q8_0, StoredType::q4_k,
                                  StoredType::q5_k, StoredType::q6_k};

}  // namespace

BOOST_AUTO_TEST_SUITE(rounding)

BOOST_AUTO_TEST_CASE(what_is_rounded_is_within_its_bound) {
  for (StoredType type : written)
    for (const std::vector<float>& x : blocks()) {
      const std::vector<float> y = stored(type, x);
      BOOST_TEST(used(type, x, y, false) <= 1., name(type));
      if (may_be_weighed(type)) BOOST_TEST(used(type, x, y, true) <= 1., name(type));
    }
  // Half a unit in the last place, and no more.
  double bound = 0.;
  float x = 1.f;
  rounding_bounds(StoredType::bf16, &x, &bound);
  BOOST_TEST(bound == 0x1p-8);
  rounding_bounds(StoredType::f16, &x, &bound);
  BOOST_TEST(bound == 0x1p-11);
  rounding_bounds(StoredType::f32, &x, &bound);
  BOOST_TEST(bound == 0.);
}

BOOST_AUTO_TEST_CASE(what_is_damaged_is_not) {
  std::vector<float> x = blocks()[0];
  for (StoredType type : written) {
    const std::vector<float> y = stored(type, x);
    const auto block = size_t(info(type).block_elements), part = size_t(numbers_per_scale(type));
    auto damaged = [&](size_t count, float factor, bool weighed) {
      std::vector<float> bad = y;
      for (size_t i = 0; i < count; ++i) bad[i] *= factor;
      return used(type, x, bad, weighed);
    };
    // Numbers with a scale of their own that are gone, or scaled otherwise.
    BOOST_TEST(damaged(part, 0.f, false) > 1., name(type));
    BOOST_TEST(damaged(part, 1.6f, false) > 1., name(type));
    if (!may_be_weighed(type)) continue;
    BOOST_TEST(damaged(block, 0.f, true) > 1., name(type));
    BOOST_TEST(damaged(block, -1.f, true) > 1., name(type));
  }
  // Types that are read alone: a block of zeros.
  const std::vector<float> zeros(256);
  for (StoredType type : {StoredType::q3_k, StoredType::iq4_nl, StoredType::iq4_xs})
    BOOST_TEST(used(type, x, zeros, false) > 1., name(type));
  for (StoredType type : {StoredType::q2_k, StoredType::q3_k, StoredType::iq4_xs})
    BOOST_TEST(used(type, x, zeros, true) > 1., name(type));
  BOOST_TEST(used(StoredType::mxfp4, x, zeros, false) > 1.);
  BOOST_TEST(numbers_per_scale(StoredType::u8) == 0);
  BOOST_TEST(gaussian_rounding(StoredType::u8) < 0.);
}

BOOST_AUTO_TEST_SUITE_END()
