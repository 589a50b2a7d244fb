// LoRA's layers that share their input: stacked and one by one give the same bits.
#include <boost/test/unit_test.hpp>

#include "engine/ops/low_rank.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

struct Layer {
  Tensor weight, a, b;
  double scale;
};

// Values and gradients of two steps in which gradients go on, so that the second begins from sums.
std::vector<std::vector<float>> outcome(Dtype dtype, bool stacked) {
  Tensor x = random_tensor({2, 8, 40}, dtype, 1);
  x.track(dtype);
  std::vector<Layer> layers;
  int64_t rank = 3;
  for (int64_t out : {40, 24, 24}) {
    Layer l{random_tensor({out, 40}, dtype, uint64_t(rank)),
            random_tensor({rank, 40}, dtype, uint64_t(rank) + 1),
            random_tensor({out, rank}, dtype, uint64_t(rank) + 2), rank == 3 ? 1. : 2.};
    l.a.track();
    l.b.track();
    layers.push_back(l);
    rank += 4;
  }
  std::vector<std::vector<float>> all;
  for (int step = 0; step < 2; ++step) {
    Tape tape;
    std::vector<Tensor> as, ys;
    for (Layer& l : layers) as.push_back(l.a);
    Tensor low = stacked ? lora_low(x, as) : Tensor();
    int64_t from = 0;
    for (Layer& l : layers) {
      ys.push_back(stacked ? linear_lora_of(x, low, from, l.weight, Tensor(), l.a, l.b, l.scale)
                           : linear_lora(x, x, l.weight, Tensor(), l.a, l.b, l.scale));
      all.push_back(ys.back().values());
      from += l.a.rows();
    }
    Tensor y = sum(ys[0]) + sum(ys[1] * ys[2]);
    tape.backward(y);
  }
  all.push_back(x.grad().value().values());
  for (Layer& l : layers) {
    all.push_back(l.a.grad().value().values());
    all.push_back(l.b.grad().value().values());
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(together)

BOOST_AUTO_TEST_CASE(stacked_and_alone_give_the_same_bits) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    BOOST_TEST((outcome(dtype, true) == outcome(dtype, false)), name(dtype));
}

BOOST_AUTO_TEST_SUITE_END()
