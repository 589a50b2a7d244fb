// Activation checkpointing gives the gradients of the plain run, bit for bit, dropout included.
#include <boost/test/unit_test.hpp>

#include "engine/meter.h"
#include "engine/ops/attention.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/dropout.h"
#include "engine/ops/linear.h"
#include "engine/ops/norm.h"
#include "engine/ops/swiglu.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

constexpr int64_t B = 2, T = 6, n = 16, ff = 24;

// A block as a Llama has it, with dropout.
Tensor block(const Tensor& x, const std::vector<Tensor>& w) {
  Tensor keys = integers(
      [] {
        std::vector<int32_t> k;
        for (int i = 0; i < int(B * T); ++i) {
          k.push_back(i / int(T));
          k.push_back(i % int(T));
        }
        return k;
      }(),
      {B * T, 2});
  Tensor h = rmsnorm(x, w[0], 1e-5);
  auto heads = [&](size_t i) { return reshape(linear(h, w[i], Tensor()), {B, T, 2, 8}); };
  Tensor seen = attention(heads(1), heads(2), heads(3),
                          integers(std::vector<int32_t>(size_t(B * T), 0), {B, T}), 0.3);
  Tensor y = x + linear(dropout(reshape(seen, {B, T, n}), keys, 0.2, {1, 2}), w[4], Tensor());
  return y + linear(swiglu(linear(y, w[5], Tensor()), linear(y, w[6], Tensor())), w[7], Tensor());
}

std::vector<std::vector<uint8_t>> gradients(Dtype dtype, bool checkpointed, bool input_too) {
  std::vector<Tensor> w = {random_tensor({n}, Dtype::f32, 1)};
  for (uint64_t i = 1; i <= 4; ++i) w.push_back(random_tensor({n, n}, dtype, i + 1));
  w.push_back(random_tensor({ff, n}, dtype, 6));
  w.push_back(random_tensor({ff, n}, dtype, 7));
  w.push_back(random_tensor({n, ff}, dtype, 8));
  w.push_back(random_tensor({11, n}, dtype, 9));
  for (Tensor& t : w) t.track();
  Tensor x = random_tensor({B, T, n}, dtype, 10);
  if (input_too) x.track(dtype);
  Tape tape;
  Tensor y = x;
  for (int layer = 0; layer < 2; ++layer)
    y = checkpointed ? checkpoint(y, [&](const Tensor& in) { return block(in, w); }) : block(y, w);
  tape.backward(
      cross_entropy(y, w.back(), integers({1, 2, 3, -1, 4, 5, 6, 7, -1, 8, 9, 10}, {B, T}), 0.1)
          .total);
  std::vector<std::vector<uint8_t>> bits;
  for (Tensor& t : w) bits.push_back(bits_of(t.grad().value()));
  if (input_too) bits.push_back(bits_of(x.grad().value()));
  return bits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(give_the_gradients_of_the_plain_run) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (bool input_too : {false, true})
      BOOST_TEST(bool(gradients(dtype, true, input_too) == gradients(dtype, false, input_too)),
                 name(dtype));
}
BOOST_AUTO_TEST_CASE(count_what_they_repeat) {
  reset_flops();
  gradients(Dtype::f32, false, false);
  BOOST_TEST(flops().recomputed == 0);
  reset_flops();
  gradients(Dtype::f32, true, false);
  BOOST_TEST(flops().recomputed > 0);
}

BOOST_AUTO_TEST_SUITE_END()
