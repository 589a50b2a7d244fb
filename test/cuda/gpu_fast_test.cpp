// What the fast kernels of the GPU promise beside their values: the bits of the CPU where sums have
// its order, and the same bits in whatever order threads run.
#include <boost/test/unit_test.hpp>

#include "cuda/emulator/runner.h"
#include "engine/ops/attention.h"
#include "engine/primitives.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

// Prefers a variant on the emulated device while it lives.
struct Preferred {
  KernelSlot& slot;
  Preferred(KernelSlot& s, const char* variant) : slot(s) {
    BOOST_REQUIRE(slot.prefer(Device::emulated, variant));
  }
  ~Preferred() { slot.prefer(Device::emulated, nullptr); }
};
Tensor there(const Tensor& t) { return t ? t.to(Device::emulated) : t; }

struct Product {
  int64_t m, n, k;
  bool ta, tb, accumulate, bias;
};
Tensor product(const Product& p, Device device) {
  auto on = [&](const Tensor& t) { return t.to(device); };
  Tensor a = on(random_tensor(p.ta ? Shape{p.k, p.m} : Shape{p.m, p.k}, Dtype::f32, 1)),
         b = on(random_tensor(p.tb ? Shape{p.n, p.k} : Shape{p.k, p.n}, Dtype::f32, 2));
  Tensor c = on(random_tensor({p.m, p.n}, Dtype::f32, 3)),
         bias = p.bias ? on(random_tensor({p.n}, Dtype::f32, 4)) : Tensor();
  kernel::matmul(c, a, b, p.ta, p.tb, p.accumulate, bias);
  return c;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gpu_fast)

BOOST_AUTO_TEST_CASE(f32_matmul_from_registers_has_the_bits_of_the_cpu) {
  Preferred registers(kernel::matmul, "registers");
  for (Product p : {Product{5, 7, 3, false, false, false, false},
                    {70, 33, 40, false, true, false, true},
                    {33, 70, 19, true, false, true, false},
                    {130, 140, 20, false, true, true, false},
                    {20, 20, 17, true, true, false, false}})
    BOOST_TEST(bool(bits_of(product(p, Device::emulated)) == bits_of(product(p, Device::cpu))),
               p.m << " x " << p.n << " x " << p.k << (p.ta ? " T" : " N") << (p.tb ? "T" : "N"));
}

BOOST_AUTO_TEST_CASE(the_order_of_threads_shows_in_no_bit) {
  const int64_t T = 70;
  std::vector<int32_t> starts;
  for (int64_t t = 0; t < T; ++t) starts.push_back(t < 25 ? 0 : 25);
  for (Dtype dtype : {Dtype::bf16, Dtype::f32}) {
    Tensor q = there(random_tensor({1, T, 2, 40}, dtype, 1)),
           k = there(random_tensor({1, T, 1, 40}, dtype, 2)),
           v = there(random_tensor({1, T, 1, 40}, dtype, 3)),
           dout = there(random_tensor({1, T, 2, 40}, dtype, 4));
    Tensor first = integers(starts, {1, T}, Device::emulated);
    std::vector<std::vector<uint8_t>> before;
    for (uint64_t seed : {1, 2, 3}) {
      emulated::set_seed(seed);
      Tensor o = like(q), lse({1, T, 2}, Dtype::f32, Device::emulated), dq = like(q), dk = like(k),
             dv = like(v);
      kernel::attention(o, lse, q, k, v, first, 0.2);
      kernel::attention_backward(dq, dk, dv, dout, o, lse, q, k, v, first, 0.2);
      Tensor x = o.viewed({T, 80}), w = dq.viewed({T, 80}), c({T, T}, dtype, Device::emulated);
      kernel::matmul(c, x, w, false, true, false, Tensor());
      std::vector<std::vector<uint8_t>> now;
      for (const Tensor* t : {&o, &lse, &dq, &dk, &dv, &c}) now.push_back(bits_of(*t));
      if (!before.empty()) BOOST_TEST(bool(now == before), "seed " << seed << ", " << name(dtype));
      before = now;
    }
    emulated::set_seed(1);
  }
}

BOOST_AUTO_TEST_SUITE_END()
