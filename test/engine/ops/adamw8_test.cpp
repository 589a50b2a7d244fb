// AdamW on moments in 8 bits: bitsandbytes' codes and steps, the nearest value, the same bits
// everywhere.
#include "engine/ops/adamw8.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/files/dequantize.h"
#include "engine/files/safetensors.h"
#include "engine/isa.h"
#include "engine/threads.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

std::vector<float> stored(const std::string& name) {
  static const Safetensors file(AFINA_SOURCE_DIR "/test/stored/adamw8.safetensors");
  const StoredTensor& t = file.at(name);
  std::vector<float> values(size_t(t.count()));
  if (t.type == StoredType::u8)
    for (size_t i = 0; i < values.size(); ++i) values[i] = float(t.data[i]);
  else to_f32(t.type, t.data, values.data(), t.count());
  return values;
}
std::vector<uint8_t> indices(const Moment8& moment, int64_t size) {
  std::vector<uint8_t> all;
  for (int32_t word : moment.index.integers())
    for (int j = 0; j < 4; ++j) all.push_back(uint8_t(uint32_t(word) >> (8 * j)));
  all.resize(size_t(size));
  return all;
}

struct Weight {
  Tensor master, value;
  Moment8 m, v;
  explicit Weight(const Tensor& start, Dtype dtype = Dtype::f32)
      : master(start.copy()),
        value(dtype == Dtype::f32 ? master : master.as(dtype)),
        m(empty_moment(start.size(), Device::cpu)),
        v(empty_moment(start.size(), Device::cpu)) {}
  void step(const Tensor& gradient, const AdamWStep& s) {
    kernel::adamw8(master, value, gradient, m.index, m.scale, v.index, v.scale,
                   moment_codes(Device::cpu), s);
  }
};
// The step's numbers after t steps.
AdamWStep step_number(int t, float decay = 0.1f) {
  return {1e-2f,
          0.9f,
          0.99f,
          1e-8f,
          decay,
          float(1 - std::pow(double(0.9f), t)),
          float(std::sqrt(1 - std::pow(double(0.99f), t))),
          1.f};
}
// A first step that makes the first moment x / 10 of these values.
Weight after_one(const std::vector<float>& x) {
  Weight w(Tensor::zeros({int64_t(x.size())}, Dtype::f32));
  w.step(Tensor::from(x, {int64_t(x.size())}), step_number(1));
  return w;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adamw8_kernel)

BOOST_AUTO_TEST_CASE(codes_are_those_of_bitsandbytes) {
  for (bool first : {true, false}) {
    const MomentCode& code = first ? first_moment_code() : second_moment_code();
    std::vector<float> theirs = stored(first ? "first_map" : "second_map");
    for (size_t i = 0; i < 256; ++i) BOOST_TEST(code.value[i] == theirs[i], i);
  }
}
// The moments of bitsandbytes' steps, but for values that its table puts beside the nearest.
BOOST_AUTO_TEST_CASE(steps_are_those_of_bitsandbytes) {
  Weight w(Tensor::from(stored("start"), {601}));
  const std::vector<float> all = stored("gradients"), after = stored("after");
  for (size_t t = 0; t < 3; ++t) {
    std::vector<float> gradient(all.begin() + long(601 * t), all.begin() + long(601 * (t + 1)));
    w.step(Tensor::from(gradient, {601}), step_number(int(t) + 1));
    std::vector<float> ours = w.master.values();
    int beside = 0;  // where the value beside the nearest was taken for a moment
    for (size_t i = 0; i < 601; ++i) {
      const double off = double(std::fabs(ours[i] - after[601 * t + i]));
      BOOST_TEST(off < 2e-3, t << ", " << i);
      beside += off > 2e-6;
    }
    BOOST_TEST(beside <= 30, t << ": " << beside);
  }
  for (bool first : {true, false}) {
    const std::string moment = first ? "m" : "v";
    std::vector<float> theirs = stored(moment + "_index"), scales = stored(moment + "_scale"),
                       own = (first ? w.m : w.v).scale.values();
    std::vector<uint8_t> ours = indices(first ? w.m : w.v, 601);
    int others = 0;
    for (size_t i = 0; i < 601; ++i) {
      BOOST_TEST(std::abs(int(ours[i]) - int(theirs[i])) <= 1, moment << ", " << i);
      others += int(ours[i]) != int(theirs[i]);
    }
    BOOST_TEST(others <= 6, moment << ": " << others << " of 601");
    for (size_t i = 0; i < 3; ++i)
      BOOST_TEST(std::fabs(own[i] - scales[i]) <= 1e-5 * double(scales[i]));
  }
}
BOOST_AUTO_TEST_CASE(takes_the_nearest_and_of_two_the_lower) {
  // Shares of the greatest, 1: values, boundaries, and what lies around these.
  const MomentCode& code = first_moment_code();
  std::vector<float> x = {1.f};
  for (int i = 0; i < 255; i += 3)
    for (float one : {code.value[i], code.boundary[i], std::nextafter(code.boundary[i], 2.f)})
      x.push_back(one);
  x.resize(256, 0.f);
  Weight w = after_one(x);
  std::vector<uint8_t> found = indices(w.m, 256);
  const std::vector<float> m = [&] {  // what the kernel had before packing
    std::vector<float> all;
    for (float one : x) all.push_back(float(1. - double(0.9f)) * one);
    return all;
  }();
  for (size_t i = 0; i < x.size(); ++i) {
    const float share = m[i] / m[0];
    int nearest = 0;
    while (nearest < 255 && code.boundary[nearest] < share) ++nearest;
    BOOST_TEST(int(found[i]) == nearest, x[i]);
    BOOST_TEST(double(std::fabs(code.value[nearest] - share)) <=
               std::fabs(double(code.value[std::max(0, nearest - 1)]) - double(share)) + 1e-9);
  }
}
// A second moment of 0 beside a first that is not would make steps of lr m / eps.
BOOST_AUTO_TEST_CASE(a_second_moment_does_not_vanish) {
  std::vector<float> x(256, 1e-5f);
  x[0] = 1.f;
  x[1] = 0.f;
  Weight w = after_one(x);
  std::vector<float> v = unpacked(w.v, 256, false).values();
  BOOST_TEST(v[1] == 0.f);
  for (size_t i = 2; i < 256; ++i) BOOST_TEST(v[i] == second_moment_code().value[1] * v[0]);
  w.step(Tensor::zeros({256}, Dtype::f32), step_number(2, 0.f));
  for (float moved : w.master.values()) BOOST_TEST(std::fabs(moved) < 0.03);
}
BOOST_AUTO_TEST_CASE(has_the_same_bits_everywhere) {
  const Isa used = isa();
  const int threads = thread_count();
  auto bits = [](Dtype dtype) {
    Weight w(random_tensor({40001}, Dtype::f32, 1), dtype);
    for (int t = 1; t < 3; ++t)
      w.step(random_tensor({40001}, Dtype::f32, uint64_t(t)), step_number(t));
    return std::vector{bits_of(w.master),  bits_of(w.value),   bits_of(w.m.index),
                       bits_of(w.m.scale), bits_of(w.v.index), bits_of(w.v.scale)};
  };
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    set_isa(Isa::scalar);
    auto plain = bits(dtype);
    for (Isa set : usable_isas())
      for (int n : {1, 3}) {
        set_isa(set);
        set_thread_count(n);
        BOOST_TEST(bool(bits(dtype) == plain), name(set) << " with " << n << " threads");
      }
  }
  set_isa(used);
  set_thread_count(threads);
}

BOOST_AUTO_TEST_SUITE_END()
