// A norm that adds the residual stream up in its own pass, beside the addition and the norm one
// after the other: bit for bit.
#include <boost/test/unit_test.hpp>

#include "engine/device.h"
#include "engine/isa.h"
#include "engine/ops/norm.h"
#include "test/cuda/gpus.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

enum class Way { one_pass, one_after_the_other };

struct Norm {
  bool layer;
  Tensor weight, bias;
  Normed operator()(const Tensor& x, const Tensor& more, Way way) const {
    if (way == Way::one_pass)
      return layer ? added_layernorm(x, more, weight, bias, 1e-5)
                   : added_rmsnorm(x, more, weight, 1e-5);
    Tensor sum = x + more;
    return {sum, layer ? layernorm(sum, weight, bias, 1e-5) : rmsnorm(sum, weight, 1e-5)};
  }
};

// Two residual connections as a block has them; the bits of the stream and of all gradients.
// stream: whether x and its branch need one.
std::vector<std::vector<uint8_t>> bits_of_block(bool layer, Dtype dtype, Way way, bool stream,
                                                Device device) {
  CaseDevice there(device);
  constexpr int64_t rows = 7, n = 50;
  Norm norm{layer, random_tensor({n}, Dtype::f32, 3), random_tensor({n}, Dtype::f32, 4)};
  Tensor x = random_tensor({rows, n}, dtype, 1), branch = random_tensor({rows, n}, dtype, 2);
  for (Tensor* t : {&norm.weight, &norm.bias}) t->track();
  if (stream) {
    x.track(dtype);
    branch.track(dtype);
  }
  Tape tape;
  Normed first = norm(x, branch, way);
  Normed second = norm(first.sum, first.y * 0.5, way);
  Tensor out = second.sum + second.y;
  tape.backward(out, random_tensor({rows, n}, dtype, 5));
  std::vector<std::vector<uint8_t>> bits = {bits_of(second.sum), bits_of(second.y)};
  for (const Tensor& t : {x, branch, norm.weight, norm.bias})
    if (t.needs_grad() && t.grad().touched()) bits.push_back(bits_of(t.grad().value()));
  return bits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(norms)

BOOST_AUTO_TEST_CASE(an_addition_in_the_same_pass_gives_the_same_bits) {
  Isa used = isa();
  std::vector<Device> devices = gpus();
  devices.insert(devices.begin(), Device::cpu);
  for (Device device : devices) {
    for (Isa set : device == Device::cpu ? usable_isas() : std::vector{used}) {
      set_isa(set);
      for (Dtype dtype : {Dtype::f32, Dtype::bf16})
        for (bool layer : {false, true})
          for (bool stream : {true, false}) {
            auto one = bits_of_block(layer, dtype, Way::one_pass, stream, device);
            auto two = bits_of_block(layer, dtype, Way::one_after_the_other, stream, device);
            BOOST_TEST(one.size() == size_t(3 + layer + 2 * stream));
            BOOST_TEST(bool(one == two), (layer ? "layernorm " : "rmsnorm ")
                                             << name(dtype) << " on " << name(device) << " by "
                                             << name(set));
          }
    }
  }
  set_isa(used);
}

// With dx already there, the norm adds to it as a tensor of its own would be added.
BOOST_AUTO_TEST_CASE(its_gradient_is_added_to_what_is_there) {
  constexpr int64_t rows = 64, n = 32;
  Tensor dx = random_tensor({rows, n}, Dtype::f32, 1), before = dx.copy(),
         dy = random_tensor({rows, n}, Dtype::f32, 2), x = random_tensor({rows, n}, Dtype::f32, 3),
         weight = random_tensor({n}, Dtype::f32, 4), rstd = random_tensor({rows}, Dtype::f32, 5),
         part = like(x), none;
  kernel::rmsnorm_backward(part, none, dy, x, weight, rstd, false);
  kernel::rmsnorm_backward(dx, none, dy, x, weight, rstd, true);
  BOOST_TEST(bool(bits_of(dx) == bits_of(before + part)));
}

// Rows that GPUs keep in registers, by their number of vectors and of rows to a thread, beside the
// CPU's.
BOOST_AUTO_TEST_CASE(rows_kept_in_registers) {
  struct Size {
    int64_t rows, n;
  };
  for (Device device : gpus())
    for (Size s : {Size{5, 64},
                   {4500, 64},
                   {37, 576},
                   {9, 768},
                   {6, 1024},
                   {1100, 1032},
                   {5, 2048},
                   {3, 4096},
                   {3, 8192},
                   {7, 580}})
      for (bool layer : {false, true})
        for (bool add : {false, true}) {
          auto on = [&](Device there) {
            const Shape shape{s.rows, s.n}, vector{s.n}, each{s.rows};
            auto made = [&](const Shape& of, Dtype dtype, uint64_t seed) {
              return random_tensor(of, dtype, seed).to(there);
            };
            Tensor x = made(shape, Dtype::bf16, 1), more = made(shape, Dtype::bf16, 2),
                   dy = made(shape, Dtype::bf16, 3), weight = made(vector, Dtype::f32, 4),
                   bias = made(vector, Dtype::f32, 5), dx = made(shape, Dtype::bf16, 6),
                   dweight = made(vector, Dtype::f32, 7), dbias = made(vector, Dtype::f32, 8),
                   sum = like(x), y = like(x), mean(each, Dtype::f32, there),
                   rstd(each, Dtype::f32, there);
            if (layer) {
              kernel::added_layernorm(sum, y, mean, rstd, x, more, weight, bias, 1e-5);
              kernel::layernorm_backward(dx, dweight, dbias, dy, sum, weight, mean, rstd, add);
            } else {
              kernel::added_rmsnorm(sum, y, rstd, x, more, weight, 1e-5);
              kernel::rmsnorm_backward(dx, dweight, dy, sum, weight, rstd, add);
            }
            Tensor frozen = made(shape, Dtype::bf16, 6), none;
            if (layer)
              kernel::layernorm_backward(frozen, none, none, dy, sum, weight, mean, rstd, add);
            else kernel::rmsnorm_backward(frozen, none, dy, sum, weight, rstd, add);
            BOOST_TEST(bool(bits_of(frozen) == bits_of(dx)));
            return std::vector<Tensor>{sum, y, dx, dweight, dbias};
          };
          std::vector<Tensor> here = on(device), known = on(Device::cpu);
          for (size_t t = 0; t < here.size(); ++t) {
            std::vector<double> a = here[t].values64(), b = known[t].values64();
            double worst = 0;
            for (size_t i = 0; i < a.size(); ++i)
              worst =
                  std::max(worst, std::abs(a[i] - b[i]) / (std::abs(b[i]) + (t < 3 ? .1 : 10.)));
            BOOST_TEST(worst < (t < 3 ? 0.02 : 1e-4),
                       s.rows << " x " << s.n << (layer ? " layernorm" : " rmsnorm")
                              << (add ? " added" : "") << ", result " << t << ": " << worst
                              << " on " << name(device));
          }
        }
}

BOOST_AUTO_TEST_SUITE_END()
