// Constant weights are packed once, in both directions, without a change in the bits; and FLOPs
// follow from shapes alone.
#include "engine/packed.h"

#include <boost/test/unit_test.hpp>

#include "engine/bf16_sums.h"
#include "engine/isa.h"
#include "engine/meter.h"
#include "engine/ops/low_rank.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

struct Outcome {
  std::vector<uint8_t> y, dx;
  bool operator==(const Outcome&) const = default;
};
Outcome run(const Tensor& weight, Dtype dtype) {
  Tensor x = random_tensor({6, 40}, dtype, 1);
  x.track(dtype);
  Tape tape;
  Tensor y = linear(x, weight, Tensor());
  tape.backward(y, random_tensor({6, 70}, dtype, 2));
  return {bits_of(y.detached()), bits_of(x.grad().value())};
}

struct Packing {
  PackScope on{true};
};

}  // namespace

BOOST_AUTO_TEST_CASE(constant_weights_are_not_packed_unless_asked) {
  Tensor weight = random_tensor({70, 40}, Dtype::f32, 3);
  weight.buffer()->constant = true;
  run(weight, Dtype::f32);
  BOOST_TEST(!weight.buffer()->packed[0]);
  BOOST_TEST(!weight.buffer()->packed[1]);
}

BOOST_FIXTURE_TEST_SUITE(constant_weights, Packing)

BOOST_AUTO_TEST_CASE(give_the_same_bits_packed) {
  Isa used = isa();
  for (Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64}) {
    Tensor plain = random_tensor({70, 40}, dtype, 3), constant = plain.copy();
    constant.buffer()->constant = true;
    for (Isa set : usable_isas()) {  // each repacks in its own form
      set_isa(set);
      Outcome expected = run(plain, dtype);
      for (int again : {0, 1})
        BOOST_TEST(bool(run(constant, dtype) == expected),
                   name(dtype) << ", " << name(set) << ", use " << again);
    }
  }
  set_isa(used);
}
// The packed form belongs to an order of bf16's sums; a weight may be used under both.
BOOST_AUTO_TEST_CASE(each_order_of_sums_has_its_own_form) {
  Tensor plain = random_tensor({70, 40}, Dtype::bf16, 3), constant = plain.copy();
  constant.buffer()->constant = true;
  for (Bf16Sums order : {Bf16Sums::pairs, Bf16Sums::tiles, Bf16Sums::pairs}) {
    SumsScope sums(order);
    BOOST_TEST(bool(run(constant, Dtype::bf16) == run(plain, Dtype::bf16)), int(order));
  }
}
BOOST_AUTO_TEST_CASE(are_metered_as_weights_and_packed_once) {
  Tensor weight = random_tensor({70, 40}, Dtype::f32, 3);
  weight.buffer()->constant = true;
  int64_t before = memory_use(Device::cpu).now[int(Purpose::weights)];
  run(weight, Dtype::f32);
  int64_t packed = memory_use(Device::cpu).now[int(Purpose::weights)] - before;
  BOOST_TEST(packed >= 2 * 70 * 40 * 4);
  const void* form = weight.buffer()->packed[1]->data;
  run(weight, Dtype::f32);
  BOOST_TEST(memory_use(Device::cpu).now[int(Purpose::weights)] - before == packed);
  BOOST_TEST(weight.buffer()->packed[1]->data == form);
  weight = Tensor();
  BOOST_TEST(memory_use(Device::cpu).now[int(Purpose::weights)] == before);
}
BOOST_AUTO_TEST_CASE(rows_of_one_are_not_taken_for_the_whole) {
  Tensor weight = random_tensor({70, 40}, Dtype::f32, 3), x = random_tensor({6, 40}, Dtype::f32, 1);
  Tensor expected = linear(x, weight.slice_rows(30, 20).copy(), Tensor());
  weight.buffer()->constant = true;
  linear(x, weight, Tensor());
  BOOST_TEST(bool(bits_of(linear(x, weight.slice_rows(30, 20), Tensor())) == bits_of(expected)));
  BOOST_TEST(bool(bits_of(linear(x, weight.slice_rows(0, 20), Tensor())) ==
                  bits_of(linear(x, weight.slice_rows(0, 20).copy(), Tensor()))));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(flop_counts)

BOOST_AUTO_TEST_CASE(of_linear_and_what_freezing_saves) {
  constexpr int64_t m = 6, n = 70, k = 40;
  for (bool frozen : {false, true}) {
    Tensor x = random_tensor({m, k}, Dtype::f32, 1), weight = random_tensor({n, k}, Dtype::f32, 2);
    x.track();
    if (!frozen) weight.track();
    reset_flops();
    Tape tape;
    Tensor y = linear(x, weight, Tensor());
    BOOST_TEST(flops().of[int(Phase::forward)] == 2 * m * n * k);
    PhaseScope backward(Phase::backward);
    tape.backward(y, random_tensor({m, n}, Dtype::f32, 3));
    BOOST_TEST(flops().of[int(Phase::backward)] == (frozen ? 2 : 4) * m * n * k);
  }
}
BOOST_AUTO_TEST_CASE(of_lora) {
  constexpr int64_t m = 6, n = 70, k = 40, r = 4;
  Tensor x = random_tensor({m, k}, Dtype::f32, 1), weight = random_tensor({n, k}, Dtype::f32, 2),
         a = random_tensor({r, k}, Dtype::f32, 3);
  Tensor b = random_tensor({n, r}, Dtype::f32, 4);
  x.track();
  a.track();
  b.track();
  reset_flops();
  Tape tape;
  Tensor y = linear_lora(x, x, weight, Tensor(), a, b, 2.);
  BOOST_TEST(flops().of[int(Phase::forward)] == 2 * m * (n * k + r * k + n * r));
  PhaseScope backward(Phase::backward);
  tape.backward(y, random_tensor({m, n}, Dtype::f32, 5));
  BOOST_TEST(flops().of[int(Phase::backward)] == 2 * m * (n * k + 2 * r * k + 2 * n * r));
}

BOOST_AUTO_TEST_SUITE_END()
