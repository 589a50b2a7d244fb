// Tests of dequantising: bit for bit what the gguf package for Python gives, and errors for what
// cannot be weights.
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "engine/files/dequantize.h"
#include "test/reference/dequantize.h"
#include "test/scratch.h"

using namespace afina;

namespace {
StoredTensor tensor_of(StoredType type, std::vector<int64_t> shape, const void* data,
                       size_t bytes) {
  return {"w", type, std::move(shape), static_cast<const std::byte*>(data), bytes, "f"};
}
}  // namespace

BOOST_AUTO_TEST_SUITE(dequantizing)

BOOST_AUTO_TEST_CASE(agrees_with_the_reference_to_the_bit) {
  BOOST_TEST(dequantize_cases.size() == 15u);
  for (const DequantizeCase& one : dequantize_cases) {
    std::vector<float> numbers(one.numbers.size());
    to_f32(one.type, one.blocks.data(), numbers.data(), int64_t(numbers.size()));
    size_t different = 0;
    for (size_t i = 0; i < numbers.size(); ++i)
      different += std::bit_cast<uint32_t>(numbers[i]) != one.numbers[i];
    BOOST_TEST(different == 0u, name(one.type) << ": " << different << " of " << numbers.size()
                                               << " numbers differ");
  }
}

// All 65536 half-precision numbers against their definition.
BOOST_AUTO_TEST_CASE(half_precision_is_exact) {
  size_t wrong = 0;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double expected =
        exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
    if (exponent == 31) expected = fraction ? NAN : INFINITY;
    float value = f16_to_float(uint16_t(bits));
    bool same = std::isnan(expected) ? std::isnan(value) : std::fabs(value) == expected;
    wrong += !same || std::signbit(value) != bool(bits >> 15);
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(doubles_are_rounded_and_their_denormals_flushed) {
  double values[] = {1.0 / 3, -1e-40, 1e300, 0x1p-126};
  float numbers[4];
  to_f32(StoredType::f64, values, numbers, 4);
  BOOST_TEST(numbers[0] == 1.0f / 3);
  BOOST_TEST(numbers[1] == 0);
  BOOST_TEST(std::signbit(numbers[1]));
  BOOST_TEST(std::isinf(numbers[2]));
  BOOST_TEST(numbers[3] == 0x1p-126f);
}

BOOST_AUTO_TEST_CASE(part_of_a_tensor) {
  const DequantizeCase& q4_0 = dequantize_cases[0];
  StoredTensor tensor = tensor_of(q4_0.type, {2, 32}, q4_0.blocks.data(), q4_0.blocks.size());
  std::vector<float> row(32);
  to_f32(tensor, 32, 32, row.data());
  BOOST_TEST(std::bit_cast<uint32_t>(row[31]) == q4_0.numbers[63]);
  check_error([&] { to_f32(tensor, 32, 64, row.data()); },
              {"f: tensor 'w': numbers 32 to 32 + 64", "it has 64"});
  check_error([&] { to_f32(tensor, -32, 32, row.data()); }, {"'w'", "-32"});
  check_error([&] { to_f32(tensor, INT64_MAX, 32, row.data()); }, {"'w'"});
  check_error([&] { to_f32(tensor, 1, 32, row.data()); },
              {"'w': number 1 is not the first of a block of Q4_0"});
  check_error([&] { to_f32(tensor, 0, 31, row.data()); }, {"31 numbers are no whole blocks of 32"});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_weights_is_refused) {
  float values[4] = {1, NAN, INFINITY, 2}, numbers[4];
  StoredTensor tensor = tensor_of(StoredType::f32, {4}, values, 16);
  check_error([&] { to_f32(tensor, 0, 4, numbers); }, {"f: tensor 'w': number 1 of 4 is NaN"});
  check_error([&] { to_f32(tensor, 2, 2, numbers); }, {"'w': number 2 of 4 is infinite"});
  to_f32(tensor, 3, 1, numbers);
  BOOST_TEST(numbers[0] == 2);
  tensor.type = StoredType::i32;
  check_error([&] { to_f32(tensor, 0, 4, numbers); },
              {"f: tensor 'w' is stored as I32, which cannot be read as weights"});
  check_error([&] { to_f32(StoredType::iq2_s, values, numbers, 0); },
              {"IQ2_S cannot be read as weights"});
  BOOST_TEST(!can_dequantize(StoredType::u8));
}

BOOST_AUTO_TEST_SUITE_END()
