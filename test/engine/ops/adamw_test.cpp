// AdamW's kernel and the gradient norm, against their definitions and on every instruction set.
#include "engine/ops/adamw.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/isa.h"
#include "engine/threads.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

constexpr int64_t size = 40001;
constexpr AdamWStep third = {1e-2f, 0.9f, 0.99f, 1e-8f, 0.1f, 1.f - 0.729f, 0.17234f, 0.5f, 3.f};

std::vector<std::vector<uint8_t>> stepped(Dtype value_dtype) {
  Tensor master = random_tensor({size}, Dtype::f32, 1),
         value = value_dtype == Dtype::f32 ? master : master.as(value_dtype);
  Tensor m = random_tensor({size}, Dtype::f32, 2),
         v = random_tensor({size}, Dtype::f32, 3, 1., 0.1),
         g = random_tensor({size}, Dtype::f32, 4);
  kernel::adamw(master, value, g, m, v, third);
  return {bits_of(master), bits_of(value), bits_of(m), bits_of(v)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(adamw_kernel)

BOOST_AUTO_TEST_CASE(is_the_definition) {
  Tensor master = random_tensor({100}, Dtype::f32, 1), value = master.as(Dtype::bf16),
         m = random_tensor({100}, Dtype::f32, 2), v = random_tensor({100}, Dtype::f32, 3, 1., 0.1);
  Tensor gradient = random_tensor({100}, Dtype::f32, 4);
  auto w0 = master.values64(), m0 = m.values64(), v0 = v.values64(), g0 = gradient.values64();
  const AdamWStep& s = third;
  kernel::adamw(master, value, gradient, m, v, s);
  for (size_t i = 0; i < 100; ++i) {
    double g = g0[i] * double(s.gradient_scale),
           first = double(s.beta1) * m0[i] + (1 - double(s.beta1)) * g,
           second = double(s.beta2) * v0[i] + (1 - double(s.beta2)) * g * g;
    double w = w0[i] * (1 - double(s.lr) * double(s.rate) * double(s.decay)) -
               double(s.lr) * double(s.rate) / double(s.bias1) * first /
                   (std::sqrt(second) / double(s.bias2_root) + double(s.eps));
    BOOST_TEST(std::fabs(master.values64()[i] - w) < 1e-6);
    BOOST_TEST(std::fabs(m.values64()[i] - first) < 1e-6);
    BOOST_TEST(std::fabs(v.values64()[i] - second) < 1e-6);
  }
  BOOST_TEST(bool(bits_of(value) == bits_of(master.as(Dtype::bf16))));
}
BOOST_AUTO_TEST_CASE(has_the_same_bits_everywhere) {
  Isa used = isa();
  int threads = thread_count();
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    set_isa(Isa::scalar);
    auto plain = stepped(dtype);
    for (Isa set : usable_isas())
      for (int n : {1, 2, 3}) {
        set_isa(set);
        set_thread_count(n);
        BOOST_TEST(bool(stepped(dtype) == plain), name(set) << " with " << n << " threads");
      }
  }
  set_isa(used);
  set_thread_count(threads);
}
BOOST_AUTO_TEST_CASE(norm_of_a_gradient) {
  Isa used = isa();
  int threads = thread_count();
  for (int64_t n : {1, 15, 4096, 40001}) {
    Tensor x = random_tensor({n}, Dtype::f32, 5), norm({1}, Dtype::f64);
    double sum = 0;
    for (double v : x.values64()) sum += v * v;
    set_isa(Isa::scalar);
    kernel::squared_norm(norm, x);
    BOOST_TEST(std::fabs(norm.item() - sum) < 1e-12 * sum);
    auto plain = bits_of(norm);
    for (Isa set : usable_isas())
      for (int count : {1, 2, 3}) {
        set_isa(set);
        set_thread_count(count);
        kernel::squared_norm(norm, x);
        BOOST_TEST(bool(bits_of(norm) == plain), name(set) << " with " << count << " threads");
      }
  }
  set_isa(used);
  set_thread_count(threads);
}

BOOST_AUTO_TEST_SUITE_END()
