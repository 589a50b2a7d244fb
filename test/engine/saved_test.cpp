// What backward saves: only what it cannot recompute cheaply; and gradients of single rows.
#include "engine/saved.h"

#include <boost/test/unit_test.hpp>

#include "engine/meter.h"
#include "engine/ops/embedding.h"
#include "engine/ops/linear.h"
#include "engine/ops/norm.h"
#include "engine/ops/swiglu.h"
#include "engine/row_sum.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

constexpr int64_t rows = 64, n = 32, ff = 96;

int64_t activations() { return memory_use(Device::cpu).now[size_t(Purpose::activations)]; }

Tensor tracked(Shape shape, Dtype dtype, uint64_t number) {
  Tensor t = random_tensor(shape, dtype, number);
  t.track();
  return t;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(kept)

// An MLP as a Llama has it: of the norm's result, gate, up and their product, only gate and up
// stay; with `again`, none of them.
BOOST_AUTO_TEST_CASE(only_what_cannot_be_made_again_is_held) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (bool again : {false, true}) {
      int64_t element = int64_t(size_of(dtype));
      Tensor norm = tracked({n}, Dtype::f32, 1), gate = tracked({ff, n}, dtype, 2),
             up = tracked({ff, n}, dtype, 3), down = tracked({n, ff}, dtype, 4);
      Tensor x = random_tensor({rows, n}, dtype, 5);
      x.track(dtype);
      int64_t before = activations();
      Tape tape;
      auto open = [&](const Tensor& h, const Tensor& w) {
        auto run = [w](const Tensor& of) { return linear(of, w, Tensor()); };
        return again ? recomputed(h, run(h), run) : run(h);
      };
      Tensor y = [&] {
        Tensor h = rmsnorm(x, norm, 1e-5);
        return linear(swiglu(open(h, gate), open(h, up)), down, Tensor());
      }();
      int64_t held =
          rows * n * element + rows * 4 +
          (again ? 0 : 2 * rows * ff * element);  // y, the norm's statistics, gate and up
      BOOST_TEST(activations() - before == held, name(dtype) << (again ? ", again" : ""));
      tape.backward(y, random_tensor({rows, n}, dtype, 6));
      y = Tensor();
      x.grad().drop();
      BOOST_TEST(activations() == before);
    }
}

BOOST_AUTO_TEST_CASE(a_recipe_is_followed_once_and_its_result_goes_with_the_last_user) {
  int made = 0;
  Tensor x = tracked({4, 4}, Dtype::f32, 1), w = tracked({4, 4}, Dtype::f32, 2);
  Tape tape;
  int64_t before = activations();
  Tensor sum;
  {
    Tensor y = with_recipe(
        Tape::record("copy", x.copy(), {x}, [dx = x.grad()](const Tensor& dy) { dx += dy; }),
        [&made, x] {
          ++made;
          return x.copy();
        });
    sum = linear(y, w, Tensor()) + linear(y, w, Tensor());
  }
  BOOST_TEST(made == 0);
  BOOST_TEST(activations() - before == 16 * 4);  // the sum alone
  tape.backward(sum, random_tensor({4, 4}, Dtype::f32, 3));
  BOOST_TEST(made == 1);
  sum = Tensor();
  BOOST_TEST(activations() == before);
}

BOOST_AUTO_TEST_CASE(without_a_tape_nothing_is_remembered) {
  Tensor x = tracked({4, 4}, Dtype::f32, 1), w = tracked({4}, Dtype::f32, 2);
  BOOST_TEST(!rmsnorm(x, w, 1e-5).recipe());
  Tape tape;
  Tensor y = rmsnorm(x, w, 1e-5);
  BOOST_TEST(bool(y.recipe()));
  BOOST_TEST(bool(y.viewed({2, 8}).recipe()));
  BOOST_TEST(!y.detached().recipe());
  BOOST_TEST(!y.viewed({16, 1}).slice_rows(2, 3).recipe());
}

BOOST_AUTO_TEST_CASE(rows_gather_as_in_the_whole) {
  constexpr int64_t vocabulary = 40, width = 24;
  std::vector<int32_t> ids = {3, 1, 39, 1, 5, 6, 2, 6, 5, 3, 0, 39, 7, 7, 7, 1};
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    Tensor dy = random_tensor({int64_t(ids.size()), width}, dtype, 1),
           table = random_tensor({vocabulary, width}, dtype, 2), whole = table;
    whole.track();
    auto gather = [&](Tensor& of, int64_t each) {
      for (int64_t from = 0; from < int64_t(ids.size()); from += each) {
        Tape tape;
        Tensor y =
            embedding(of, integers({ids.begin() + from, ids.begin() + from + each}, {1, each}));
        tape.backward(y, dy.slice_rows(from, each).viewed(y.shape()));
      }
    };
    gather(whole, int64_t(ids.size()));
    for (int64_t each : {16, 8, 2}) {
      Tensor by_rows = table.detached();
      by_rows.track_rows(Dtype::f32);
      int64_t before = memory_use(Device::cpu).now[size_t(Purpose::gradients)];
      BOOST_TEST(!by_rows.grad().touched());
      for (int step = 0; step < 2; ++step) {  // the second time from nothing again
        gather(by_rows, each);
        BOOST_TEST(by_rows.grad().touched());
        BOOST_TEST(memory_use(Device::cpu).now[size_t(Purpose::gradients)] - before ==
                   16 * width * 4);
        Tensor sum = Tensor::zeros({vocabulary, width}, Dtype::f32);
        by_rows.grad().rows()->add_to(sum);
        BOOST_TEST(bool(bits_of(sum) == bits_of(whole.grad().value())),
                   name(dtype) << ", " << each << " at a time");
        by_rows.grad().drop();
        BOOST_TEST(memory_use(Device::cpu).now[size_t(Purpose::gradients)] == before);
      }
    }
  }
}
BOOST_AUTO_TEST_CASE(rows_are_never_more_than_the_whole) {
  Tensor table = random_tensor({5, 8}, Dtype::f32, 1);
  table.track_rows(Dtype::f32);
  int64_t before = memory_use(Device::cpu).now[size_t(Purpose::gradients)];
  Tape tape;
  Tensor y = embedding(table, integers(std::vector<int32_t>(100, 4), {1, 100}));
  tape.backward(y, Tensor::zeros(y.shape(), y.dtype()));
  BOOST_TEST(memory_use(Device::cpu).now[size_t(Purpose::gradients)] - before == 5 * 8 * 4);
  BOOST_CHECK_THROW(table.grad().sum(), Error);
}

BOOST_AUTO_TEST_SUITE_END()
