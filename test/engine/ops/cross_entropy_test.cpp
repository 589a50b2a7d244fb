// Slopes that are written over their logits, and a frozen head beside a trained one: bit for bit.
#include "engine/ops/cross_entropy.h"

#include <boost/test/unit_test.hpp>

#include "engine/isa.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

Tensor targets_of(int64_t rows, int64_t vocabulary) {
  std::vector<int32_t> all;
  for (int64_t i = 0; i < rows; ++i)
    all.push_back(i % 5 == 0 ? -1 : int32_t(i * 31 % vocabulary));  // none for the first
  return integers(all, {rows});
}

// Losses and slopes of random logits.
std::vector<std::vector<uint8_t>> slopes(int64_t rows, int64_t vocabulary, bool over) {
  const Tensor targets = targets_of(rows, vocabulary);
  Tensor logits = random_tensor({rows, vocabulary}, Dtype::f32, 1).copy(),
         losses({rows, 1}, Dtype::f32),
         slopes = over ? logits.reused(logits.shape(), Dtype::bf16)
                       : Tensor(logits.shape(), Dtype::bf16);
  kernel::softmax_loss(logits, losses, slopes, targets, 0.25);
  return {bits_of(losses), bits_of(slopes)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cross_entropies)

BOOST_AUTO_TEST_CASE(slopes_over_their_logits) {
  const Isa used = isa();
  for (Isa one : usable_isas()) {
    set_isa(one);
    for (int64_t rows : {1, 2, 3, 8, 37})
      for (int64_t vocabulary : {1, 50, 1500})
        BOOST_TEST((slopes(rows, vocabulary, true) == slopes(rows, vocabulary, false)),
                   name(one) << ": " << rows << " x " << vocabulary);
  }
  set_isa(used);
  // Two threads may meet in the same room: not every time.
  const auto apart = slopes(37, 1500, false);
  for (int time = 0; time < 50; ++time) BOOST_REQUIRE((slopes(37, 1500, true) == apart));
  const Tensor some = random_tensor({3, 5}, Dtype::bf16, 1);
  BOOST_CHECK_THROW(some.reused({3, 5}, Dtype::f32), Error);
}

// A trained head goes through its rows in other chunks.
BOOST_AUTO_TEST_CASE(a_frozen_head_has_the_bits_of_a_trained_one) {
  constexpr int64_t rows = 521, n = 6, vocabulary = 37;
  auto run = [&](bool trained) {
    Tensor x = random_tensor({1, rows, n}, Dtype::bf16, 1),
           head = random_tensor({vocabulary, n}, Dtype::bf16, 2);
    x.track(Dtype::bf16);
    if (trained) head.track(Dtype::f32);
    Tape tape;
    const Loss loss =
        cross_entropy(x, head, targets_of(rows, vocabulary).viewed({1, rows}), 1. / rows);
    tape.backward(loss.total);
    return std::vector{bits_of(loss.losses), bits_of(x.grad().value())};
  };
  BOOST_TEST((run(true) == run(false)));
}

BOOST_AUTO_TEST_SUITE_END()
