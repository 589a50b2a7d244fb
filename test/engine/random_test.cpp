// Random numbers: many at once have the bits of one at a time, on every instruction set and any
// number of threads.
#include "engine/random.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/isa.h"
#include "engine/normals.h"
#include "engine/threads.h"
#include "engine/train/parameter.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(random_numbers)

BOOST_AUTO_TEST_CASE(many_normals_have_the_bits_of_single_ones) {
  Isa used = isa();
  int threads = thread_count();
  Random random(11, "init", "model.layers.0.weight");
  for (int64_t first : {int64_t(0), int64_t(34), int64_t(1) << 34})
    for (int64_t n : {1, 31, 32, 33, 1000}) {
      std::vector<float> expected;
      for (int64_t i = 0; i < n; ++i)
        expected.push_back(0.02f * random.normal(uint64_t(first + i)));
      for (Isa set : usable_isas())
        for (int count : {1, 3}) {
          set_isa(set);
          set_thread_count(count);
          Tensor values({n}, Dtype::f32);
          kernel::normals(values, NormalStream(random), first, 0.02f);
          BOOST_TEST(bool(bits_of(values) == bits_of(Tensor::from(expected, {n}))),
                     n << " from " << first << " by " << name(set));
        }
    }
  set_isa(used);
  set_thread_count(threads);
}

BOOST_AUTO_TEST_CASE(normals_are_normal) {
  Tensor values({100000}, Dtype::f32);
  kernel::normals(values, NormalStream(Random(1, "test")), 0, 1.f);
  double sum = 0, squares = 0, beyond = 0;
  for (float v : values.values()) {
    sum += v;
    squares += double(v) * v;
    beyond += std::fabs(v) > 1.959964f;
  }
  BOOST_TEST(std::fabs(sum / 1e5) < 0.01);
  BOOST_TEST(std::fabs(squares / 1e5 - 1) < 0.01);
  BOOST_TEST(std::fabs(beyond / 1e5 - 0.05) < 0.003);
}

// Longer than what is made at a time.
BOOST_AUTO_TEST_CASE(a_weight_begins_with_the_numbers_of_its_name) {
  for (Init init : {Init{Init::normal, 0.5f}, Init{Init::uniform, 0.25f}, Init{Init::ones},
                    Init{Init::zeros}}) {
    Parameter p = make_parameter("w", {600, 500}, init, true, Dtype::f32, Device::cpu);
    initialise(p, 5);
    Random random(5, "init", "w");
    std::vector<float> values = p.value.values();
    for (size_t i : {size_t(0), size_t(1), size_t(262143), size_t(262144), size_t(299999)}) {
      float expected = init.kind == Init::normal    ? 0.5f * random.normal(i)
                       : init.kind == Init::uniform ? 0.25f * (2.f * random.uniform(i) - 1.f)
                                                    : float(init.kind == Init::ones);
      BOOST_TEST(values[i] == expected);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
