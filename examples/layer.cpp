// A layer of one's own: an operation with a backward pass written by hand, checked against the
// slope of the loss, and a layer that uses it and is trained.
#include <cmath>
#include <cstdio>
#include <utility>

#include "engine/ops/linear.h"
#include "engine/saved.h"
#include "engine/train/trainer.h"

using namespace afina;

// Squared ReLU (So et al., 2021): max(x, 0)², element by element. Of x (any shape), f32 or f64, in
// the memory of the CPU.
template <class Number>
void squared_relu_loop(Tensor& y, Tensor& slope, const Tensor& x) {
  for (int64_t i = 0; i < x.size(); ++i) {
    const Number positive = x.data<Number>()[i] > 0 ? x.data<Number>()[i] : Number(0);
    y.data<Number>()[i] = positive * positive;
    slope.data<Number>()[i] = 2 * positive;
  }
}
Tensor squared_relu(const Tensor& x) {
  Tensor y = like(x), slope = like(x);
  if (x.dtype() == Dtype::f64) squared_relu_loop<double>(y, slope, x);
  else squared_relu_loop<float>(y, slope, x);
  // What backward needs is captured: the slope, and where x's gradient is added up.
  return Tape::record("squared_relu", y, {x}, [dx = x.grad(), slope](const Tensor& dy) {
    if (dx) dx += dy * slope;
  });
}

// x (rows, in) -> (rows, out): squared_relu(x Uᵀ) Vᵀ. Values follow from a parameter's name and the
// seed.
struct Layer {
  Parameter up, down;
  Layer(int64_t in, int64_t hidden, int64_t out, Dtype dtype)
      : up(make_parameter("up", {hidden, in}, {Init::normal, 0.5f}, true, dtype, Device::cpu)),
        down(
            make_parameter("down", {out, hidden}, {Init::normal, 0.5f}, true, dtype, Device::cpu)) {
    initialise(up, 1);
    initialise(down, 1);
  }
  Tensor operator()(const Tensor& x) const {
    return linear(squared_relu(linear(x, up.value, Tensor())), down.value, Tensor());
  }
};

// The squared errors (rows, 1) of the layer on the function a b, on a grid of points.
constexpr int64_t rows = 49;
Tensor squared_errors(const Layer& layer, Dtype dtype) {
  std::vector<double> points, wanted;
  for (int a = -3; a <= 3; ++a)
    for (int b = -3; b <= 3; ++b) {
      points.insert(points.end(), {a / 3., b / 3.});
      wanted.push_back(a / 3. * (b / 3.));
    }
  Tensor error =
      layer(Tensor::from(points, {rows, 2}, dtype)) - Tensor::from(wanted, {rows, 1}, dtype);
  return error * error;
}

// The largest difference between a gradient and the slope of the loss, over all weights of `up`. In
// f64, where a difference quotient is right to many digits.
double worst_difference() {
  Layer layer(2, 8, 1, Dtype::f64);
  {
    Tape tape;
    tape.backward(sum(squared_errors(layer, Dtype::f64)));
  }
  const std::vector<double> gradient = layer.up.value.grad().value().values64();
  auto loss_with = [&](double& weight, double value) {
    const double was = std::exchange(weight, value);
    const double loss = sum(squared_errors(layer, Dtype::f64)).item();
    weight = was;
    return loss;
  };
  double worst = 0.;
  for (size_t i = 0; i < gradient.size(); ++i) {
    double& weight = layer.up.value.data<double>()[i];
    const double h = 1e-6;
    const double slope = (loss_with(weight, weight + h) - loss_with(weight, weight - h)) / (2 * h);
    worst = std::fmax(worst, std::fabs(slope - gradient[i]));
  }
  return worst;
}

int main() {
  std::printf("gradient and slope differ by less than 1e-7: %s\n",
              worst_difference() < 1e-7 ? "yes" : "no");
  Layer layer(2, 8, 1, Dtype::f32);
  TrainOptions options;
  options.schedule = {.peak = 0.02, .steps = 200, .warmup = 10};
  Trainer trainer({&layer.up, &layer.down}, options, nullptr);
  for (int64_t step = 0; step < 200; ++step) {
    // One micro-batch of 49 targets: the trainer wants the loss of each, and scale times their sum.
    const StepReport report = trainer.step(1, rows, [&](size_t, double scale) {
      const Tensor squares = squared_errors(layer, Dtype::f32);
      return Loss{sum(squares) * scale, squares.detached()};
    });
    if (report.step == 1 || report.step % 50 == 0)
      std::printf("step %3d: loss %.6f\n", int(report.step), report.loss);
  }
}
