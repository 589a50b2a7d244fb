// The optimizer with moments in 8 bits: which weights have them, their memory, stop and resume.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/ops/adamw8.h"
#include "engine/ops/cross_entropy.h"
#include "engine/train/checkpoint.h"
#include "test/engine/ops/op_case.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// A head of 80 classes, large enough for 8 bits, and a vector that is not.
struct Head {
  Parameter weight =
      make_parameter("weight", {80, 64}, {Init::normal, 0.02f}, true, Dtype::f32, Device::cpu);
  Parameter bias = make_parameter("bias", {64}, {Init::zeros, 0.f}, true, Dtype::f32, Device::cpu);
  std::unique_ptr<Trainer> trainer;

  explicit Head(const std::string& optimizer, Dtype dtype = Dtype::f32) {
    if (dtype != Dtype::f32)
      weight = make_parameter("weight", {80, 64}, {Init::normal, 0.02f}, true, dtype, Device::cpu);
    initialise(weight, 1);
    initialise(bias, 1);
    TrainOptions o;
    o.schedule = {1e-2, 6, 0, Decay::constant, 0.};
    o.optimizer.name = optimizer;
    trainer = std::make_unique<Trainer>(std::vector<Parameter*>{&weight, &bias}, o, nullptr);
  }
  void step(uint64_t number) {
    std::vector<int32_t> targets;
    for (int32_t i = 0; i < 16; ++i) targets.push_back((i * 7 + int32_t(number)) % 80);
    trainer->step(1, 16, [&](size_t, double scale) {
      Tensor x = random_tensor({16, 64}, Dtype::f32, number) + bias.value;
      return cross_entropy(x, weight.value, Tensor::from(targets, {16}), scale);
    });
  }
  std::string digest() const { return digest_of({&weight, &bias}); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(adamw8_optimizer)

BOOST_AUTO_TEST_CASE(resumed_equals_uninterrupted) {
  ScratchFolder folder;
  Head whole("adamw8"), stopped("adamw8");
  for (uint64_t s = 0; s < 6; ++s) whole.step(s);
  for (uint64_t s = 0; s < 3; ++s) stopped.step(s);
  save_checkpoint(folder / "c", *stopped.trainer, Json::object());
  Head resumed("adamw8"), plain("adamw");
  BOOST_TEST(resume_checkpoint(folder / "c", *resumed.trainer).step == 3);
  for (uint64_t s = 3; s < 6; ++s) resumed.step(s);
  BOOST_TEST(resumed.digest() == whole.digest());
  BOOST_CHECK_EXCEPTION(resume_checkpoint(folder / "c", *plain.trainer), Error,
                        [](const Error& error) {
                          return std::string(error.what()).find("--optimizer") != std::string::npos;
                        });
}
BOOST_AUTO_TEST_CASE(small_weights_keep_f32) {
  Head head("adamw8"), plain("adamw");
  for (uint64_t s = 0; s < 3; ++s) {
    head.step(s);
    plain.step(s);
  }
  int64_t integers = 0;
  for (auto& [name, tensor] : head.trainer->state()) integers += tensor.dtype() == Dtype::i32;
  BOOST_TEST(integers == 2);
  auto [m, v] = head.trainer->optimizer().moments(0);
  auto [exact_m, exact_v] = plain.trainer->optimizer().moments(0);
  double off = 0, all = 0;
  const std::vector<double> ours = m.values64(), theirs = exact_m.values64();
  for (size_t i = 0; i < ours.size(); ++i) {
    off += std::fabs(ours[i] - theirs[i]);
    all += std::fabs(theirs[i]);
  }
  BOOST_TEST(off < 0.05 * all);
  BOOST_TEST(v.size() == 5120);
  BOOST_TEST(exact_v.size() == 5120);
}
BOOST_AUTO_TEST_CASE(two_bytes_and_a_little_for_each_value) {
  const auto used = [](const char* optimizer) {
    const int64_t before = memory_use(Device::cpu).now[size_t(Purpose::optimizer)];
    Head head(optimizer);
    return memory_use(Device::cpu).now[size_t(Purpose::optimizer)] - before;
  };
  BOOST_TEST(used("adamw") == 2 * 4 * (5120 + 64));
  // Indices, a scale for each 256 of them, the vector's in f32, and both codes.
  BOOST_TEST(used("adamw8") == 2 * (5120 + 4 * 20) + 2 * 4 * 64 + 4 * 1024);
}
BOOST_AUTO_TEST_CASE(f64_is_refused) {
  BOOST_CHECK_EXCEPTION(Head("adamw8", Dtype::f64), Error, [](const Error& error) {
    const std::string said = error.what();
    return said.find("adamw8") != std::string::npos && said.find("f64") != std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
