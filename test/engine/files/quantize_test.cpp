// Tests of quantising: bit for bit what the gguf package for Python gives, K types no worse than
// ggml's, and errors for what a type cannot hold.
#include "engine/files/quantize.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "engine/files/dequantize.h"
#include "engine/random.h"
#include "test/reference/quantize.h"
#include "test/scratch.h"

using namespace afina;

namespace {

std::vector<uint8_t> blocks_of(StoredType type, const std::vector<float>& numbers) {
  std::vector<uint8_t> blocks(stored_bytes(type, int64_t(numbers.size()), "test"));
  from_f32(type, numbers.data(), blocks.data(), int64_t(numbers.size()), "f: tensor 'w'");
  return blocks;
}

std::vector<float> back(StoredType type, const std::vector<uint8_t>& blocks, size_t count) {
  std::vector<float> numbers(count);
  to_f32(type, blocks.data(), numbers.data(), int64_t(count));
  return numbers;
}

// The error's root mean square, relative to that of the numbers.
double relative_error(StoredType type, const std::vector<float>& numbers) {
  const std::vector<float> read = back(type, blocks_of(type, numbers), numbers.size());
  double off = 0., all = 0.;
  for (size_t i = 0; i < numbers.size(); ++i) {
    off += std::pow(double(read[i]) - double(numbers[i]), 2);
    all += double(numbers[i]) * double(numbers[i]);
  }
  return std::sqrt(off / all);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(quantizing)

BOOST_AUTO_TEST_CASE(agrees_with_the_reference_to_the_bit) {
  std::vector<float> numbers;
  for (uint32_t bits : quantize_numbers) numbers.push_back(std::bit_cast<float>(bits));
  BOOST_TEST(quantize_cases.size() == 7u);
  for (const QuantizeCase& one : quantize_cases)
    BOOST_TEST((blocks_of(one.type, numbers) == one.blocks), name(one.type));
}

BOOST_AUTO_TEST_CASE(k_types_are_no_worse_than_those_of_ggml) {
  std::vector<float> numbers;
  for (uint64_t row = 0; row < 64; ++row) {
    const Random random(5, "quantize", row);
    for (uint64_t i = 0; i < 256; ++i) numbers.push_back(0.02f * random.normal(i));
  }
  if (const char* file = std::getenv("AFINA_WRITE_NUMBERS"))  // for test/reference/quantize.py
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(numbers.data()), long(numbers.size() * 4));
  BOOST_TEST(quantize_errors.size() == 3u);
  for (const QuantizeError& one : quantize_errors) {
    const double error = relative_error(one.type, numbers);
    BOOST_TEST(error <= one.rms, name(one.type) << ": " << error << ", ggml's is " << one.rms);
    BOOST_TEST(error > 0.5 * one.rms);  // it is that type indeed
  }
}

// What the K types hold exactly comes back exactly.
BOOST_AUTO_TEST_CASE(k_types_keep_what_they_can_say) {
  std::vector<float> numbers(256);
  for (StoredType type : {StoredType::q4_k, StoredType::q5_k, StoredType::q6_k}) {
    BOOST_TEST(
        (back(type, blocks_of(type, std::vector<float>(256)), 256) == std::vector<float>(256)));
    for (size_t i = 0; i < 256; ++i) numbers[i] = -0.25f;
    for (float value : back(type, blocks_of(type, numbers), 256))
      BOOST_TEST(std::fabs(value + 0.25f) < 2e-3f, name(type));
    for (size_t i = 0; i < 256; ++i) numbers[i] = float(i % 2);
    for (size_t i = 0; float value : back(type, blocks_of(type, numbers), 256))
      BOOST_TEST(std::fabs(value - float(i++ % 2)) < 2e-2f, name(type));
  }
}

// All half-precision numbers survive, and what lies between two goes to the nearer, or the even.
BOOST_AUTO_TEST_CASE(half_precision_rounds_to_nearest_even) {
  size_t wrong = 0;
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const float value = f16_to_float(uint16_t(bits)),
                next = bits < 0x7bff ? f16_to_float(uint16_t(bits + 1)) : 65536.f,
                middle = 0.5f * (value + next);
    wrong += float_to_f16(value) != bits || float_to_f16(-value) != (bits | 0x8000);
    wrong += float_to_f16(middle) != bits + (bits & 1);
    wrong += float_to_f16(std::nextafter(middle, 0.f)) != bits;
    wrong += float_to_f16(std::nextafter(middle, 1e6f)) != bits + 1;
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_type_cannot_hold_is_refused) {
  std::vector<float> numbers(256, 1.f);
  numbers[40] = 70000.f;
  check_error([&] { blocks_of(StoredType::f16, numbers); },
              {"f: tensor 'w': number 40 is 70000, too large for F16, which ends at 65504"});
  blocks_of(StoredType::bf16, numbers);
  blocks_of(StoredType::q8_0, numbers);  // its scale is 551
  numbers[40] = 1e9f;
  check_error([&] { blocks_of(StoredType::q8_0, numbers); }, {"'w': number 40 is", "for Q8_0"});
  check_error([&] { blocks_of(StoredType::q4_k, numbers); }, {"'w': number 40 is", "for Q4_K"});
  numbers[40] = NAN;
  check_error([&] { blocks_of(StoredType::f32, numbers); }, {"'w': number 40 is NaN"});
  numbers[40] = INFINITY;
  check_error([&] { blocks_of(StoredType::q6_k, numbers); }, {"'w': number 40 is infinite"});
  check_error([&] { blocks_of(StoredType::iq4_nl, numbers); }, {"cannot be written as IQ4_NL"});
  check_error([&] { blocks_of(StoredType::q8_0, {1.f}); }, {"1 numbers are no whole blocks of 32"});
}

BOOST_AUTO_TEST_SUITE_END()
