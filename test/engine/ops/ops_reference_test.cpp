// Operations against what PyTorch gives for them in float64: values and gradients
// (test/reference/ops.py).
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "engine/files/safetensors.h"
#include "engine/ops/adamw.h"
#include "engine/ops/attention.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/embedding.h"
#include "engine/ops/linear.h"
#include "engine/ops/norm.h"
#include "engine/ops/rope.h"
#include "engine/ops/swiglu.h"

using namespace afina;

namespace {

const Safetensors& stored() {
  static const Safetensors file(AFINA_SOURCE_DIR "/test/stored/ops.safetensors");
  return file;
}
Tensor read(const std::string& name, Dtype dtype) {
  const StoredTensor& t = stored().at(name);
  if (t.type == StoredType::i32) {
    std::vector<int32_t> values(size_t(t.count()));
    std::memcpy(values.data(), t.data, t.bytes);
    return Tensor::from(values, Shape(t.shape));
  }
  std::vector<double> values(size_t(t.count()));
  std::memcpy(values.data(), t.data, t.bytes);
  return Tensor::from(values, Shape(t.shape), dtype);
}
double number(const std::string& name) { return read(name, Dtype::f64).item(); }

void near(const Tensor& ours, const std::string& name, double tolerance) {
  auto a = ours.values64(), b = read(name, Dtype::f64).values64();
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  double worst = 0, scale = 1e-3;
  for (size_t i = 0; i < a.size(); ++i) {
    BOOST_REQUIRE(std::isfinite(a[i]));
    worst = std::fmax(worst, std::fabs(a[i] - b[i]) / std::fmax(1., std::fabs(b[i])));
    scale = std::fmax(scale, std::fabs(b[i]));
  }
  BOOST_TEST(worst <= tolerance * std::fmin(scale, 1.), name << ": off by " << worst);
}

// Runs `run` on the inputs of operation `name` and compares its value and its gradients.
void agrees(const std::string& name, const std::vector<std::string>& inputs,
            const std::function<Tensor(const std::vector<Tensor>&)>& run, double in_f32 = 2e-6,
            double in_f64 = 1e-13) {
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    double tolerance = dtype == Dtype::f32 ? in_f32 : in_f64;
    std::vector<Tensor> x;
    for (auto& input : inputs) x.push_back(read(name + "." + input, dtype).track());
    Tape tape;
    Tensor y = run(x);
    near(y.detached(), name + ".y", tolerance);
    tape.backward(y, read(name + ".dy", dtype).viewed(y.shape()));
    for (size_t i = 0; i < x.size(); ++i)
      near(x[i].grad().value(), name + ".d" + inputs[i], 4 * tolerance);
  }
}
using In = const std::vector<Tensor>&;

}  // namespace

BOOST_AUTO_TEST_SUITE(ops_against_pytorch)

BOOST_AUTO_TEST_CASE(norms) {
  agrees(
      "rmsnorm", {"x", "weight"}, [](In x) { return rmsnorm(x[0], x[1], number("rmsnorm.eps")); },
      1e-5);
  agrees(
      "layernorm", {"x", "weight", "bias"},
      [](In x) { return layernorm(x[0], x[1], x[2], number("layernorm.eps")); }, 1e-4, 1e-12);
}
BOOST_AUTO_TEST_CASE(scalars) {
  agrees("silu", {"x"}, [](In x) { return silu(x[0]); });
  agrees(
      "gelu", {"x"}, [](In x) { return gelu(x[0]); }, 2e-6, 1e-7);
  agrees(
      "gelu_tanh", {"x"}, [](In x) { return gelu_tanh(x[0]); }, 4e-6);
  agrees("sigmoid", {"x"}, [](In x) { return sigmoid(x[0]); });
  agrees("tanh", {"x"}, [](In x) { return tanh(x[0]); });
  agrees("exp", {"x"}, [](In x) { return exp(x[0]); });
  agrees("log", {"x"}, [](In x) { return log(x[0]); });
  agrees("swiglu", {"gate", "up"}, [](In x) { return swiglu(x[0], x[1]); });
}
BOOST_AUTO_TEST_CASE(rotary) {
  agrees("rope", {"x"}, [](In x) {
    return rope(x[0], read("rope.table", x[0].dtype()), read("rope.positions", Dtype::i32));
  });
}
BOOST_AUTO_TEST_CASE(attentions) {
  for (std::string name : {"attention", "attention_documents", "attention_cached"})
    agrees(name, {"q", "k", "v"}, [&](In x) {
      return attention(x[0], x[1], x[2], read(name + ".starts", Dtype::i32),
                       number(name + ".scale"));
    });
}
BOOST_AUTO_TEST_CASE(linear_and_embedding) {
  agrees("linear", {"x", "weight", "bias"}, [](In x) { return linear(x[0], x[1], x[2]); });
  agrees("embedding", {"table"},
         [](In x) { return embedding(x[0], read("embedding.ids", Dtype::i32)); });
}
BOOST_AUTO_TEST_CASE(head_and_loss) {
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    double tolerance = dtype == Dtype::f32 ? 2e-6 : 1e-13;
    Tensor x = read("cross_entropy.x", dtype).track(),
           weight = read("cross_entropy.weight", dtype).track();
    Tape tape;
    Loss loss = cross_entropy(x, weight, read("cross_entropy.targets", Dtype::i32),
                              number("cross_entropy.scale"));
    near(loss.total.detached(), "cross_entropy.total", tolerance);
    near(loss.losses, "cross_entropy.losses", tolerance);
    tape.backward(loss.total);
    near(x.grad().value(), "cross_entropy.dx", tolerance);
    near(weight.grad().value(), "cross_entropy.dweight", tolerance);
  }
}
BOOST_AUTO_TEST_CASE(optimizer) {
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    double tolerance = dtype == Dtype::f32 ? 1e-6 : 2e-7;  // the step's constants are f32
    Tensor w = read("adamw.start", dtype), m = Tensor::zeros(w.shape(), dtype),
           v = Tensor::zeros(w.shape(), dtype), all = read("adamw.gradients", dtype),
           after = read("adamw.after", Dtype::f64);
    auto options = read("adamw.lr_beta1_beta2_eps_decay", Dtype::f64).values64();
    double power1 = 1, power2 = 1;
    for (int64_t step = 0; step < 3; ++step) {
      power1 *= options[1];
      power2 *= options[2];
      AdamWStep s{float(options[0]),
                  float(options[1]),
                  float(options[2]),
                  float(options[3]),
                  float(options[4]),
                  float(1 - power1),
                  float(std::sqrt(1 - power2)),
                  1.f};
      kernel::adamw(w, w, all.slice_rows(step, 1).copy(), m, v, s);
      auto ours = w.values64(), theirs = after.slice_rows(step, 1).values64();
      for (size_t i = 0; i < ours.size(); ++i)
        BOOST_TEST(std::fabs(ours[i] - theirs[i]) < tolerance);
    }
    near(m, "adamw.m", 1e-6);
    near(v, "adamw.v", 1e-6);
  }
}

BOOST_AUTO_TEST_SUITE_END()
