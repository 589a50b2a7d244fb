// Two micro-batches gather the gradients of one batch, bit for bit: every sum over tokens is a
// chain in their order.
#include <boost/test/unit_test.hpp>

#include "engine/ops/attention.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/embedding.h"
#include "engine/ops/low_rank.h"
#include "engine/ops/norm.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

constexpr int64_t B = 4, T = 6, n = 20, out = 33;

// What an operation makes of rows `from .. from + count` of a batch of B, with its weights; the
// backward pass from dy of those rows.
using Part = std::function<Tensor(const Tensor& x, int64_t from, int64_t count,
                                  const std::vector<Tensor>& weights)>;

std::vector<std::vector<uint8_t>> gradients(const Part& run, std::vector<Tensor> weights,
                                            Dtype dtype, std::vector<int64_t> split) {
  for (Tensor& w : weights) w.track();
  Tensor all = random_tensor({B, T, n}, dtype, 1);
  int64_t from = 0;
  for (int64_t count : split) {
    Tensor x = all.slice_rows(from, count).copy();
    x.track(dtype);
    Tape tape;
    Tensor y = run(x, from, count, weights);
    Tensor dy = y.size() == 1 ? Tensor::from(std::vector<float>{1.f}, y.shape(), y.dtype())
                              : random_tensor({B, y.size() / count}, dtype, 2)
                                    .slice_rows(from, count)
                                    .copy()
                                    .viewed(y.shape());
    tape.backward(y, dy);
    from += count;
  }
  std::vector<std::vector<uint8_t>> bits;
  for (Tensor& w : weights) bits.push_back(bits_of(w.grad().value()));
  return bits;
}

void splits_agree(const Part& run, const std::vector<Tensor>& weights, Dtype dtype) {
  auto whole = gradients(run, weights, dtype, {4});
  for (auto& split : std::vector<std::vector<int64_t>>{{2, 2}, {1, 1, 1, 1}, {3, 1}}) {
    auto parts = gradients(run, weights, dtype, split);
    for (size_t i = 0; i < whole.size(); ++i)
      BOOST_TEST(bool(parts[i] == whole[i]),
                 "weight " << i << ", " << split.size() << " parts, " << name(dtype));
  }
}
void splits_agree(const Part& run, const std::function<std::vector<Tensor>(Dtype)>& weights) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) splits_agree(run, weights(dtype), dtype);
}

// Odd numbers of targets in every sequence but one, which has none.
Tensor targets(int64_t from, int64_t count) {
  std::vector<int32_t> all = {-1, 3,  20, -1, 5,  -1, 0, 1,  2,  3,  4,  -1,
                              -1, -1, -1, -1, -1, -1, 9, -1, -1, -1, -1, -1};
  return integers({all.begin() + from * T, all.begin() + (from + count) * T}, {count, T});
}
Tensor ids(int64_t from, int64_t count) {
  std::vector<int32_t> all;
  for (int i = 0; i < int(B * T); ++i) all.push_back(i * i % 7);
  return integers({all.begin() + from * T, all.begin() + (from + count) * T}, {count, T});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(micro_batches)

BOOST_AUTO_TEST_CASE(of_linear) {
  splits_agree(
      [](const Tensor& x, int64_t, int64_t, auto& w) { return linear(x, w[0], w[1]); },
      [](Dtype t) {
        return std::vector{random_tensor({out, n}, t, 3), random_tensor({out}, Dtype::f32, 4)};
      });
}
BOOST_AUTO_TEST_CASE(of_linear_lora) {
  splits_agree([](const Tensor& x, int64_t, int64_t,
                  auto& w) { return linear_lora(x, x, w[0], Tensor(), w[1], w[2], 2.); },
               [](Dtype t) {
                 return std::vector{random_tensor({out, n}, t, 3), random_tensor({4, n}, t, 4),
                                    random_tensor({out, 4}, t, 5)};
               });
}
BOOST_AUTO_TEST_CASE(of_rmsnorm) {
  splits_agree([](const Tensor& x, int64_t, int64_t, auto& w) { return rmsnorm(x, w[0], 1e-5); },
               [](Dtype) { return std::vector{random_tensor({n}, Dtype::f32, 3)}; });
}
BOOST_AUTO_TEST_CASE(of_layernorm) {
  splits_agree(
      [](const Tensor& x, int64_t, int64_t, auto& w) { return layernorm(x, w[0], w[1], 1e-5); },
      [](Dtype) {
        return std::vector{random_tensor({n}, Dtype::f32, 3), random_tensor({n}, Dtype::f32, 4)};
      });
}
BOOST_AUTO_TEST_CASE(of_embedding) {
  splits_agree([](const Tensor&, int64_t from, int64_t count,
                  auto& w) { return embedding(w[0], ids(from, count)); },
               [](Dtype t) {
                 return std::vector{random_tensor({7, n}, t, 3)};
               });
}
BOOST_AUTO_TEST_CASE(of_cross_entropy) {
  splits_agree([](const Tensor& x, int64_t from, int64_t count,
                  auto& w) { return cross_entropy(x, w[0], targets(from, count), 1. / 9.).total; },
               [](Dtype t) {
                 return std::vector{random_tensor({out, n}, t, 3)};
               });
}
// Attention has no weights; those before it see its gradients.
BOOST_AUTO_TEST_CASE(of_attention_after_linear) {
  splits_agree(
      [](const Tensor& x, int64_t, int64_t count, auto& w) {
        auto heads = [&](int i) {
          return reshape(linear(x, w[size_t(i)], Tensor()), {count, T, 2, 8});
        };
        return attention(heads(0), heads(1), heads(2),
                         integers(std::vector<int32_t>(size_t(count * T), 0), {count, T}), 0.3);
      },
      [](Dtype t) {
        return std::vector{random_tensor({16, n}, t, 3), random_tensor({16, n}, t, 4),
                           random_tensor({16, n}, t, 5)};
      });
}

BOOST_AUTO_TEST_CASE(losses_of_rows) {
  Tensor x = random_tensor({B, T, n}, Dtype::f32, 1), w = random_tensor({out, n}, Dtype::f32, 3),
         wanted = targets(0, B);
  Loss loss = cross_entropy(x, w, wanted, 0.5);
  auto each = loss.losses.values();
  double sum = 0;
  for (size_t i = 0; i < each.size(); ++i) {
    BOOST_TEST((each[i] > 0.f) == (wanted.integers()[i] >= 0));
    sum += double(each[i]);
  }
  BOOST_TEST(loss.total.item() == double(float(0.5 * sum)));
  BOOST_TEST(!loss.total.needs_grad());
}
BOOST_AUTO_TEST_CASE(nothing_to_learn) {
  Tensor x = random_tensor({1, 4, n}, Dtype::f32, 1), w = random_tensor({out, n}, Dtype::f32, 3);
  x.track();
  Tape tape;
  Loss loss = cross_entropy(x, w, integers({-1, -1, -1, -1}, {1, 4}), 1.);
  BOOST_TEST(loss.total.item() == 0.);
  tape.backward(loss.total);
  for (float g : x.grad().value().values()) BOOST_TEST(g == 0.f);
}
BOOST_AUTO_TEST_CASE(a_target_beyond_the_vocabulary) {
  Tensor x = random_tensor({1, 2, n}, Dtype::f32, 1), w = random_tensor({out, n}, Dtype::f32, 3);
  BOOST_CHECK_THROW(cross_entropy(x, w, integers({0, out}, {1, 2}), 1.), Error);
}
BOOST_AUTO_TEST_CASE(a_loss_that_is_not_the_root) {
  Tensor x = random_tensor({1, 2, n}, Dtype::f32, 1), w = random_tensor({out, n}, Dtype::f32, 3);
  w.track();
  Tape tape;
  Tensor twice = cross_entropy(x, w, integers({0, 1}, {1, 2}), 1.).total * 2.;
  BOOST_CHECK_THROW(tape.backward(twice), Error);
}

BOOST_AUTO_TEST_SUITE_END()
